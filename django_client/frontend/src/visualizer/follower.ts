import { GatewayError } from '@/gateway/errors';
import type { Progress } from '@/gateway/gateway';
import { reasonsIn } from './options';

/** How a post-processing stands. */
export type Standing =
  | { kind: 'pending'; percent: number; /** why it is not known at the moment */ trouble?: unknown }
  | { kind: 'done'; /** of what was made; empty where it is not told */ token: string }
  | { kind: 'failed'; reasons: string[] }
  | { kind: 'lost'; /** why it cannot be followed further */ error: unknown };

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
const GROWTH = 1.5;

/** Faults that pass by themselves. */
const PASSING = ['offline', 'server', 'rateLimited'];

/**
 * Follows a post-processing until it is over.
 *
 * It asks less and less often while nothing moves, and not at all while nobody looks at the page.
 */
export class Follower {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private percent = 0;
  private over = false;
  private asking = false;

  /**
   * @param ask asks how far it is
   * @param tell is told how it stands, each time
   */
  constructor(
    private readonly ask: () => Promise<Progress>,
    private readonly tell: (standing: Standing) => void,
  ) {}

  /** Begins. */
  start(): void {
    document.addEventListener('visibilitychange', this.look);
    this.look();
  }

  /** Ends; nothing is told any more. */
  stop(): void {
    this.over = true;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.look);
  }

  /** Asks at once if the page is seen. */
  readonly look = (): void => {
    clearTimeout(this.timer);
    if (!this.over && !this.asking && !document.hidden) {
      void this.askOnce();
    }
  };

  private async askOnce(): Promise<void> {
    this.asking = true;
    const standing = await this.ask().then(standingOf, troubleOf);
    this.asking = false;
    if (this.over) {
      return;
    }
    const told = standing.kind === 'pending' ? this.pending(standing) : standing;
    if (told.kind !== 'pending') {
      this.stop();
    }
    this.tell(told);
  }

  /** Sets the time of the next question. */
  private pending(standing: Standing & { kind: 'pending' }): Standing {
    const moved = standing.percent > this.percent;
    this.percent = Math.max(this.percent, standing.percent);
    this.pauseMs = moved ? FIRST_PAUSE_MS : Math.min(this.pauseMs * GROWTH, LONGEST_PAUSE_MS);
    const { trouble } = standing;
    const wantedMs = trouble instanceof GatewayError ? trouble.waitSeconds * 1_000 : 0;
    this.timer = setTimeout(this.look, Math.max(this.pauseMs, wantedMs));
    return { ...standing, percent: this.percent };
  }
}

function standingOf(answer: Progress): Standing {
  if (answer.wanted_post_process_status === 'DONE') {
    return { kind: 'done', token: answer.token ?? '' };
  }
  if (answer.wanted_post_process_status === 'FAILED' || answer.failed) {
    return { kind: 'failed', reasons: reasonsIn(answer.errors) };
  }
  return { kind: 'pending', percent: answer.progress };
}

function troubleOf(error: unknown): Standing {
  const passes = error instanceof GatewayError && PASSING.includes(error.fault);
  return passes ? { kind: 'pending', percent: 0, trouble: error } : { kind: 'lost', error };
}
