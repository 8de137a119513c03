/**
 * The page that a key leads to; undefined for keys that lead nowhere.
 *
 * @param isMirrored whether the text runs from right to left, so that the next page is to the left
 */
export function pageForKey(
  key: string,
  { page, count, isMirrored }: { page: number; count: number; isMirrored: boolean },
): number | undefined {
  const forwards = isMirrored ? 'ArrowLeft' : 'ArrowRight';
  const backwards = isMirrored ? 'ArrowRight' : 'ArrowLeft';
  const pages: Record<string, number> = {
    [forwards]: page + 1,
    [backwards]: page - 1,
    PageDown: page + 1,
    PageUp: page - 1,
    Home: 1,
    End: count,
  };
  return pages[key];
}
