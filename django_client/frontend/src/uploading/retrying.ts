import type { GatewayError } from '@/gateway/errors';

const DELAYS_SECONDS = [1, 2, 5, 10, 20, 30];
const TRIES_OF_A_FAULTY_SERVER = 3;
const WAIT_SECONDS = 30;

/** How it goes on after a failure. */
export type Step =
  | { kind: 'again'; seconds: number } // from where the server stands
  | { kind: 'limited'; seconds: number } // the server wants fewer uploads; all that are not created yet wait
  | { kind: 'over' } // from the beginning: the server has forgotten it
  | { kind: 'end' };

/**
 * Decides how it goes on.
 *
 * @param failures how often it failed in a row, this time included
 * @param resumable whether the upload was created already
 */
export function nextStep(error: GatewayError, failures: number, resumable: boolean): Step {
  const later: Step = { kind: 'again', seconds: DELAYS_SECONDS[Math.min(failures, DELAYS_SECONDS.length) - 1] ?? 1 };
  if (error.fault === 'rateLimited') {
    return { kind: 'limited', seconds: error.waitSeconds || WAIT_SECONDS };
  }
  if (error.fault === 'offline' || error.status === 423) {
    return error.waitSeconds > 0 ? { kind: 'again', seconds: error.waitSeconds } : later;
  }
  if (error.fault === 'server' || error.status === 460) {
    return failures <= TRIES_OF_A_FAULTY_SERVER ? later : { kind: 'end' };
  }
  if (error.fault === 'missing' && resumable) {
    return failures <= 1 ? { kind: 'over' } : { kind: 'end' };
  }
  if (error.fault === 'changed' && resumable) {
    return failures <= 1 ? { kind: 'again', seconds: 0 } : { kind: 'end' }; // perhaps only the offset was another
  }
  return { kind: 'end' };
}
