import { GatewayError } from '@/gateway/errors';
import { t } from '@/i18n';

/** What a person is told about a failure: the server's own reason where it gave one, and what to do next. */
export function wordsFor(error: unknown): string {
  if (!(error instanceof GatewayError)) {
    return t('fault.server');
  }
  return error.reason !== '' && ['refused', 'changed', 'tooLarge'].includes(error.fault)
    ? error.reason
    : t(`fault.${error.fault}`);
}
