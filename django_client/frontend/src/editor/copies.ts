/** What a copy is called that a person keeps: the document's own name, marked as edited. */
export function copyName(name: string, mark: string): string {
  const stem = name.replace(/\.pdf$/i, '') || 'document';
  return `${stem} (${mark}).pdf`;
}

/** Lets the browser save bytes as a file. */
export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // by then the browser has begun to read
}
