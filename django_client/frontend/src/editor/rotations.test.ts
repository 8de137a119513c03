// @vitest-environment node
import { expect, it } from 'vitest';
import { isQuarterTurn, Rotations } from './rotations';

it('adds up the turns of each page on its own', () => {
  const rotations = new Rotations();
  rotations.turn(4, 90);
  rotations.turn(1, -90);
  expect(rotations.turn(4, 90)).toBe(180);
  expect(rotations.of(1)).toBe(270);
  expect(rotations.of(0)).toBe(0);
  expect(JSON.stringify(rotations.toSave())).toBe('{"1":270,"4":180}');
});

it('forgets a page that is as it was', () => {
  const rotations = new Rotations();
  rotations.turn(0, 270);
  rotations.turn(0, 90);
  expect(rotations.toSave()).toEqual({});
});

it.each([90, -90, 0, 720])('a page can be turned by %d degrees', (degrees) =>
  expect(isQuarterTurn(degrees)).toBe(true),
);

it.each([45, Number.NaN, '90', null, 90.5])('a page cannot be turned by %s', (degrees) =>
  expect(isQuarterTurn(degrees)).toBe(false),
);
