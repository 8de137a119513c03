/** Marks that turn the direction of text: with them `invoice\u202Efdp.exe` reads as if it ended in .pdf (Unicode TR 36, 2.5). */
const TURNING_MARKS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** A file's name as it may be shown. */
export function shownName(name: string): string {
  return name.replace(TURNING_MARKS, '');
}
