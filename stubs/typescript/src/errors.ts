import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema, RetryInfoSchema } from './gen/google/rpc/error_details_pb.js';
import type { ErrorReason } from './gen/osis/document/v1/error_reason_pb.js';

/** Name of an `ErrorReason` (`'TOKEN_EXPIRED'`); empty where the service gave none. A newer service may have others. */
export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'> | '';

/** A call that failed: refused by the service, or lost on the way to it. Decide by `reason`, then by `code`; show `message`. */
export class OsisDocumentError extends Error {
  override readonly name: string = 'OsisDocumentError';

  constructor(
    message: string,
    readonly code: Code,
    readonly reason: Reason = '',
    /** The values that the message speaks of, with the keys that the reason documents. */
    readonly metadata: Record<string, string> = {},
    /** How long the service asks to wait before the same call; null if it does not say. */
    readonly retryAfterSeconds: number | null = null,
    cause?: unknown,
  ) {
    super(message, { cause });
  }

  /** True when nothing is wrong with the call itself, so that going on where it stopped may succeed. */
  get transient(): boolean {
    if (this.reason === 'SERVER_OVERLOADED' || PASSING.has(this.code)) return true;
    return !this.reason && (this.code === Code.Internal || this.code === Code.Unknown);
  }

  /** Makes a typed error of what Connect raised; `aborted`: the caller ended the call. */
  static from(error: unknown, aborted = false): OsisDocumentError {
    const source = ConnectError.from(error);
    const info = source.findDetails(ErrorInfoSchema).find((each) => each.domain === 'document.osis');
    const delay = source.findDetails(RetryInfoSchema)[0]?.retryDelay;
    const seconds = delay ? Number(delay.seconds) + delay.nanos / 1e9 : null;
    const code = !source.isWireError && !aborted && LOST.has(source.code) ? Code.Unavailable : source.code;
    return new OsisDocumentError(
      source.rawMessage,
      code,
      (info?.reason ?? '') as Reason,
      info?.metadata,
      seconds,
      source,
    );
  }
}

/** Bytes arrived that are not those that were sent. Download again. */
export class DownloadDamagedError extends OsisDocumentError {
  override readonly name = 'DownloadDamagedError';

  constructor(message: string) {
    super(message, Code.DataLoss);
  }
}

const PASSING = new Set([Code.Unavailable, Code.Canceled, Code.DeadlineExceeded]);
// What Connect makes of a connection that broke, where no server said anything.
const LOST = new Set([Code.Aborted, Code.Canceled, Code.Internal, Code.InvalidArgument, Code.Unknown]);
