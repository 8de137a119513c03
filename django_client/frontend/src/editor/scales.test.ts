// @vitest-environment node
import { expect, it } from 'vitest';
import { scaleOf } from './scales';

it.each([
  ['auto', 'auto'],
  ['page-width', 'page-width'],
  [1.5, '1.5'],
  ['2', '2'],
  [0.001, '0.1'],
  [99, '10'],
])('%s is the zoom %s', (wanted, scale) => expect(scaleOf(wanted)).toBe(scale));

it.each(['page-height', '', 0, -1, Number.NaN, null, undefined, {}])('%s is no zoom', (wanted) =>
  expect(scaleOf(wanted)).toBe(''),
);
