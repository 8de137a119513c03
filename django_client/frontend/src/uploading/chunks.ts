const MEGABYTE = 1_000_000;
const AIMED_SECONDS = 4;

/**
 * How much one request carries.
 *
 * Proxies stand between browsers and many sites: they refuse long bodies (nginx: more than 1 MiB unless told otherwise), keep a
 * body back until all of it is there, and end requests that take long. So the first part is below 1 MiB, and parts grow only as
 * far as one takes a few seconds; what fails is tried in smaller parts.
 */
export class ChunkSizes {
  static readonly smallest = MEGABYTE;
  private limit = 32 * MEGABYTE;
  private present = ChunkSizes.smallest;

  /** The size of the next part, in bytes. */
  get bytes(): number {
    return this.present;
  }

  /** Learns from a part that went well. */
  succeeded(bytes: number, seconds: number): void {
    const fitting = (bytes / Math.max(seconds, 0.01)) * AIMED_SECONDS;
    const grown = Math.min(fitting, this.present * 2, this.limit);
    this.present = Math.max(Math.round(grown), ChunkSizes.smallest);
  }

  /** Learns from one that did not; answers whether smaller ones are worth a try. */
  failed(): boolean {
    const couldShrink = this.present > ChunkSizes.smallest;
    this.limit = Math.max(Math.round(this.present / 2), ChunkSizes.smallest);
    this.present = ChunkSizes.smallest;
    return couldShrink;
  }
}
