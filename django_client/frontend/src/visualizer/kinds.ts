import type { Key } from '@/i18n';
import type { IconName } from '@/shared/IconGlyph.vue';

/** How a document can be looked at without leaving the page. */
export type PreviewKind = 'image' | 'pdf' | 'none';

const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp'];
const OPENED = [...IMAGES, 'image/tiff', 'application/pdf'];

const OFFICE = 'application/vnd.openxmlformats-officedocument.';
const OPEN = 'application/vnd.oasis.opendocument.';

const NAMES: [start: string, key: Key][] = [
  ['application/pdf', 'visualizer.type.pdf'],
  ['image/', 'visualizer.type.image'],
  ['audio/', 'visualizer.type.audio'],
  ['video/', 'visualizer.type.video'],
  ['application/msword', 'visualizer.type.word'],
  [`${OFFICE}wordprocessingml`, 'visualizer.type.word'],
  ['application/vnd.ms-word', 'visualizer.type.word'],
  ['application/vnd.ms-excel', 'visualizer.type.spreadsheet'],
  [`${OFFICE}spreadsheetml`, 'visualizer.type.spreadsheet'],
  [`${OPEN}spreadsheet`, 'visualizer.type.spreadsheet'],
  ['text/csv', 'visualizer.type.table'],
  ['application/vnd.ms-powerpoint', 'visualizer.type.presentation'],
  [`${OFFICE}presentationml`, 'visualizer.type.presentation'],
  [`${OPEN}presentation`, 'visualizer.type.presentation'],
  [`${OPEN}text`, 'visualizer.type.openText'],
  ['application/rtf', 'visualizer.type.richText'],
  ['text/rtf', 'visualizer.type.richText'],
  ['text/html', 'visualizer.type.web'],
  ['text/', 'visualizer.type.text'],
  ['message/rfc822', 'visualizer.type.mail'],
  ['application/zip', 'visualizer.type.archive'],
  ['application/x-7z', 'visualizer.type.archive'],
  ['application/gzip', 'visualizer.type.archive'],
  ['application/x-tar', 'visualizer.type.archive'],
];

/** How a document of this type can be looked at. */
export function previewKind(mimetype: string): PreviewKind {
  return mimetype === 'application/pdf' ? 'pdf' : IMAGES.includes(mimetype) ? 'image' : 'none';
}

/** Whether browsers show this type by themselves; the gateway has them save all others. */
export function opensInBrowser(mimetype: string): boolean {
  return OPENED.includes(mimetype);
}

/** The key of the words for a type: "Word document". */
export function typeKey(mimetype: string): Key {
  return NAMES.find(([start]) => mimetype.startsWith(start))?.[1] ?? 'visualizer.type.other';
}

/** The picture that stands for a type that cannot be shown. */
export function typeIcon(mimetype: string): IconName {
  return mimetype.startsWith('image/') ? 'image' : 'file';
}
