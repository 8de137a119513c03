/** The zooms with a name of their own: how they fit into the window. */
export const FITS = ['auto', 'page-width', 'page-fit', 'page-actual'] as const;

/** The zooms to choose from, in percent. */
export const PERCENTS = [50, 75, 100, 125, 150, 200, 300, 400] as const;

const LEAST = 0.1;
const MOST = 10;

/** What pdf.js understands as a zoom: one with a name, or a factor of at least 0.1 and at most 10; empty for all else. */
export function scaleOf(wanted: unknown): string {
  if (FITS.some((fit) => fit === wanted)) {
    return String(wanted);
  }
  const factor = typeof wanted === 'number' || typeof wanted === 'string' ? Number(wanted) : Number.NaN;
  return factor > 0 ? String(Math.min(Math.max(factor, LEAST), MOST)) : '';
}
