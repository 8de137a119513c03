import type { GatewayError } from '@/gateway/errors';
import type { RememberedUpload } from '@/uploading/memory';
import type { SendingPhase, UploadJob } from '@/uploading/queue';

/** `stored`: the server has it; `chosen`: waits for the upload button; `unfinished`: its file has to be chosen again. */
export type Phase = SendingPhase | 'stored' | 'chosen' | 'unfinished';

/** A file of the uploader. */
export interface UploaderItem extends UploadJob {
  readonly id: string;
  phase: Phase;
  token: string;
  lastModified: number;
  /** It can be found again after a reload: it was added on this page, and what is sent is the very file that was chosen. */
  remembered: boolean;
  /** The page came with it, or it was uploaded here before a reload. */
  origin: 'page' | 'memory' | 'here';
  /** What the server tells of it is known. */
  known: boolean;
  /** A reference that is submitted as it is; nothing can be asked of the server for it. */
  reference: boolean;
  /** Why it cannot be shown, or why the last change to it failed. */
  message: string;
  /** Something is being changed on the server. */
  busy: boolean;
  /** The document, as the server knows it. */
  documentId: string;
  /** What to show while the file itself is at hand; an object URL. */
  localUrl: string;
}

let count = 0;

/** A file with what is known of it; the rest is empty. */
export function newItem(known: Partial<UploaderItem>): UploaderItem {
  return {
    id: `${Date.now().toString(36)}-${++count}`,
    phase: 'stored',
    token: '',
    file: null,
    name: '',
    type: '',
    size: 0,
    lastModified: 0,
    url: '',
    sent: 0,
    rate: 0,
    remaining: 0,
    goesOnAt: 0,
    expires: 0,
    error: null as GatewayError | null,
    remembered: false,
    origin: 'here',
    known: false,
    reference: false,
    message: '',
    busy: false,
    documentId: '',
    localUrl: '',
    ...known,
  };
}

/** What is remembered of a file. */
export function memoryOf(item: UploaderItem, sent: number): RememberedUpload {
  const { id, size, type, lastModified, url, token, expires } = item;
  const name = token === '' ? (item.file?.name ?? item.name) : item.name; // unfinished: by which its file is recognised
  return { id, name, size, type, lastModified, url, token, expires, sent };
}

/** On its way, by itself. */
export function isMoving(item: UploaderItem): boolean {
  return ['queued', 'sending', 'waiting', 'limited'].includes(item.phase);
}

/** A form that is submitted now would lose it. */
export function isPending(item: UploaderItem): boolean {
  return isMoving(item) || item.busy || ['paused', 'chosen'].includes(item.phase);
}

/** Whether browsers can show it as an image. */
export function isImage(type: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/.test(type);
}

/** Whether it can be turned and cropped. */
export function isEditableImage(type: string): boolean {
  return /^image\/(png|jpeg)$/.test(type);
}

/** Whether this is the file that was being sent before. */
export function isSameFile(item: UploaderItem, file: File): boolean {
  return item.name === file.name && item.size === file.size && item.lastModified === file.lastModified;
}

/** Whole percents, not 100 before all is there. */
export function percentOf(item: Pick<UploaderItem, 'sent' | 'size'>): number {
  return item.size > 0 ? Math.min(Math.floor((item.sent / item.size) * 100), 100) : 0;
}
