import { errorOf, GatewayError } from '@/gateway/errors';

/**
 * Fetches a file part by part.
 *
 * A part that could not be fetched is remembered, and fetched when it is tried again: whoever waits for it goes on then.
 */
export class RangeSource {
  private readonly missing = new Map<number, number>();
  private readonly failed = new Set<number>();
  private readonly closing = new AbortController();

  /**
   * @param url where the file is read
   * @param deliver is given the bytes of a part that was requested, and where it begins
   * @param onFailed is told why a part could not be fetched
   */
  constructor(
    private readonly url: string,
    private readonly deliver: (begin: number, bytes: Uint8Array) => void,
    private readonly onFailed: (error: GatewayError) => void,
  ) {}

  /** Requests the bytes from `begin` on, up to `end`, which is not among them. */
  request(begin: number, end: number): void {
    this.missing.set(begin, end);
    void this.fetchPart(begin, end);
  }

  /** Requests once more what failed. */
  retry(): void {
    for (const [begin, end] of this.missing) {
      if (this.failed.delete(begin)) {
        void this.fetchPart(begin, end);
      }
    }
  }

  /** Ends all requests, for good. */
  close(): void {
    this.closing.abort();
  }

  private async fetchPart(begin: number, end: number): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = await this.read(begin, end);
    } catch (error) {
      if (!this.closing.signal.aborted) {
        this.failed.add(begin);
        this.onFailed(error instanceof GatewayError ? error : new GatewayError('offline'));
      }
      return;
    }
    this.missing.delete(begin);
    this.deliver(begin, bytes);
  }

  private async read(begin: number, end: number): Promise<Uint8Array> {
    const response = await fetch(this.url, {
      headers: { Range: `bytes=${begin}-${end - 1}` },
      credentials: 'omit',
      signal: this.closing.signal,
    });
    if (!response.ok) {
      throw errorOf(response.status, await response.text(), response.headers.get('Retry-After'));
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    return response.status === 206 ? bytes : bytes.slice(begin, end); // not every server knows ranges
  }
}
