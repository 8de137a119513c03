import { afterEach, expect, it } from 'vitest';
import { formatDuration, formatPercent, formatRate, formatSize } from './formatting';

afterEach(() => {
  document.documentElement.lang = '';
});

/** Blanks of all kinds are told apart by nobody who reads. */
function plain(text: string): string {
  return text.replace(/\s/gu, ' ');
}

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1 kB'],
  [1_234_567, '1.2 MB'],
  [52_428_800, '52 MB'],
  [2_000_000_000, '2 GB'],
  [5e12, '5,000 GB'],
])('%i bytes are "%s"', (bytes, text) => {
  document.documentElement.lang = 'en';
  expect(plain(formatSize(bytes))).toBe(text);
});

it('a rate is never below nothing', () => {
  document.documentElement.lang = 'en';
  expect(plain(formatRate(350_000))).toBe('350 kB/s');
  expect(plain(formatRate(-5))).toBe('0 bytes/s');
});

it.each([
  [0.2, '1 sec'],
  [89, '89 sec'],
  [90, '2 min'],
  [5_400, '2 hr'],
])('%d seconds are "%s"', (seconds, text) => {
  document.documentElement.lang = 'en';
  expect(plain(formatDuration(seconds))).toBe(text);
});

it('French has its own units and signs', () => {
  document.documentElement.lang = 'fr-BE';
  expect(plain(formatSize(1_234_567))).toBe('1,2 Mo');
  expect(plain(formatPercent(40))).toBe('40 %');
});

it('a share is written as the language does', () => {
  document.documentElement.lang = 'en';
  expect(formatPercent(40)).toBe('40%');
});
