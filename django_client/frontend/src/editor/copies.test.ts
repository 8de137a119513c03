// @vitest-environment node
import { expect, it } from 'vitest';
import { copyName } from './copies';

it.each([
  ['letter.pdf', 'letter (edited).pdf'],
  ['Reçu.PDF', 'Reçu (edited).pdf'],
  ['scan', 'scan (edited).pdf'],
  ['', 'document (edited).pdf'],
])('a copy of "%s" is called "%s"', (name, copy) => expect(copyName(name, 'edited')).toBe(copy));
