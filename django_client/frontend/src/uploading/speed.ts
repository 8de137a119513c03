const WINDOW_MS = 5_000;
const SETTLE_MS = 500;

/** Measures how fast bytes move, over the last seconds. */
export class SpeedMeter {
  private samples: { at: number; bytes: number }[] = [];

  /** Notes that so many bytes have moved in all. */
  note(bytes: number, at: number = Date.now()): void {
    const last = this.samples.at(-1);
    if (last && bytes < last.bytes) {
      this.samples = []; // it goes on at an earlier place
    }
    this.samples.push({ at, bytes });
    while (this.samples.length > 2 && at - (this.samples[0]?.at ?? at) > WINDOW_MS) {
      this.samples.shift();
    }
  }

  /** Bytes per second; 0 while it is too early to tell. */
  get rate(): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (!first || !last || last.at - first.at < SETTLE_MS) {
      return 0;
    }
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }

  /** Seconds until so many bytes have moved; 0 while it is too early to tell. */
  secondsFor(bytes: number): number {
    return this.rate > 0 ? Math.max(bytes, 0) / this.rate : 0;
  }
}
