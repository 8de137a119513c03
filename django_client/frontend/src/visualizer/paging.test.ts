import { expect, it } from 'vitest';
import { pageForKey } from './paging';

const at = { page: 2, count: 5, isMirrored: false };

it.each([
  ['ArrowRight', 3],
  ['ArrowLeft', 1],
  ['PageDown', 3],
  ['PageUp', 1],
  ['Home', 1],
  ['End', 5],
  ['Tab', undefined],
  ['Escape', undefined],
])('%s leads to page %s', (key, page) => {
  expect(pageForKey(key, at)).toBe(page);
});

it('where text runs from right to left, the next page is to the left', () => {
  expect(pageForKey('ArrowLeft', { ...at, isMirrored: true })).toBe(3);
  expect(pageForKey('ArrowRight', { ...at, isMirrored: true })).toBe(1);
});
