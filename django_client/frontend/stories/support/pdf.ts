const PAGES = ['Application', 'Diploma', 'Transcript'];

/** A PDF of three pages, each with its title and its number. */
export function pdf(): Uint8Array {
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', pagesNode(), font(), ...PAGES.flatMap(page)];
  const header = '%PDF-1.4\n';
  let body = header;
  const starts = objects.map((object, index) => {
    const start = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return start;
  });
  const table = starts.map((start) => `${String(start).padStart(10, '0')} 00000 n \n`).join('');
  const count = objects.length + 1;
  const trailer = `trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return new TextEncoder().encode(`${body}xref\n0 ${count}\n0000000000 65535 f \n${table}${trailer}`);
}

function pagesNode(): string {
  const kids = PAGES.map((_, index) => `${4 + 2 * index} 0 R`).join(' ');
  return `<< /Type /Pages /Kids [${kids}] /Count ${PAGES.length} >>`;
}

function font(): string {
  return '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
}

function page(title: string, index: number): [string, string] {
  const contents = [
    `BT /F1 36 Tf 72 720 Td (${title}) Tj ET`,
    `BT /F1 18 Tf 72 680 Td (Page ${index + 1}) Tj ET`,
    ...Array.from({ length: 18 }, (_, line) => `0.8 g 72 ${640 - 28 * line} ${440 - (line % 3) * 60} 10 re f`),
  ].join('\n');
  return [
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * index} 0 R >>`,
    `<< /Length ${contents.length} >>\nstream\n${contents}\nendstream`,
  ];
}
