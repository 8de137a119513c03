/** A page object of a PDF, and how it shall be turned: 0, 90, 180 or 270 degrees clockwise. */
export interface TurnedPage {
  num: number;
  gen: number;
  rotation: number;
}

/**
 * A PDF with pages turned: an incremental update (ISO 32000-2, 7.5.6) is put behind it, which has those pages once more.
 *
 * @param saved by pdf.js just now, with an update that has all of the pages
 * @throws Error the file is not as pdf.js writes it
 */
export function withTurnedPages(saved: Uint8Array<ArrayBuffer>, pages: TurnedPage[]): Blob {
  const text = new TextDecoder('latin1').decode(saved); // a character for each byte
  const before = Number(found(/startxref\s+(\d+)\s+%%EOF\s*$/, text.slice(-64))[1]);
  const isTable = text.startsWith('xref', before);
  const dictEnd = isTable ? text.lastIndexOf('>>') : before + text.slice(before).search(/>>\s*stream/);
  const trailer = latin1(saved.subarray(text.indexOf('<<', before) + 2, dictEnd));
  const size = Number(found(/\/Size (\d+)/, trailer)[1]);
  const kept = trailer.replace(/\/(Prev|Size|Length) \d+|\/Type \/XRef|\/Filter \/\w+|\/(W|Index) \[[^\]]*\]/g, '');

  let end = saved.length;
  const parts = ['\n'];
  const entries = [...pages]
    .sort((one, other) => one.num - other.num)
    .map(({ num, gen, rotation }) => {
      const head = `${num} ${gen} obj\n<<`;
      const from = text.lastIndexOf(`\n${head}`, before) + 1 + head.length;
      const to = text.indexOf('\nendobj', from);
      if (from <= head.length || to < 0) {
        throw new Error(`Page object ${num} is not in the update.`);
      }
      const rest = latin1(saved.subarray(from, to)).replace(/\/Rotate (\d+ \d+ R|-?\d+)/g, '');
      const offset = end + parts.join('').length;
      parts.push(`${head} /Rotate ${rotation}${rest}\nendobj\n`);
      return { num, gen, offset };
    });
  end += parts.join('').length;
  parts.push(
    isTable
      ? `xref\n${entries.map(tableEntry).join('')}trailer\n<< /Size ${size} /Prev ${before}${kept}>>\n`
      : streamOf([...entries, { num: size, gen: 0, offset: end }], `/Size ${size + 1} /Prev ${before}${kept}`),
    `startxref\n${end}\n%%EOF\n`,
  );
  return new Blob([saved, bytesOf(parts.join(''))], { type: 'application/pdf' });
}

interface Entry {
  num: number;
  gen: number;
  offset: number;
}

function tableEntry({ num, gen, offset }: Entry): string {
  return `${num} 1\n${String(offset).padStart(10, '0')} ${String(gen).padStart(5, '0')} n\r\n`;
}

/** A cross-reference stream, whose own entry is the last. */
function streamOf(entries: Entry[], dict: string): string {
  const index = entries.map(({ num }) => `${num} 1`).join(' ');
  const data = entries.map(({ gen, offset }) => `\x01${bigEndian(offset, 5)}${bigEndian(gen, 2)}`).join('');
  const head = `/Type /XRef /W [1 5 2] /Index [${index}] /Length ${data.length}`;
  return `${entries.at(-1)?.num} 0 obj\n<< ${head} ${dict}>>\nstream\n${data}\nendstream\nendobj\n`;
}

function bigEndian(value: number, length: number): string {
  return Array.from({ length }, (_, place) =>
    String.fromCharCode(Math.floor(value / 256 ** (length - 1 - place)) % 256),
  ).join('');
}

function found(pattern: RegExp, text: string): RegExpExecArray {
  const match = pattern.exec(text);
  if (!match) {
    throw new Error(`${pattern} is not in the update.`);
  }
  return match;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (each) => each.charCodeAt(0));
}
