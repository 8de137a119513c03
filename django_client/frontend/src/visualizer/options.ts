import { Attributes } from '@/attributes';

/** A document as the page knows it. */
export type Listed =
  | { kind: 'readable'; token: string }
  | { kind: 'pending'; progressUrl: string }
  | { kind: 'failed'; reasons: string[] }
  | { kind: 'refused'; code: string; reason: string };

/** What the attributes of a visualizer say. */
export interface VisualizerOptions {
  baseUrl: string;
  /** In the order in which they are shown. */
  documents: Listed[];
}

/**
 * Reads the attributes of an element.
 *
 * `data-values` has the tokens of the documents that can be read; `data-post-process-status` and `data-get-progress-url` speak of
 * one more that cannot be read yet. Where that does not say it all, `data-documents` lists every document in its place.
 */
export function readVisualizerOptions(element: HTMLElement): VisualizerOptions {
  const attributes = new Attributes(element);
  const listed = attributes.objects('documents').map(listedOf);
  return {
    baseUrl: attributes.text('base-url'),
    documents: listed.length > 0 ? listed : [...readable(attributes), ...unfinished(attributes)],
  };
}

function readable(attributes: Attributes): Listed[] {
  return attributes.list('values').map((token) => ({ kind: 'readable', token }));
}

function unfinished(attributes: Attributes): Listed[] {
  const status = attributes.text('post-process-status').toUpperCase();
  const wanted = attributes.text('wanted-post-process');
  const address = attributes.text('get-progress-url');
  if (status === 'PENDING' && address !== '') {
    return [{ kind: 'pending', progressUrl: withWanted(address, wanted) }];
  }
  return status === 'FAILED' ? [{ kind: 'failed', reasons: [] }] : [];
}

/** `{token}`, `{status, progress_url, wanted_post_process}`, `{status, errors}` or `{error: {code, message}}`. */
function listedOf(item: Record<string, unknown>): Listed {
  if (typeof item.token === 'string') {
    return { kind: 'readable', token: item.token };
  }
  if (typeof item.progress_url === 'string') {
    return { kind: 'pending', progressUrl: withWanted(item.progress_url, text(item.wanted_post_process)) };
  }
  if (item.status === 'FAILED') {
    return { kind: 'failed', reasons: reasonsIn(item.errors) };
  }
  const { code, message } = (item.error ?? {}) as Record<string, unknown>;
  return { kind: 'refused', code: text(code), reason: text(message) };
}

/** The texts of `{messages: [text]}`, in which the gateway tells why a post-processing failed. */
export function reasonsIn(errors: unknown): string[] {
  const { messages } = (errors ?? {}) as { messages?: unknown };
  return Array.isArray(messages) ? messages.filter((each) => typeof each === 'string' && each !== '') : [];
}

function withWanted(address: string, wanted: string): string {
  if (wanted === '') {
    return address;
  }
  const separator = address.includes('?') ? '&' : '?';
  return `${address}${separator}wanted_post_process=${encodeURIComponent(wanted)}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
