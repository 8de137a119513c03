import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as library from '@/pdf/library';
import { PdfView } from './pdfView';

vi.mock('@/pdf/library', () => ({ imagesUrl: '', loadPdfjs: vi.fn(), loadViewer: vi.fn(), openParts: vi.fn() }));

class EventBus {
  private readonly heard = new Map<string, ((event: unknown) => void)[]>();
  on(name: string, act: (event: unknown) => void): void {
    this.heard.set(name, [...(this.heard.get(name) ?? []), act]);
  }
  dispatch(name: string, event: unknown = {}): void {
    this.heard.get(name)?.forEach((act) => act(event));
  }
}

const moved = vi.fn();

/** As much of pdf.js as keeps a history of commands. */
class Manager {
  private readonly done: { cmd(): void; undo(): void }[] = [];
  readonly drawn = [{ pageRotation: 0 }];
  readonly layer = { div: document.createElement('div'), isEmpty: false, moveEditorInDOM: moved };
  getLayer(index: number): Manager['layer'] | undefined {
    return index === 0 ? this.layer : undefined;
  }
  redo(): void {}
  constructor(private readonly bus: EventBus) {}
  get isEditorHandlingKeyboard(): boolean {
    return false;
  }
  commitOrRemove(): void {}
  getEditors(): { pageRotation: number }[] {
    return this.drawn;
  }
  addCommands(command: { cmd(): void; undo(): void }): void {
    command.cmd();
    this.done.push(command);
    this.tell();
  }
  undo(): void {
    this.done.pop()?.undo();
    this.tell();
  }
  private tell(): void {
    this.bus.dispatch('editingstateschanged', { details: { hasSomethingToUndo: this.done.length > 0 } });
  }
}

const page = { update: vi.fn() };
const storage = { size: 0, serializable: { hash: '' } };
const opened = {
  numPages: 3,
  annotationStorage: storage,
  getData: vi.fn(async () => new Uint8Array(2)),
  saveDocument: vi.fn(async () => new Uint8Array(5)),
};
const scaled = vi.fn();
let bus: EventBus;
let manager: Manager;

class PDFViewer {
  currentPageNumber = 1;
  set currentScaleValue(scale: string) {
    scaled(scale);
  }
  annotationEditorMode: unknown;
  firstPagePromise = Promise.resolve();
  update = vi.fn();
  constructor({ eventBus }: { eventBus: EventBus }) {
    bus = eventBus;
  }
  getPageView(): typeof page {
    return page;
  }
  setDocument(document: unknown): void {
    if (document) {
      manager = new Manager(bus);
      bus.dispatch('annotationeditoruimanager', { uiManager: manager });
      bus.dispatch('pagesinit');
    }
  }
}

let transport: Transport;

class Transport {
  requestDataRange!: (begin: number, end: number) => void;
  onDataRange = vi.fn();
  constructor() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the view makes it
    transport = this;
  }
}

class PDFLinkService {
  setViewer(): void {}
  setDocument(): void {}
}

let resize: () => void;

class SizeObserver {
  constructor(act: () => void) {
    resize = act;
  }
  observe(): void {}
  disconnect(): void {}
}

let view: PdfView;

beforeEach(async () => {
  vi.stubGlobal('ResizeObserver', SizeObserver);
  vi.clearAllMocks();
  Object.assign(storage, { size: 0, serializable: { hash: '' } });
  vi.mocked(library.loadPdfjs).mockResolvedValue({
    PDFDataRangeTransport: Transport,
    AnnotationMode: { ENABLE: 1 },
    AnnotationEditorType: { NONE: 0, FREETEXT: 3, HIGHLIGHT: 9 },
    AnnotationEditorParamsType: { HIGHLIGHT_COLOR: 31, FREETEXT_COLOR: 12 },
  } as never);
  vi.mocked(library.loadViewer).mockResolvedValue({ EventBus, PDFViewer, PDFLinkService, LinkTarget: {} } as never);
  vi.mocked(library.openParts).mockResolvedValue({ promise: Promise.resolve(opened), destroy: vi.fn() } as never);
  const container = document.createElement('div');
  const pages = container.appendChild(document.createElement('div'));
  view = new PdfView({ container, pages, alerts: document.createElement('p') });
  await view.open('/file', 1_000_000_000);
});

afterEach(() => vi.unstubAllGlobals());

it('is clean, on the first page, when it is open', () => {
  expect(view.state).toMatchObject({ page: 1, pages: 3, unsaved: false, canUndo: false });
});

it('turns one page, as a command of the same history as what is drawn', () => {
  view.turn(90);
  expect(page.update).toHaveBeenLastCalledWith({ rotation: 90 });
  expect(manager.drawn[0]?.pageRotation).toBe(90);
  expect(view.turned).toEqual({ 0: 90 });
  expect(view.state).toMatchObject({ unsaved: true, canUndo: true });
  view.undo();
  expect(page.update).toHaveBeenLastCalledWith({ rotation: 0 });
  expect(view.turned).toEqual({});
  expect(view.state).toMatchObject({ unsaved: false, canUndo: false });
});

it('has pdf.js measure what comes back also where its page is not shown', () => {
  const { div } = manager.layer;
  div.hidden = true;
  const hidden: boolean[] = [];
  vi.spyOn(manager, 'redo').mockImplementation(() => void hidden.push(div.hidden === true));
  view.redo();
  expect(hidden).toEqual([false]);
  Object.assign(manager.layer, { isEmpty: true });
  div.hidden = true;
  view.redo();
  expect(div.hidden).toBe(true);
});

it('is unsaved while it differs from what was saved last', () => {
  storage.serializable.hash = 'a highlight';
  view.measure();
  expect(view.state.unsaved).toBe(true);
  view.markSaved(view.print());
  expect(view.state.unsaved).toBe(false);
  storage.serializable.hash = '';
  view.measure();
  expect(view.state.unsaved).toBe(true);
});

it('fetches all of a large PDF only when something is changed', () => {
  expect(opened.getData).not.toHaveBeenCalled();
  view.turn(90);
  view.turn(90);
  expect(opened.getData).toHaveBeenCalledOnce();
});

it('tells when a part cannot be fetched, which ends what waits for it', async () => {
  const failed = vi.fn();
  view.onFetchFailed = failed;
  const fetched = vi.fn(async () => new Response('{}', { status: 403 }));
  vi.stubGlobal('fetch', fetched);
  opened.getData.mockReturnValueOnce(new Promise(() => undefined));
  const bytes = view.bytes();
  transport.requestDataRange(0, 10);
  await expect(bytes).rejects.toMatchObject({ fault: 'expired' });
  expect(failed).toHaveBeenCalledOnce();

  fetched.mockResolvedValueOnce(new Response(new Uint8Array(10), { status: 206 }));
  view.retry();
  await vi.waitFor(() => expect(transport.onDataRange).toHaveBeenCalledWith(0, new Uint8Array(10)));
});

it('has pdf.js write what is drawn, and passes the bytes through where nothing is', async () => {
  expect((await view.bytes()).size).toBe(2);
  storage.size = 1;
  expect((await view.bytes()).size).toBe(5);
});

it('follows the viewer', () => {
  bus.dispatch('pagechanging', { pageNumber: 2 });
  bus.dispatch('scalechanging', { scale: 1.2, presetValue: 'page-width' });
  bus.dispatch('annotationeditormodechanged', { mode: 3 });
  expect(view.state).toMatchObject({ page: 2, zoom: 1.2, fit: 'page-width', tool: 'comment' });
  bus.dispatch('scalechanging', { scale: 1.5, presetValue: undefined });
  bus.dispatch('annotationeditormodechanged', { mode: 0 });
  expect(view.state).toMatchObject({ fit: '', tool: 'none' });
});

it('keeps a zoom that fits when the window changes, and no other', () => {
  bus.dispatch('scalechanging', { scale: 1.2, presetValue: 'page-width' });
  scaled.mockClear();
  resize();
  expect(scaled).toHaveBeenCalledExactlyOnceWith('page-width');
  bus.dispatch('scalechanging', { scale: 1.5 });
  resize();
  expect(scaled).toHaveBeenCalledOnce();
});

it('gives a tool its colour', () => {
  const coloured = vi.fn();
  bus.on('switchannotationeditorparams', coloured);
  view.use('highlight', '#53ffbc');
  expect(coloured).toHaveBeenLastCalledWith(expect.objectContaining({ type: 31, value: '#53FFBC' }));
  view.use('comment', '#000000');
  expect(coloured).toHaveBeenLastCalledWith(expect.objectContaining({ type: 12, value: '#000000' }));
});

it('leaves keys to the page that are pressed outside of it', () => {
  expect(manager.isEditorHandlingKeyboard).toBe(true);
});

it('has what is new moved to its place only when nobody writes in it any more', () => {
  vi.useFakeTimers();
  const text = { div: document.body.appendChild(document.createElement('div')) };
  text.div.innerHTML = '<div contenteditable="true" tabindex="0"></div>';
  bus.dispatch('annotationeditorlayerrendered', { pageNumber: 1 });
  bus.dispatch('annotationeditorlayerrendered', { pageNumber: 1 }); // once more, after a zoom
  const written = text.div.firstElementChild as HTMLElement;

  written.focus();
  manager.layer.moveEditorInDOM(text);
  expect(moved).not.toHaveBeenCalled();

  written.blur();
  vi.runAllTimers();
  expect(moved).toHaveBeenCalledExactlyOnceWith(text);
  vi.useRealTimers();
  text.div.remove();
});

it('tells of a page that could not be drawn', () => {
  const failed = vi.fn();
  view.onPageFailed = failed;
  bus.dispatch('pagerendered', { pageNumber: 1, error: null });
  bus.dispatch('pagerendered', { pageNumber: 2, error: 'why' });
  expect(failed).toHaveBeenCalledExactlyOnceWith(2);
});
