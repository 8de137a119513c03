import { describe, expect, it } from 'vitest';
import { errorOf } from './errors';

describe('a refusal', () => {
  it.each([
    [0, 'offline'],
    [400, 'refused'],
    [403, 'expired'],
    [404, 'missing'],
    [409, 'changed'],
    [410, 'missing'],
    [413, 'tooLarge'],
    [418, 'refused'],
    [429, 'rateLimited'],
    [500, 'server'],
    [502, 'offline'],
    [503, 'offline'],
    [504, 'offline'],
    [507, 'server'],
  ])('with the status %i is "%s"', (status, fault) => {
    expect(errorOf(status, '{}', null)).toMatchObject({ fault, status });
  });

  it.each([
    ['{"error": "Too small."}', 'Too small.'],
    ['{"detail": "Too small."}', 'Too small.'],
    ['{"error": {"code": "MIME_MISMATCH", "message": "Too small."}}', 'Too small.'],
    ['{"error": {"code": "MIME_MISMATCH"}}', ''],
    ['<h1>Bad gateway</h1>', ''],
    ['', ''],
    ['null', ''],
    ['[1]', ''],
    ['{"error": 7}', ''],
  ])('says why: %s', (body, reason) => {
    expect(errorOf(400, body, null).reason).toBe(reason);
  });

  it.each(['{"detail": "INFECTED"}', '{"error": {"code": "INFECTED", "message": "A virus."}}'])(
    'for a virus is known by its body, and has words of its own: %s',
    (body) => {
      expect(errorOf(500, body, null)).toMatchObject({ fault: 'infected', reason: '' });
    },
  );

  it('tells after how many seconds the server wants to be asked again', () => {
    expect(errorOf(429, '', '30').waitSeconds).toBe(30);
    for (const none of [null, '', '-5', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
      expect(errorOf(429, '', none).waitSeconds).toBe(0);
    }
  });
});
