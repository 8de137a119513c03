/** A colour to choose, as `#rrggbb`, and the key of its name. */
export const HIGHLIGHTS = [
  { value: '#ffff98', name: 'editor.yellow' },
  { value: '#53ffbc', name: 'editor.green' },
  { value: '#80ebff', name: 'editor.blue' },
  { value: '#ffcbe6', name: 'editor.pink' },
  { value: '#ff4f5f', name: 'editor.red' },
] as const;

export const INKS = [
  { value: '#c01c28', name: 'editor.red' },
  { value: '#1a5fb4', name: 'editor.blue' },
  { value: '#1b6e3c', name: 'editor.green' },
  { value: '#000000', name: 'editor.black' },
] as const;

/** The colours of `HIGHLIGHTS` as the viewer of pdf.js wants them. */
export const viewerHighlights = HIGHLIGHTS.map(
  ({ value, name }) => `${name.replace('editor.', '')}=${value.toUpperCase()}`,
).join(',');

/**
 * A colour as `#rrggbb`, which is all that pdf.js knows.
 *
 * @param colour any colour that CSS knows: a name, `#rgb`, `rgb(…)`
 * @param fallback for what is no colour
 */
export function hexOf(colour: unknown, fallback: string): string {
  const text = String(colour).trim().toLowerCase();
  if (/^#[0-9a-f]{6}$/.test(text)) {
    return text;
  }
  if (/^#[0-9a-f]{3}$/.test(text)) {
    return `#${[...text.slice(1)].map((digit) => digit + digit).join('')}`;
  }
  return asComputed(text) ?? fallback;
}

/** What a browser makes of a colour; undefined where it knows none of that name. */
function asComputed(text: string): string | undefined {
  const probe = document.createElement('span');
  probe.style.color = text;
  if (probe.style.color === '') {
    return undefined;
  }
  document.body.append(probe);
  const parts = /^rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(getComputedStyle(probe).color);
  probe.remove();
  return parts
    ? `#${parts
        .slice(1)
        .map((part) => Number(part).toString(16).padStart(2, '0'))
        .join('')}`
    : undefined;
}
