import { expect, it } from 'vitest';
import { opensInBrowser, previewKind, typeKey } from './kinds';

it.each([
  ['application/pdf', 'visualizer.type.pdf'],
  ['image/tiff', 'visualizer.type.image'],
  ['application/msword', 'visualizer.type.word'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'visualizer.type.word'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'visualizer.type.spreadsheet'],
  ['application/vnd.oasis.opendocument.text', 'visualizer.type.openText'],
  ['text/csv', 'visualizer.type.table'],
  ['text/plain', 'visualizer.type.text'],
  ['application/x-something', 'visualizer.type.other'],
  ['', 'visualizer.type.other'],
])('%s has words', (mimetype, key) => {
  expect(typeKey(mimetype)).toBe(key);
});

it('only what browsers show themselves is opened; the gateway has them save the rest', () => {
  expect(['application/pdf', 'image/png', 'image/tiff'].every(opensInBrowser)).toBe(true);
  expect(['text/html', 'image/svg+xml', 'application/msword'].some(opensInBrowser)).toBe(false);
});

it('pictures that not every browser knows, and those that can run scripts, have no preview', () => {
  expect(['image/tiff', 'image/svg+xml', 'image/heic', 'text/html'].map(previewKind)).toEqual(Array(4).fill('none'));
  expect(previewKind('image/webp')).toBe('image');
});
