let count = 0;

/** An id that nothing else on the page has; Vue's own are unique within one widget only. */
export function uniqueId(purpose: string): string {
  count += 1;
  return `osis-uploader-${purpose}-${count}`;
}
