import { expect, it } from 'vitest';
import { hexOf, viewerHighlights } from './colours';

it.each([
  ['#FFEE00', '#ffee00'],
  ['#fe0', '#ffee00'],
  ['rgb(255, 0, 16)', '#ff0010'],
])('%s is %s', (colour, hex) => expect(hexOf(colour, '#000000')).toBe(hex));

it.each(['no colour', true, {}])('what is no colour is the one before: %s', (colour) =>
  expect(hexOf(colour, '#123456')).toBe('#123456'),
);

it('tells the viewer the names of the colours that it has texts for', () => {
  expect(viewerHighlights).toBe('yellow=#FFFF98,green=#53FFBC,blue=#80EBFF,pink=#FFCBE6,red=#FF4F5F');
});
