import { expect, it } from 'vitest';
import { shortcut } from './shortcuts';

function pressed(key: string, on: Element, more: KeyboardEventInit = {}): ReturnType<typeof shortcut> {
  let found: ReturnType<typeof shortcut>;
  on.addEventListener('keydown', (event) => (found = shortcut(event as KeyboardEvent)), { once: true });
  on.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey: true, ...more }));
  return found;
}

it.each([
  ['s', {}, 'save'],
  ['z', {}, 'undo'],
  ['y', {}, 'redo'],
  ['Z', { shiftKey: true }, 'redo'],
  ['s', { ctrlKey: false, metaKey: true }, 'save'],
  ['s', { ctrlKey: false }, undefined],
  ['z', { altKey: true }, undefined],
  ['x', {}, undefined],
])('%s with %o asks for %s', (key, more, wanted) => {
  expect(pressed(key, document.createElement('button'), more)).toBe(wanted);
});

it('leaves a text the history of its own, but saves from there', () => {
  const field = document.createElement('input');
  expect(pressed('z', field)).toBeUndefined();
  expect(pressed('s', field)).toBe('save');
});
