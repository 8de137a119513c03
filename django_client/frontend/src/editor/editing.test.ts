import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reactive } from 'vue';
import { GatewayError } from '@/gateway/errors';
import { Gateway, type Metadata } from '@/gateway/gateway';
import * as copies from './copies';
import { Editing } from './editing';
import type { PdfView } from './pdfView';

/** A view of a PDF of three pages, which counts its changes. */
class FakeView {
  state = reactive({
    page: 0,
    pages: 0,
    fit: 'auto',
    zoom: 1,
    tool: 'none',
    highlight: '#ffff98',
    ink: '#c01c28',
    canUndo: false,
    canRedo: false,
    unsaved: false,
  });
  onPageFailed: (page: number) => void = () => {};
  onFetchFailed: (error: unknown) => void = () => {};
  turned: Record<number, number> = {};
  changes = 0;
  goTo = vi.fn();
  setScale = vi.fn();
  use = vi.fn();
  open = vi.fn(async () => {
    Object.assign(this.state, { page: 1, pages: 3 });
  });
  bytes = vi.fn(async () => new Blob([`changed ${this.changes} times`]));
  turnedBytes = vi.fn(() => this.bytes());
  commit = vi.fn();
  retry = vi.fn();

  turn(degrees: number): void {
    this.turned = { 0: degrees };
    this.change();
  }

  change(): void {
    this.changes += 1;
    this.state.unsaved = true;
  }

  print(): string {
    return String(this.changes);
  }

  markSaved(print: string): void {
    this.state.unsaved = print !== this.print();
  }
}

const metadata = { name: 'letter.pdf', size: 1000, mimetype: 'application/pdf' } as Metadata;
const tools = { pagination: true, zoom: true, comment: true, highlight: true, rotation: true };
let host: HTMLElement;
let view: FakeView;
let editing: Editing;
let heard: [string, unknown][];

beforeEach(() => {
  host = document.createElement('div');
  heard = [];
  for (const name of ['numPages', 'saved', 'saveFailed']) {
    host.addEventListener(name, (event) => heard.push([name, (event as CustomEvent).detail]));
  }
  view = new FakeView();
  editing = new Editing(host, { baseUrl: '/documents', token: 'first', tools }, view as unknown as PdfView);
  vi.spyOn(Gateway.prototype, 'metadata').mockResolvedValue(metadata);
});

afterEach(() => vi.restoreAllMocks());

function saving() {
  return vi.spyOn(Gateway.prototype, 'saveEdit');
}

it('opens the PDF, and tells how many pages it has', async () => {
  await editing.open();
  expect(view.open).toHaveBeenCalledWith('/documents/file/first', 1000);
  expect(editing.phase.value).toBe('open');
  expect(editing.name.value).toBe('letter.pdf');
  expect(heard).toEqual([['numPages', { numPages: 3 }]]);
});

it('does not open what is no PDF', async () => {
  vi.spyOn(Gateway.prototype, 'metadata').mockResolvedValue({ ...metadata, mimetype: 'image/png' });
  await editing.open();
  expect(view.open).not.toHaveBeenCalled();
  expect(editing.trouble.value?.message).toContain('not a PDF');
});

it('says why a PDF cannot be opened', async () => {
  vi.spyOn(Gateway.prototype, 'metadata').mockRejectedValue(new GatewayError('infected'));
  await editing.open();
  expect(editing.phase.value).toBe('failed');
  expect(editing.trouble.value?.fault).toBe('infected');
});

it('saves under the token that the last time answered', async () => {
  const saveEdit = saving().mockResolvedValueOnce('second').mockResolvedValueOnce('third');
  await editing.open();
  editing.turn(90);
  await editing.save();
  expect(saveEdit).toHaveBeenLastCalledWith('first', expect.any(Blob), 'letter.pdf', { 0: 90 });
  expect(host.getAttribute('data-value')).toBe('second');
  expect(heard.at(-1)).toEqual(['saved', { oldToken: 'first', newToken: 'second' }]);
  expect(editing.note.value).toBe('Saved');

  view.change();
  expect(editing.note.value).toBe('Unsaved changes');
  await editing.save();
  expect(saveEdit.mock.lastCall?.[0]).toBe('second');
  expect(host.getAttribute('data-value')).toBe('third');
});

it('sends nothing where nothing was changed', async () => {
  const saveEdit = saving();
  await editing.open();
  await editing.save();
  expect(saveEdit).not.toHaveBeenCalled();
  expect(editing.said.value).toBe('There is nothing to save.');
});

it('is asked once while it saves, and notes what is changed meanwhile', async () => {
  let answer: (token: string) => void = () => undefined;
  const saveEdit = saving().mockReturnValue(new Promise((resolve) => (answer = resolve)));
  await editing.open();
  view.change();
  const first = editing.save();
  await vi.waitFor(() => expect(saveEdit).toHaveBeenCalled());
  view.change();
  await editing.save();
  answer('second');
  await first;
  expect(saveEdit).toHaveBeenCalledOnce();
  expect(view.state.unsaved).toBe(true);
});

it('keeps the changes where they cannot be saved', async () => {
  saving().mockRejectedValueOnce(new GatewayError('offline')).mockResolvedValueOnce('second');
  await editing.open();
  view.change();
  await editing.save();
  expect(editing.trouble.value?.retry).toBe(true);
  expect(heard.at(-1)).toEqual(['saveFailed', { fault: 'offline', message: editing.trouble.value?.message }]);
  expect(host.hasAttribute('data-value')).toBe(false);
  await editing.retry();
  expect(editing.trouble.value).toBeNull();
  expect(view.state.unsaved).toBe(false);
});

it('loses nothing once a copy is kept, until there is another change', async () => {
  const download = vi.spyOn(copies, 'download').mockImplementation(() => {});
  await editing.open();
  expect(editing.wouldLose).toBe(false);
  view.change();
  expect(editing.wouldLose).toBe(true);
  await editing.keepCopy();
  expect(download).toHaveBeenCalledWith(expect.any(Blob), 'letter (edited).pdf');
  expect(editing.wouldLose).toBe(false);
  view.change();
  expect(editing.wouldLose).toBe(true);
});

it('takes up a tool with a colour, and lays it aside without', async () => {
  editing.setHighlight('#ff0');
  expect(view.use).not.toHaveBeenCalled();
  await editing.open();
  editing.setHighlight('#ff0');
  expect(view.use).toHaveBeenLastCalledWith('highlight', '#ffff00', false);
  editing.setCommenting(true);
  expect(view.use).toHaveBeenLastCalledWith('comment', '#c01c28', false);
  view.state.tool = 'comment';
  editing.setHighlight('');
  expect(view.use).toHaveBeenCalledTimes(2);
  editing.setCommenting(null);
  expect(view.use).toHaveBeenLastCalledWith('none');
});

it('says so where a part of the PDF cannot be fetched any more, and fetches it when it is tried again', async () => {
  const saveEdit = saving();
  await editing.open();
  view.onFetchFailed(new GatewayError('expired'));
  expect(editing.trouble.value).toMatchObject({ fault: 'expired', reload: true });
  view.onFetchFailed(new GatewayError('offline'));
  expect(editing.trouble.value?.retry).toBe(true);
  view.change();
  await editing.retry();
  expect(view.retry).toHaveBeenCalledOnce();
  expect(editing.trouble.value).toBeNull();
  expect(saveEdit).not.toHaveBeenCalled();
});

it('says so where a page cannot be drawn', async () => {
  await editing.open();
  view.onPageFailed(2);
  expect(editing.trouble.value).toMatchObject({ message: 'Page 2 cannot be shown.', retry: false, reload: false });
});

it('says so where there can be no copy', async () => {
  await editing.open();
  view.bytes.mockRejectedValueOnce(new GatewayError('offline'));
  view.change();
  await editing.keepCopy();
  expect(editing.trouble.value?.fault).toBe('offline');
  expect(editing.wouldLose).toBe(true);
});

it('gives a copy without the rotations where the pages cannot be turned here, and says so', async () => {
  const download = vi.spyOn(copies, 'download').mockImplementation(() => {});
  await editing.open();
  view.turnedBytes.mockRejectedValueOnce(new Error('Page object 3 is not in the update.'));
  view.turn(90);
  await editing.keepCopy();
  expect(download).toHaveBeenCalledOnce();
  expect(editing.copyUnturned.value).toBe(true);
  expect(editing.wouldLose).toBe(true);
  await editing.keepCopy();
  expect(editing.copyUnturned.value).toBe(false);
  expect(editing.wouldLose).toBe(false);
});

it('says nothing any more of a copy once what failed is tried again', async () => {
  vi.spyOn(copies, 'download').mockImplementation(() => {});
  await editing.open();
  view.turnedBytes.mockRejectedValueOnce(new Error('Page object 3 is not in the update.'));
  view.turn(90);
  await editing.keepCopy();
  await editing.retry();
  expect(editing.copyUnturned.value).toBe(false);
});
