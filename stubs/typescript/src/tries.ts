import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { OsisDocumentError } from './errors.js';

/** What bounds a transfer as a whole. */
export interface Limits {
  /** Milliseconds for all of it, however many connections it takes; no limit by default. */
  timeoutMs?: number | undefined;
  /** Ends it when aborted. */
  signal?: AbortSignal | undefined;
}

/** Counts the tries of one transfer that got nowhere, and pauses between them: doubling, with jitter. */
export class Tries {
  private readonly end: number;
  private fruitless = 0;

  constructor(private readonly limits: Limits) {
    this.end = performance.now() + (limits.timeoutMs ?? Infinity);
  }

  /** Options of the next call: what is left of the time, and the signal. Connect takes 0 ms for no limit. */
  options(): { timeoutMs?: number; signal?: AbortSignal } {
    const timeoutMs = Math.max(1, Math.ceil(this.end - performance.now()));
    const { signal } = this.limits;
    return { ...(timeoutMs < Infinity && { timeoutMs }), ...(signal && { signal }) };
  }

  /** Notes that something moved: the count starts again. */
  gotOn(): void {
    this.fruitless = 0;
  }

  /** Pauses before the next try; raises when there is to be none. */
  async pause(error: OsisDocumentError | undefined, stopped: string, metadata: Record<string, string>): Promise<void> {
    const backoff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.fruitless) * (0.5 + Math.random() / 2);
    const pauseMs = Math.max(backoff, (error?.retryAfterSeconds ?? 0) * 1000);
    this.fruitless += 1;
    const { signal } = this.limits;
    if (signal?.aborted || this.fruitless >= ATTEMPTS || performance.now() + pauseMs >= this.end) {
      const {
        code = Code.Unavailable,
        message = 'the stream ended before its end',
        reason,
        retryAfterSeconds,
      } = error ?? {};
      throw new OsisDocumentError(`${stopped}: ${message}`, code, reason, metadata, retryAfterSeconds, error);
    }
    await sleep(pauseMs, undefined, signal && { signal }).catch(() => undefined); // the next call says that it was aborted
  }
}

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
