const FRIENDLY: Record<string, string> = {
  'application/msword': 'Word',
  'application/pdf': 'PDF',
  'application/rtf': 'RTF',
  'application/vnd.ms-excel': 'Excel',
  'application/vnd.ms-powerpoint': 'PowerPoint',
  'application/vnd.oasis.opendocument.spreadsheet': 'ODS',
  'application/vnd.oasis.opendocument.text': 'ODT',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'PowerPoint',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'Excel',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word',
  'application/x-zip-compressed': 'ZIP',
  'application/zip': 'ZIP',
  'image/svg+xml': 'SVG',
  'text/csv': 'CSV',
  'text/plain': 'TXT',
};

/** What people call a media type: "PDF", "Word", "JPEG". */
export function typeName(mimetype: string): string {
  const subtype = mimetype.split('/')[1] ?? '';
  return (
    FRIENDLY[mimetype] ?? (subtype === '*' || subtype === '' ? mimetype : subtype.replace(/^x-/, '').toUpperCase())
  );
}

/** A name in two parts; the extension has its dot, and is empty where there is none. */
export function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.');
  return dot > 0 && dot < name.length - 1 && name.length - dot <= 11
    ? { stem: name.slice(0, dot), extension: name.slice(dot) }
    : { stem: name, extension: '' };
}
