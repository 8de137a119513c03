import { describe, expect, it } from 'vitest';
import { Attributes } from './attributes';

function attributes(html: string): Attributes {
  document.body.innerHTML = `<div ${html}></div>`;
  return new Attributes(document.body.firstElementChild as HTMLElement);
}

describe('a flag', () => {
  it.each(['', 'False', 'false', '0', 'None'])('is off where the attribute says "%s"', (value) => {
    expect(attributes(`data-zoom="${value}"`).flag('zoom', true)).toBe(false);
  });

  it.each(['true', 'True', '1', 'zoom'])('is on where the attribute says "%s"', (value) => {
    expect(attributes(`data-zoom="${value}"`).flag('zoom', false)).toBe(true);
  });

  it('is what the fallback says where the attribute is absent', () => {
    expect(attributes('').flag('zoom', true)).toBe(true);
    expect(attributes('').flag('zoom', false)).toBe(false);
  });
});

it('a list has no empty parts', () => {
  expect(attributes('data-values="a, b,,c"').list('values')).toEqual(['a', 'b', 'c']);
  expect(attributes('data-values=""').list('values')).toEqual([]);
});

it('a number that is none is undefined', () => {
  expect(attributes('data-limit="12"').number('limit')).toBe(12);
  expect(attributes('data-limit="twelve"').number('limit')).toBeUndefined();
  expect(attributes('data-limit="-1"').number('limit')).toBeUndefined();
  expect(attributes('').number('limit')).toBeUndefined();
});

it('JSON that is no object is empty', () => {
  expect(attributes(`data-cropping='{"aspectRatio": 1.5}'`).json('cropping')).toEqual({ aspectRatio: 1.5 });
  expect(attributes(`data-cropping='[1]'`).json('cropping')).toEqual({});
  expect(attributes(`data-cropping='{'`).json('cropping')).toEqual({});
});
