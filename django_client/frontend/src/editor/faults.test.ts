import { describe, expect, it } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import { notAPdf, openTrouble, saveTrouble } from './faults';

function thrown(name: string, more: object = {}): Error {
  return Object.assign(new Error('in the words of a library'), { name, ...more });
}

describe('a PDF that cannot be opened', () => {
  it.each([
    [thrown('PasswordException'), 'protected by a password'],
    [thrown('InvalidPDFException'), 'damaged'],
    [thrown('ResponseException', { status: 403 }), 'access to this file has expired'],
    [thrown('ResponseException', { status: 404 }), 'no longer exists'],
    [thrown('ResponseException', { status: 0 }), 'does not answer'],
    [thrown('TypeError'), 'does not answer'],
    [new GatewayError('infected'), 'virus'],
    [thrown('Error'), 'went wrong'],
  ])('says so: %s', (error, words) => expect(openTrouble(error).message).toContain(words));

  it('is tried again where that may help', () => {
    expect(openTrouble(thrown('TypeError')).retry).toBe(true);
    expect(openTrouble(thrown('PasswordException')).retry).toBe(false);
    expect(notAPdf().retry).toBe(false);
  });

  it('wants the page to be loaded anew where its token is of no use', () => {
    expect(openTrouble(new GatewayError('expired')).reload).toBe(true);
  });
});

describe('changes that could not be saved', () => {
  it.each([
    [new GatewayError('expired'), 'Download your copy'],
    [new GatewayError('changed', 'The token is spent.'), 'in another window'],
    [new GatewayError('missing'), 'Download your copy'],
    [new GatewayError('tooLarge', 'At most 50 MB.'), 'At most 50 MB.'],
    [new GatewayError('offline'), 'try again. Your changes are still here'],
    [new GatewayError('rateLimited'), 'Your changes are still here'],
  ])('are not lost: %s', (error, words) => expect(saveTrouble(error).message).toContain(words));

  it('can be sent again after what passes by itself', () => {
    const again = ['offline', 'server', 'rateLimited', 'expired', 'changed', 'tooLarge'] as const;
    expect(again.filter((fault) => saveTrouble(new GatewayError(fault)).retry)).toEqual([
      'offline',
      'server',
      'rateLimited',
    ]);
  });
});
