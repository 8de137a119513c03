import { expect, it } from 'vitest';
import { shownName } from './names';

it('marks that turn the direction of text are taken out of a name, and nothing else', () => {
  expect(shownName('invoice\u202Efdp.exe')).toBe('invoicefdp.exe');
  expect(shownName('\u2067شهادة\u2069.pdf')).toBe('شهادة.pdf');
  expect(shownName('Übersicht – 1.pdf')).toBe('Übersicht – 1.pdf');
});
