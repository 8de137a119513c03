import { errorOf, type Fault, GatewayError } from '@/gateway/errors';
import { type Key, t } from '@/i18n';
import { wordsFor } from '@/shared/words';

/** What a person is told, and what can be done about it. */
export interface Trouble {
  fault: Fault | 'password' | 'damaged' | 'notPdf';
  message: string;
  /** The same may work when it is tried again. */
  retry: boolean;
  /** The page must be loaded anew. */
  reload: boolean;
}

const PASSING: readonly string[] = ['offline', 'server', 'rateLimited'];
/** What is said instead of the common words where something is not saved. */
const SAVE_TEXTS: Partial<Record<Fault, Key>> = {
  offline: 'editor.saveOffline',
  expired: 'editor.saveExpired',
  changed: 'editor.saveChanged',
  missing: 'editor.saveMissing',
};
const OUTDATED: readonly string[] = ['expired', 'changed'];

/** Why a PDF cannot be shown. */
export function openTrouble(error: unknown): Trouble {
  const { name = '' } = (error ?? {}) as { name?: string };
  if (name === 'PasswordException') {
    return trouble('password', t('editor.password'));
  }
  if (name === 'InvalidPDFException' || name === 'FormatError' || name === 'UnknownErrorException') {
    return trouble('damaged', t('editor.damaged'));
  }
  const known = asGatewayError(error);
  return trouble(known.fault, wordsFor(known));
}

/** Why something that is no PDF is not shown. */
export function notAPdf(): Trouble {
  return trouble('notPdf', t('editor.notPdf'));
}

/** Why an edited PDF could not be saved. The person keeps the changes in any case, and is told so. */
export function saveTrouble(error: unknown): Trouble {
  const known = asGatewayError(error);
  const own = SAVE_TEXTS[known.fault];
  const message = own ? t(own) : wordsFor(known);
  return trouble(known.fault, PASSING.includes(known.fault) ? `${message} ${t('editor.nothingLost')}` : message);
}

function trouble(fault: Trouble['fault'], message: string): Trouble {
  return { fault, message, retry: PASSING.includes(fault), reload: OUTDATED.includes(fault) };
}

/** pdf.js says with which status the server answered; a fetch that came to nothing is a TypeError. */
function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) {
    return error;
  }
  const { name = '', status } = (error ?? {}) as { name?: string; status?: unknown };
  if (name === 'ResponseException' && typeof status === 'number') {
    return errorOf(status, '', null);
  }
  return new GatewayError(name === 'TypeError' ? 'offline' : 'server');
}
