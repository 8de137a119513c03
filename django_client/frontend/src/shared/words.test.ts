import { expect, it } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import { t } from '@/i18n';
import { wordsFor } from './words';

it('the reason of the server is told where it says more than our words', () => {
  expect(wordsFor(new GatewayError('refused', 'The name must not be empty.', 400))).toBe('The name must not be empty.');
  expect(wordsFor(new GatewayError('refused'))).toBe(t('fault.refused'));
});

it('what only programs understand is not told', () => {
  expect(wordsFor(new GatewayError('expired', 'Signature 0x12 rejected', 403))).toBe(t('fault.expired'));
  expect(wordsFor(new TypeError('x is not a function'))).toBe(t('fault.server'));
});
