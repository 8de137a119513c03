import { errorOf, GatewayError } from './errors';

/** What the gateway tells about a document. */
export interface Metadata {
  name: string;
  size: number;
  mimetype: string;
  url: string;
  uploaded_at: string;
  upload_uuid: string;
  hash: string;
}

/** How far a post-processing is. */
export interface Progress {
  progress: number;
  wanted_post_process_status: 'PENDING' | 'DONE' | 'FAILED' | null;
  failed?: boolean;
  token?: string;
  errors?: unknown;
}

/** The gateway that `data-base-url` names; the token in an address is the capability, so there are neither cookies nor keys. */
export class Gateway {
  private readonly base: string;

  constructor(baseUrl: string) {
    this.base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  }

  /** Where tus uploads are created. */
  get uploadsUrl(): string {
    return `${this.base}uploads/`;
  }

  /** Where a document is read; `download` makes browsers save it. */
  fileUrl(token: string, { download = false } = {}): string {
    return `${this.base}file/${encodeURIComponent(token)}${download ? '?dl=1' : ''}`;
  }

  /**
   * Asks what a document is.
   *
   * @throws GatewayError expired, missing, infected, offline …
   */
  metadata(token: string): Promise<Metadata> {
    return this.json<Metadata>(`metadata/${encodeURIComponent(token)}`);
  }

  /** Changes the name, and answers what the document is then. */
  rename(token: string, name: string): Promise<Metadata> {
    return this.json<Metadata>(`change-metadata/${encodeURIComponent(token)}`, jsonBody({ name }));
  }

  /** Turns an image clockwise by 90, 180 or 270 degrees; the answer is its new token, the old one is spent. */
  async rotateImage(token: string, degrees: number): Promise<string> {
    const body = jsonBody({ rotate: degrees });
    const { token: next } = await this.json<{ token: string }>(`rotate-image/${encodeURIComponent(token)}`, body);
    return next;
  }

  /** Saves an edited PDF with the rotations of its pages, by number from 0; the answer is its new token, the old one is spent. */
  async saveEdit(token: string, file: Blob, name: string, rotations: Record<number, number>): Promise<string> {
    const body = new FormData();
    body.append('rotations', JSON.stringify(rotations)); // first: the server reads the file as it comes
    body.append('file', file, name);
    const address = `save-editor/${encodeURIComponent(token)}`;
    return (await this.json<{ token: string }>(address, { method: 'POST', body })).token;
  }

  /** The bytes of a document. */
  async bytes(token: string, signal?: AbortSignal): Promise<Blob> {
    const response = await this.request(this.fileUrl(token), signal ? { signal } : {});
    return await response.blob();
  }

  /** Asks how far a post-processing is, at the signed address that the page was given for it. */
  async progress(signedUrl: string, signal?: AbortSignal): Promise<Progress> {
    const response = await this.request(signedUrl, signal ? { signal } : {});
    return (await response.json()) as Progress;
  }

  private async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.request(`${this.base}${path}`, init);
    return (await response.json()) as T;
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(url, {
        ...init,
        credentials: 'omit',
        headers: { Accept: 'application/json', ...init.headers },
      });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'AbortError') {
        throw cause;
      }
      throw new GatewayError('offline');
    }
    if (!response.ok) {
      throw errorOf(response.status, await response.text(), response.headers.get('Retry-After'));
    }
    return response;
  }
}

function jsonBody(value: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(value), headers: { 'Content-Type': 'application/json' } };
}
