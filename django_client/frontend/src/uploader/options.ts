import { Attributes } from '@/attributes';

/** What the attributes of an uploader say, and what the markup for pages without scripts adds to it. */
export interface UploaderOptions {
  name: string;
  /** Tokens, and references that are submitted as they are. */
  values: string[];
  /** The names of those whose names the page knows. */
  names: Record<string, string>;
  baseUrl: string;
  mimetypes: string[];
  automaticUpload: boolean;
  editableFilename: boolean;
  /** Bytes. */
  maxSize: number | undefined;
  minFiles: number | undefined;
  maxFiles: number | undefined;
  uploadText: string;
  uploadButtonText: string;
  withCropping: boolean;
  croppingOptions: Record<string, unknown>;
  disabled: boolean;
  /** The form is not to be sent without a file. */
  required: boolean;
  /** The id that the page's label points to; empty where there is none. */
  inputId: string;
  /** The ids of help and error texts. */
  describedBy: string;
  /** What the page's label says. */
  label: string;
}

/** Reads the attributes of an element. */
export function readUploaderOptions(element: HTMLElement): UploaderOptions {
  const attributes = new Attributes(element);
  const input = element.querySelector<HTMLInputElement>('input[type=file]');
  const limits = [attributes.number('limit'), attributes.number('max-files')].filter(
    (each) => each !== undefined && each > 0,
  );
  return {
    name: attributes.text('name'),
    values: [...new Set(attributes.list('values'))],
    names: namesIn(element),
    baseUrl: attributes.text('base-url'),
    mimetypes: attributes.list('mimetypes'),
    automaticUpload: attributes.flag('automatic-upload', true),
    editableFilename: attributes.flag('editable-filename', true),
    maxSize: attributes.number('max-size') || undefined,
    minFiles: attributes.number('min-files') || undefined,
    maxFiles: limits.length > 0 ? Math.min(...(limits as number[])) : undefined,
    uploadText: attributes.text('upload-text'),
    uploadButtonText: attributes.text('upload-button-text'),
    withCropping: attributes.flag('with-cropping', false),
    croppingOptions: attributes.json('cropping-options'),
    disabled: input?.matches(':disabled') ?? element.closest('fieldset:disabled') !== null,
    required: input?.required ?? false,
    inputId: input?.id ?? '',
    describedBy: input?.getAttribute('aria-describedby') ?? '',
    label: [...(input?.labels ?? [])].map((each) => (each.textContent ?? '').trim().replace(/\s*:$/, '')).join(' '),
  };
}

/** The names that the ticked boxes of the markup give; a box whose name the server did not know is no name. */
function namesIn(element: HTMLElement): Record<string, string> {
  const boxes = [...element.querySelectorAll<HTMLInputElement>('li input[type=checkbox]')];
  return Object.fromEntries(boxes.map((box) => [box.value, box.closest('label')?.textContent?.trim() ?? '']));
}
