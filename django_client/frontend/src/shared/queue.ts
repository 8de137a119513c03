/** Runs tasks in the order in which they come, a few at once. */
export class Queue {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly most: number) {}

  /** Runs a task when it is its turn, and answers what it answers. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.running >= this.most) {
      await new Promise<void>((begin) => this.waiting.push(begin));
    } else {
      this.running += 1;
    }
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  /** The place goes to the next that waits. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) {
      next();
    } else {
      this.running -= 1;
    }
  }
}
