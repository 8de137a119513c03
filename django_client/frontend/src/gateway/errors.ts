/** What went wrong, as far as the next step depends on it. */
export type Fault =
  | 'offline' // no answer: the connection, the server or a proxy is gone
  | 'expired' // 403
  | 'missing' // 404
  | 'changed' // 409: spent token, or content that does not match
  | 'tooLarge' // 413
  | 'rateLimited' // 429
  | 'infected'
  | 'refused' // 400 and others: the answer says why
  | 'server'; // 5xx

/** A request to the gateway that failed. */
export class GatewayError extends Error {
  /**
   * @param fault what kind of failure it is
   * @param reason the server's own words for a person, empty where it gave none
   * @param status the HTTP status, 0 where there was no answer
   * @param waitSeconds after how long the server wants to be asked again (Retry-After), 0 where it does not say
   */
  constructor(
    readonly fault: Fault,
    readonly reason = '',
    readonly status = 0,
    readonly waitSeconds = 0,
  ) {
    super(reason || fault);
    this.name = 'GatewayError';
  }
}

/** The error that a status and a body stand for. */
export function errorOf(status: number, body: string, retryAfter: string | null): GatewayError {
  const { reason, infected } = reasonIn(body);
  const wait = Number(retryAfter ?? 0);
  return new GatewayError(
    infected ? 'infected' : faultOf(status),
    reason,
    status,
    Number.isFinite(wait) && wait > 0 ? wait : 0,
  );
}

function faultOf(status: number): Fault {
  const known: Record<number, Fault> = {
    0: 'offline',
    403: 'expired',
    404: 'missing',
    409: 'changed',
    410: 'missing',
    413: 'tooLarge',
    429: 'rateLimited',
    502: 'offline',
    503: 'offline',
    504: 'offline',
  };
  return known[status] ?? (status >= 500 ? 'server' : 'refused');
}

/** Answers say why as `{error: text}`, `{error: {code, message}}` or `{detail: text}`. */
function reasonIn(body: string): { reason: string; infected: boolean } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { reason: '', infected: false };
  }
  const { error, detail } = (parsed ?? {}) as { error?: unknown; detail?: unknown };
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const reason = [message, error, detail].find((each) => typeof each === 'string' && each !== '') as string | undefined;
  const infected = code === 'INFECTED' || detail === 'INFECTED';
  return { reason: infected ? '' : (reason ?? ''), infected };
}
