// @vitest-environment node
import { expect, it } from 'vitest';
import { withTurnedPages } from './turnedPages';

const OBJECTS = '%PDF-1.7\nan older one\n3 0 obj\n<< /Type /Page /Rotate 90 /Parent 2 0 R>>\nendobj\n';
const TRAILER = '<< /Prev 7 /Size 9 /Root 1 0 R /ID [(\xe9>) (b)]>>';
const SAVED = `${OBJECTS}xref\n3 1\n0000000022 00000 n\r\ntrailer\n${TRAILER}\nstartxref\n${OBJECTS.length}\n%%EOF\n`;

async function turned(num: number, saved = SAVED): Promise<string> {
  const pdf = withTurnedPages(Buffer.from(saved, 'latin1'), [{ num, gen: 0, rotation: 180 }]);
  return Buffer.from(await pdf.arrayBuffer()).toString('latin1');
}

it('puts the page once more behind what was saved, and a table that leads to it', async () => {
  const written = await turned(3);
  expect(written.startsWith(SAVED)).toBe(true);
  const update = written.slice(SAVED.length);
  expect(update).toContain('3 0 obj\n<< /Rotate 180 /Type /Page  /Parent 2 0 R>>\nendobj\n');
  const [, offset = ''] = /xref\n3 1\n(\d{10}) 00000 n\r\n/.exec(update) ?? [];
  expect(written.startsWith('3 0 obj', Number(offset))).toBe(true);
  const [, trailer = ''] = /trailer\n(.*)\n/.exec(update) ?? [];
  expect(trailer).toBe(`<< /Size 9 /Prev ${OBJECTS.length}   /Root 1 0 R /ID [(\xe9>) (b)]>>`);
  const [, table = ''] = /startxref\n(\d+)\n%%EOF\n$/.exec(update) ?? [];
  expect(written.startsWith('xref', Number(table))).toBe(true);
});

it('writes a plain stream of references where the one before is deflated', async () => {
  const dict =
    '<< /Prev 7 /Size 9 /Root 1 0 R /Type /XRef /Index [3 1 8 1] /W [1 2 1] /Filter /FlateDecode /Length 3>>';
  const saved = `${OBJECTS}8 0 obj\n${dict}\nstream\nx\xe9\x00\nendstream\nendobj\nstartxref\n${OBJECTS.length}\n%%EOF\n`;
  const update = (await turned(3, saved)).slice(saved.length);
  const [, written = '', data = ''] = /9 0 obj\n(<<.*>>)\nstream\n([^]*)\nendstream/.exec(update) ?? [];
  expect(written).toBe(
    `<< /Type /XRef /W [1 5 2] /Index [3 1 9 1] /Length 16 /Size 10 /Prev ${OBJECTS.length}   /Root 1 0 R     >>`,
  );
  expect(data).toHaveLength(16);
});

it('takes a rotation away that stands in an object of its own', async () => {
  const saved = SAVED.replace('/Rotate 90', '/Rotate 12 0 R').replace(
    /startxref\n\d+/,
    `startxref\n${OBJECTS.length + 4}`,
  );
  const update = (await turned(3, saved)).slice(saved.length);
  expect(update).toContain('3 0 obj\n<< /Rotate 180 /Type /Page  /Parent 2 0 R>>');
});

it('does not guess where the page is not there', async () => {
  await expect(turned(4)).rejects.toThrow('Page object 4 is not in the update.');
});
