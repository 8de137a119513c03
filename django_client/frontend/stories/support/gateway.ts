import { Gateway, type Metadata, type Progress } from '@/gateway/gateway';
import { pdf } from './pdf';
import { picture } from './picture';

/** The `data-base-url` of stories. */
export const baseUrl = 'https://gateway.example/osis_document/';

const TYPES: Record<string, string> = {
  png: 'image/png',
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  odt: 'application/vnd.oasis.opendocument.text',
  txt: 'text/plain',
  zip: 'application/zip',
};

/** What tokens that begin with these words are answered; all others are files with their own name: `photo.png`, `letter.pdf`. */
const FAULTS: Record<string, () => Response> = {
  infected: () => json({ detail: 'INFECTED' }, 500),
  expired: () => json({ detail: 'The token has expired.' }, 403),
  missing: () => json({ detail: 'There is no such document.' }, 404),
  damaged: () => json({ error: 'The stored bytes are damaged.' }, 409),
  refused: () => json({ error: 'The name must not be empty.' }, 400),
  spent: () => json({ error: 'The token was used before.' }, 409),
  limited: () => json({ detail: 'Too many requests.' }, 429, { 'Retry-After': '30' }),
  broken: () => json({}, 500),
  offline: () => {
    throw new TypeError('Failed to fetch');
  },
};

const names = new Map<string, string>();
const asked = new Map<string, number>();

/**
 * Lets the page's own `fetch` answer what a gateway would.
 *
 * A token that begins with `waiting` is never answered. Pictures have addresses of their own, since browsers fetch those without
 * `fetch`.
 *
 * @returns takes it away again
 */
export function fakeGateway(): () => void {
  const realFetch = window.fetch;
  const realFileUrl = Gateway.prototype.fileUrl;
  names.clear();
  asked.clear();
  window.fetch = async (input, init) => {
    const request = new Request(input, init);
    return request.url.startsWith(baseUrl) ? answer(request) : realFetch(input, init);
  };
  Gateway.prototype.fileUrl = function fileUrl(this: Gateway, token, options) {
    return nameOf(token).endsWith('.png') && !faultOf(token) ? picture(token) : realFileUrl.call(this, token, options);
  };
  return () => {
    window.fetch = realFetch;
    Gateway.prototype.fileUrl = realFileUrl;
  };
}

/** Where a story follows a post-processing: one that grows by a quarter each time it is asked for, or that never does. */
export function progressUrl(kind: 'growing' | 'pending' | 'failing' | 'expired' | 'offline'): string {
  return `${baseUrl}get-progress-async-post-processing/${kind}?signature=x`;
}

async function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.replace(new URL(baseUrl).pathname, '');
  const [action = '', encoded = ''] = path.split('/');
  const token = decodeURIComponent(encoded);
  const fault = faultOf(token);
  if (token.startsWith('waiting')) {
    return new Promise(() => undefined);
  }
  return fault ? fault() : (actions[action] ?? (() => json({ detail: 'Not found.' }, 404)))(token, request);
}

const actions: Record<string, (token: string, request: Request) => Response | Promise<Response>> = {
  metadata: (token) => json(metadata(token)),
  'change-metadata': async (token, request) => {
    names.set(token, ((await request.json()) as { name: string }).name);
    return json(metadata(token));
  },
  'rotate-image': async (token, request) => {
    const { rotate } = (await request.json()) as { rotate: number };
    return json({ token: withTurn(token, rotate) });
  },
  'save-editor': async (token, request) => {
    await request.formData();
    return json({ token: `saved-${token}` });
  },
  file: (token, request) => bytes(token, request),
  'get-progress-async-post-processing': (kind) => json(progress(kind), 202),
};

function faultOf(token: string): (() => Response) | undefined {
  return FAULTS[token.split('-')[0] ?? ''];
}

function nameOf(token: string): string {
  return names.get(token) ?? token.replace(/^saved-/, '').replace(/\?.*/, '');
}

/** The same picture, turned further. */
function withTurn(token: string, degrees: number): string {
  const [name, turned = '0'] = token.split('?');
  return `${name}?${(Number(turned) + degrees) % 360}`;
}

function metadata(token: string): Metadata {
  const name = nameOf(token);
  const mimetype = TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  return {
    name,
    mimetype,
    size: mimetype === 'application/pdf' ? pdf().byteLength : 1_234_567,
    url: `${baseUrl}file/${token}`,
    uploaded_at: '2026-01-31T12:00:00Z',
    upload_uuid: '2b0b2d5e-8c0c-4a6c-9d4f-3f1c7d0c9e11',
    hash: '0'.repeat(64),
  };
}

/** The bytes of a PDF, or the range that is asked for; of anything else, its name. */
function bytes(token: string, request: Request): Response {
  const mimetype = metadata(token).mimetype;
  const whole = mimetype === 'application/pdf' ? pdf() : new TextEncoder().encode(nameOf(token));
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get('Range') ?? '') ?? [];
  const part = from === undefined ? whole : whole.slice(Number(from), Number(to) + 1);
  const headers: Record<string, string> = {
    'Accept-Ranges': 'bytes',
    'Content-Length': String(part.byteLength),
    'Content-Type': mimetype,
  };
  if (from !== undefined) {
    headers['Content-Range'] = `bytes ${from}-${Number(from) + part.byteLength - 1}/${whole.byteLength}`;
  }
  return new Response(part as Uint8Array<ArrayBuffer>, { status: from === undefined ? 200 : 206, headers });
}

function progress(kind: string): Progress {
  const times = (asked.get(kind) ?? 0) + 1;
  asked.set(kind, times);
  if (kind === 'growing' && times > 4) {
    return { progress: 100, wanted_post_process_status: 'DONE', token: 'merged.pdf' };
  }
  if (kind === 'failing') {
    const errors = { params: {}, messages: ['The file is protected by a password.'] };
    return { progress: 50, wanted_post_process_status: 'FAILED', failed: true, errors };
  }
  return { progress: kind === 'growing' ? 25 * times - 25 : 40, wanted_post_process_status: 'PENDING' };
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}
