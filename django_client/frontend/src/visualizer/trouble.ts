import { type Fault, GatewayError } from '@/gateway/errors';
import { type Key, t } from '@/i18n';
import type { Listed } from './options';

/** Why a document is not shown, for a person. */
export interface Trouble {
  words: string;
  /** Whether asking once more can help. */
  canRetry: boolean;
}

const OWN_WORDS: Partial<Record<Fault, Key>> = {
  infected: 'visualizer.infected',
  missing: 'visualizer.missing',
  changed: 'visualizer.damaged',
  offline: 'visualizer.offline',
  expired: 'fault.expired',
  rateLimited: 'fault.rateLimited',
};

/** What a failed request for a document means. */
export function troubleOf(error: unknown): Trouble {
  const fault = error instanceof GatewayError ? error.fault : 'server';
  const reason = error instanceof GatewayError && fault === 'refused' ? error.reason : '';
  return {
    words: reason || t(OWN_WORDS[fault] ?? (fault === 'refused' ? 'visualizer.refused' : 'fault.server')),
    canRetry: ['offline', 'server', 'rateLimited'].includes(fault),
  };
}

const CODES: Record<string, Key> = {
  INFECTED: 'visualizer.infected',
  HASH_MISMATCH: 'visualizer.damaged',
  UPLOAD_NOT_FOUND: 'visualizer.missing',
};

/** What it means that the page got no token for a document. */
export function troubleOfRefusal({ code, reason }: Listed & { kind: 'refused' }): Trouble {
  const key = CODES[code];
  return { words: key ? t(key) : reason || t('visualizer.refused'), canRetry: false };
}
