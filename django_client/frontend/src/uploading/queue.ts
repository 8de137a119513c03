import type { GatewayError } from '@/gateway/errors';
import { nextStep } from './retrying';
import { SpeedMeter } from './speed';
import type { OpenTransfer, Sendable, Transfer } from './transfer';

/** How far a file is on its way. */
export type SendingPhase = 'queued' | 'sending' | 'waiting' | 'limited' | 'paused' | 'failed' | 'sent';

/** A file on its way; the queue writes how it stands into it. */
export interface UploadJob extends Sendable {
  phase: string;
  size: number;
  sent: number;
  /** Bytes per second; 0 while unknown. */
  rate: number;
  /** Seconds; 0 while unknown. */
  remaining: number;
  /** When it goes on by itself, in milliseconds since 1970. */
  goesOnAt: number;
  /** Until when the server keeps what it has. */
  expires: number;
  error: GatewayError | null;
}

/** What the owner of a queue wants to know. */
export interface QueueEvents<Job> {
  /** The address is known, or more is safe on the server. */
  safe(job: Job, offset: number): void;
  done(job: Job, token: string): void;
  failed(job: Job): void;
}

interface Attempt {
  transfer: Transfer | null;
  meter: SpeedMeter;
  failures: number;
  firstReason: GatewayError | null;
  timer: ReturnType<typeof setTimeout> | undefined;
  watchdog: ReturnType<typeof setTimeout> | undefined;
}

const STALLED_MS = 120_000;

/** Sends files, a few at a time, in their order; goes on by itself after lost connections and rate limits. */
export class UploadQueue<Job extends UploadJob> {
  private readonly jobs = new Map<Job, Attempt>();
  private limitedUntil = 0;
  private limitTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly open: OpenTransfer,
    private readonly events: QueueEvents<Job>,
    private readonly parallel = 3,
  ) {}

  /** Sends a file when it is its turn, or again after it failed or was paused. */
  add(job: Job): void {
    this.drop(job);
    this.jobs.set(job, {
      transfer: null,
      meter: new SpeedMeter(),
      failures: 0,
      firstReason: null,
      timer: undefined,
      watchdog: undefined,
    });
    Object.assign(job, { phase: 'queued', error: null, rate: 0, remaining: 0 });
    this.proceed();
  }

  /** Stops for now; what was sent stays sent. */
  pause(job: Job): void {
    this.drop(job);
    Object.assign(job, { phase: 'paused', rate: 0, remaining: 0 });
    this.proceed();
  }

  /** Stops for good. */
  async cancel(job: Job): Promise<void> {
    const transfer = this.jobs.get(job)?.transfer;
    this.drop(job);
    this.proceed();
    if (job.url !== '') {
      await (transfer ?? this.open(job, silent)).cancel();
    }
  }

  /** The connection is back: nobody waits any longer for it. */
  online(): void {
    for (const [job, attempt] of this.jobs) {
      if (job.phase === 'waiting') {
        clearTimeout(attempt.timer);
        job.phase = 'queued';
      }
    }
    this.proceed();
  }

  /** Ends everything; the server keeps what it has. */
  stop(): void {
    [...this.jobs.keys()].forEach((job) => this.drop(job));
    clearTimeout(this.limitTimer);
  }

  private drop(job: Job): void {
    const attempt = this.jobs.get(job);
    if (attempt) {
      this.jobs.delete(job);
      this.end(attempt);
    }
  }

  private end(attempt: Attempt): void {
    clearTimeout(attempt.timer);
    clearTimeout(attempt.watchdog);
    attempt.transfer?.stop();
    attempt.transfer = null;
  }

  private proceed(): void {
    let running = [...this.jobs.keys()].filter((job) => ['sending', 'waiting'].includes(job.phase)).length;
    for (const [job, attempt] of this.jobs) {
      if (!['queued', 'limited'].includes(job.phase)) {
        continue;
      }
      if (this.limitedUntil > Date.now() && (job.url === '' || job.phase === 'limited')) {
        Object.assign(job, { phase: 'limited', goesOnAt: this.limitedUntil });
      } else if (running < this.parallel) {
        running += 1;
        this.send(job, attempt);
      } else {
        job.phase = 'queued';
      }
    }
  }

  private send(job: Job, attempt: Attempt): void {
    Object.assign(job, { phase: 'sending', error: null });
    const current = <Args extends unknown[]>(act: (...args: Args) => void) => {
      return (...args: Args) => {
        if (attempt.transfer === transfer) {
          act(...args);
        }
      };
    };
    const transfer: Transfer = this.open(job, {
      created: current((url: string, expires: number) => {
        Object.assign(job, { url, expires });
        this.events.safe(job, job.sent);
      }),
      progress: current((sent: number) => this.progress(job, attempt, sent)),
      accepted: current((offset: number) => {
        Object.assign(attempt, { failures: 0, firstReason: null });
        this.events.safe(job, offset);
      }),
      done: current((token: string) => {
        this.jobs.delete(job);
        this.end(attempt);
        Object.assign(job, { phase: 'sent', sent: job.size });
        this.events.done(job, token);
        this.proceed();
      }),
      failed: current((error: GatewayError) => this.failed(job, attempt, error)),
    });
    attempt.transfer = transfer;
    this.watch(job, attempt);
    transfer.start();
  }

  private progress(job: Job, attempt: Attempt, sent: number): void {
    attempt.meter.note(sent);
    job.sent = sent;
    job.rate = attempt.meter.rate;
    job.remaining = attempt.meter.secondsFor(job.size - sent);
    this.watch(job, attempt);
  }

  /** A connection can vanish without a word; then it is tried anew. */
  private watch(job: Job, attempt: Attempt): void {
    clearTimeout(attempt.watchdog);
    attempt.watchdog = setTimeout(() => {
      this.end(attempt);
      this.send(job, attempt);
    }, STALLED_MS);
  }

  private failed(job: Job, attempt: Attempt, error: GatewayError): void {
    this.end(attempt);
    attempt.failures += 1;
    const step = nextStep(error, attempt.failures, job.url !== '');
    attempt.firstReason ??= error.fault === 'changed' ? error : null;
    Object.assign(job, { error, rate: 0, remaining: 0 });
    if (step.kind === 'again') {
      Object.assign(job, { phase: 'waiting', goesOnAt: Date.now() + step.seconds * 1000 });
      attempt.timer = setTimeout(() => this.send(job, attempt), step.seconds * 1000);
    } else if (step.kind === 'limited') {
      attempt.failures -= 1;
      job.phase = 'limited';
      this.limit(step.seconds);
    } else if (step.kind === 'over' && attempt.firstReason === null) {
      Object.assign(job, { phase: 'queued', url: '', sent: 0 });
    } else {
      this.jobs.delete(job);
      Object.assign(job, { phase: 'failed', error: attempt.firstReason ?? error });
      this.events.failed(job);
    }
    this.proceed();
  }

  private limit(seconds: number): void {
    this.limitedUntil = Date.now() + seconds * 1000;
    clearTimeout(this.limitTimer);
    this.limitTimer = setTimeout(() => this.proceed(), seconds * 1000 + 50);
  }
}

const silent = {
  created: () => undefined,
  progress: () => undefined,
  accepted: () => undefined,
  done: () => undefined,
  failed: () => undefined,
};
