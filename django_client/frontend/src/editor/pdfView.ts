import type { AnnotationEditorUIManager, PDFDocumentLoadingTask, PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist';
import type { EventBus, PDFPageView, PDFViewer } from 'pdfjs-dist/web/pdf_viewer.mjs';
import { reactive } from 'vue';
import { imagesUrl, loadPdfjs, loadViewer, openParts } from '@/pdf/library';
import { HIGHLIGHTS, INKS, viewerHighlights } from './colours';
import { RangeSource } from './rangeSource';
import { Rotations } from './rotations';
import { scaleOf } from './scales';
import { withTurnedPages } from './turnedPages';
import { ViewerTexts } from './viewerTexts';

/** A PDF of at most so many bytes is fetched whole while it is read, so that a token that expires takes nothing away. */
const FETCHED_WHOLE_BYTES = 25_000_000;

export type Tool = 'none' | 'highlight' | 'comment';

/** How the view is; what the toolbar shows. */
export interface ViewState {
  /** The current page, from 1; 0 as long as nothing is open. */
  page: number;
  pages: number;
  /** The zoom by its name, empty where it is none of those. */
  fit: string;
  /** The zoom as a factor. */
  zoom: number;
  tool: Tool;
  highlight: string;
  ink: string;
  canUndo: boolean;
  canRedo: boolean;
  /** There are changes that are not saved. */
  unsaved: boolean;
}

/** The elements that the viewer of pdf.js works with. */
export interface ViewParts {
  /** Scrolls; around `pages`, and positioned absolutely. */
  container: HTMLDivElement;
  pages: HTMLDivElement;
  /** A live region, where pdf.js tells what it added. */
  alerts: HTMLElement;
}

/** What pdf.js draws upon one page. */
interface Layer {
  div: HTMLElement;
  isEmpty: boolean;
  /** Puts what was drawn where it belongs among its neighbours. */
  moveEditorInDOM(drawn: { div: HTMLElement }): void;
}

/** A PDF in the viewer of pdf.js, with what is drawn upon it, and one history for all of its changes. */
export class PdfView {
  readonly state: ViewState = reactive({
    page: 0,
    pages: 0,
    fit: 'auto',
    zoom: 1,
    tool: 'none',
    highlight: HIGHLIGHTS[0].value,
    ink: INKS[0].value,
    canUndo: false,
    canRedo: false,
    unsaved: false,
  });
  /** Called when a page could not be drawn. */
  onPageFailed: (page: number) => void = () => {};
  /** Called when a part of the PDF could not be fetched; `retry` fetches it again. */
  onFetchFailed: (error: unknown) => void = () => {};

  private readonly texts = new ViewerTexts();
  private readonly closing = new AbortController();
  private readonly rotations = new Rotations();
  private library!: Awaited<ReturnType<typeof loadPdfjs>>;
  private viewer: PDFViewer | undefined;
  private bus!: EventBus;
  private manager: AnnotationEditorUIManager | undefined;
  private task: PDFDocumentLoadingTask | undefined;
  private document: PDFDocumentProxy | undefined;
  private savedPrint = '';
  private whole = false;
  private source: RangeSource | undefined;
  private giveUp: (error: unknown) => void = () => {};
  private colouredOnce = false;
  private readonly calmed = new WeakSet<Layer>();

  constructor(private readonly parts: ViewParts) {}

  /**
   * Opens a PDF and shows it.
   *
   * @param url where it is read
   * @param size its bytes
   * @throws what pdf.js throws: PasswordException, InvalidPDFException, ResponseException …
   */
  async open(url: string, size: number): Promise<void> {
    this.library = await loadPdfjs();
    const { EventBus, LinkTarget, PDFLinkService, PDFViewer } = await loadViewer();
    const opened = await this.orFailed(this.fetchFrom(url, size));
    if (this.closing.signal.aborted) {
      return;
    }
    this.bus = new EventBus();
    const links = new PDFLinkService({ eventBus: this.bus, externalLinkTarget: LinkTarget.BLANK });
    this.viewer = new PDFViewer({
      container: this.parts.container,
      viewer: this.parts.pages,
      viewerAlert: this.parts.alerts,
      eventBus: this.bus,
      linkService: links,
      l10n: this.texts as never,
      annotationMode: this.library.AnnotationMode.ENABLE,
      annotationEditorMode: this.library.AnnotationEditorType.NONE,
      annotationEditorHighlightColors: viewerHighlights,
      imageResourcesPath: imagesUrl,
      abortSignal: this.closing.signal,
    } as ConstructorParameters<typeof PDFViewer>[0]);
    links.setViewer(this.viewer);
    void this.texts.translate(this.parts.container);
    void this.texts.translate(this.parts.alerts);
    this.follow();
    this.followSize();
    this.document = opened;
    this.viewer.setDocument(opened);
    links.setDocument(opened);
    await this.viewer.firstPagePromise;
    this.savedPrint = this.print();
    this.state.pages = opened.numPages;
    this.state.page = this.viewer.currentPageNumber;
    if (size <= FETCHED_WHOLE_BYTES) {
      void this.fetchWhole();
    }
  }

  /** Ends all there is, for good. */
  close(): void {
    this.closing.abort();
    this.viewer?.setDocument(null as never);
    void this.texts.destroy();
    this.source?.close();
    void this.task?.destroy();
  }

  /** Fetches again what could not be fetched. */
  retry(): void {
    this.source?.retry();
  }

  /** Shows a page, from 1; what is no page is left alone. */
  goTo(page: number): void {
    if (this.viewer && Number.isInteger(page) && page >= 1 && page <= this.state.pages) {
      this.viewer.currentPageNumber = page;
    }
  }

  zoomIn(): void {
    this.viewer?.increaseScale();
  }

  zoomOut(): void {
    this.viewer?.decreaseScale();
  }

  /** Zooms to `auto`, `page-width`, `page-fit`, `page-actual`, or a factor; what is none of those is left alone. */
  setScale(wanted: unknown): void {
    const scale = scaleOf(wanted);
    if (this.viewer && scale) {
      this.viewer.currentScaleValue = scale;
    }
  }

  /** Turns the current page. It can be undone like all else. */
  turn(degrees: number): void {
    const index = this.state.page - 1;
    if (index < 0) {
      return;
    }
    this.manager?.commitOrRemove();
    const command = {
      cmd: () => this.showTurned(index, degrees),
      undo: () => this.showTurned(index, -degrees),
      mustExec: true,
    };
    if (this.manager) {
      this.manager.addCommands(command);
    } else {
      command.cmd();
      this.measure();
    }
  }

  /**
   * Takes up a tool in a colour (`#rrggbb`), or lays all of them aside.
   *
   * @param byKeyboard a text to write on is put into the middle of the page, since there is no click to say where
   */
  use(tool: Tool, colour?: string, byKeyboard = false): void {
    const { AnnotationEditorType } = this.library;
    if (colour && tool === 'highlight') {
      this.state.highlight = colour;
    } else if (colour && tool === 'comment') {
      this.state.ink = colour;
    }
    const mode = { none: 'NONE', highlight: 'HIGHLIGHT', comment: 'FREETEXT' } as const;
    if (this.manager && this.viewer) {
      const isFromKeyboard = byKeyboard && tool === 'comment';
      this.viewer.annotationEditorMode = { mode: AnnotationEditorType[mode[tool]], isFromKeyboard } as never;
      this.applyColours(colour ? tool : 'none');
    }
  }

  undo(): void {
    this.replay(() => this.manager?.undo());
  }

  redo(): void {
    this.replay(() => this.manager?.redo());
  }

  /** Ends what is being written, so that it counts. */
  commit(): void {
    this.manager?.commitOrRemove();
    this.measure();
  }

  /** By how much pages are turned: degrees by number from 0. */
  get turned(): Record<number, number> {
    return this.rotations.toSave();
  }

  /** What stands for the changes as they are now. */
  print(): string {
    const drawn = this.document?.annotationStorage.serializable.hash ?? '';
    return `${drawn} ${JSON.stringify(this.turned)}`;
  }

  /**
   * The PDF with all that is drawn upon it. Its pages are not turned: the server does that.
   *
   * @throws GatewayError a part of it cannot be fetched
   */
  async bytes(): Promise<Blob> {
    return new Blob([await this.written()], { type: 'application/pdf' });
  }

  /**
   * The same, with its pages turned.
   *
   * @throws GatewayError a part of it cannot be fetched
   * @throws Error its pages cannot be turned here
   */
  async turnedBytes(): Promise<Blob> {
    const turned = Object.entries(this.turned).map(([index, degrees]) => ({ index: Number(index), degrees }));
    if (turned.length === 0) {
      return await this.bytes();
    }
    const saved = await this.written(turned.map(({ index }) => index));
    const pages = turned.map(async ({ index, degrees }) => {
      const { ref, rotate } = (await this.document?.getPage(index + 1)) as PDFPageProxy;
      const { num, gen } = ref as { num: number; gen: number };
      return { num, gen, rotation: (rotate + degrees) % 360 };
    });
    return withTurnedPages(saved, await Promise.all(pages));
  }

  /** @param touched the indices of pages whose objects must be written anew */
  private async written(touched: number[] = []): Promise<Uint8Array<ArrayBuffer>> {
    this.commit();
    const { document } = this;
    if (!document) {
      throw new Error('Nothing is open.');
    }
    const storage = document.annotationStorage;
    // pdf.js writes the object of a page anew where something is taken off it; here, nothing is.
    const marks = touched.map((pageIndex) => ({ key: `pdfjs_internal_editor_turned${pageIndex}`, pageIndex }));
    marks.forEach(({ key, pageIndex }) => storage.setValue(key, { pageIndex, deleted: true }));
    const written = this.orFailed<Uint8Array>(storage.size > 0 ? document.saveDocument() : document.getData());
    marks.forEach(({ key }) => storage.remove(key));
    this.retry();
    return (await written) as Uint8Array<ArrayBuffer>;
  }

  /** Takes note that what a print stands for is saved. */
  markSaved(print: string): void {
    this.savedPrint = print;
    this.measure();
  }

  /** Sees whether there is something to save. */
  measure(): void {
    this.state.unsaved = this.document !== undefined && this.print() !== this.savedPrint;
    if (this.state.unsaved) {
      void this.fetchWhole();
    }
  }

  /** Someone is writing: unsaved until it is known better. */
  noteTyping(): void {
    this.state.unsaved = true;
  }

  private follow(): void {
    const { AnnotationEditorType } = this.library;
    const on = (name: string, act: (event: never) => void) => this.bus.on(name, act);
    on('pagechanging', ({ pageNumber }: { pageNumber: number }) => (this.state.page = pageNumber));
    on('pagesinit', () => this.setScale('page-width'));
    on('scalechanging', ({ scale, presetValue }: { scale: number; presetValue?: string }) => {
      this.state.zoom = scale;
      this.state.fit = presetValue && scaleOf(presetValue) === presetValue ? presetValue : '';
    });
    on('annotationeditoruimanager', ({ uiManager }: { uiManager: AnnotationEditorUIManager }) =>
      this.manage(uiManager),
    );
    on('annotationeditorlayerrendered', ({ pageNumber }: { pageNumber: number }) => {
      this.leaveWritersAlone(pageNumber - 1);
      this.applyColoursOnce();
    });
    on('annotationeditormodechanged', ({ mode }: { mode: number }) => {
      const tools = {
        [AnnotationEditorType.HIGHLIGHT]: 'highlight',
        [AnnotationEditorType.FREETEXT]: 'comment',
      } as const;
      this.state.tool = (tools as Record<number, Tool>)[mode] ?? 'none';
    });
    on('switchannotationeditormode', (wanted: unknown) => {
      if (this.viewer) {
        this.viewer.annotationEditorMode = wanted as never;
      }
    });
    on('editingstateschanged', ({ details }: { details: Record<string, boolean> }) => {
      this.state.canUndo = details.hasSomethingToUndo ?? false;
      this.state.canRedo = details.hasSomethingToRedo ?? false;
      this.measure();
    });
    on('pagerendered', ({ pageNumber, error }: { pageNumber: number; error: unknown }) => {
      if (error) {
        this.onPageFailed(pageNumber);
      }
    });
  }

  /** A zoom that fits the window goes with it. */
  private followSize(): void {
    const { container } = this.parts;
    const observer = new ResizeObserver(() => this.fit());
    observer.observe(container);
    this.closing.signal.addEventListener('abort', () => observer.disconnect());
  }

  private fit(): void {
    if (this.state.page > 0 && this.state.fit) {
      this.setScale(this.state.fit);
    }
  }

  /** Hears of every change, and leaves keys that are pressed elsewhere on the page to that page. */
  private manage(manager: AnnotationEditorUIManager): void {
    this.manager = manager;
    const add = manager.addCommands.bind(manager);
    manager.addCommands = (command: object) => {
      add(command);
      this.measure();
    };
    const prototype = Object.getPrototypeOf(manager) as object;
    const busy = Object.getOwnPropertyDescriptor(prototype, 'isEditorHandlingKeyboard')?.get;
    Object.defineProperty(manager, 'isEditorHandlingKeyboard', {
      get: () => !this.parts.container.contains(document.activeElement) || busy?.call(manager),
    });
  }

  /**
   * Lets nothing interrupt somebody who is writing.
   *
   * pdf.js moves what is new to its place among its neighbours, for screen readers; what is typed meanwhile would get lost, and
   * the caret jump to the beginning. So that waits until the writing ends.
   */
  private leaveWritersAlone(index: number): void {
    const layer = this.manager?.getLayer(index) as Layer | undefined;
    if (!layer || this.calmed.has(layer)) {
      return;
    }
    this.calmed.add(layer);
    const move = layer.moveEditorInDOM.bind(layer);
    layer.moveEditorInDOM = (drawn) => {
      const writing = drawn.div.querySelector('[contenteditable=true]:focus');
      if (writing) {
        writing.addEventListener('blur', () => setTimeout(() => move(drawn)), { once: true });
      } else {
        move(drawn);
      }
    };
  }

  private applyColoursOnce(): void {
    if (!this.colouredOnce) {
      this.colouredOnce = true;
      this.applyColours('all');
    }
  }

  /** pdf.js keeps colours for all editors of a page; what is selected takes a colour as well. */
  private applyColours(tool: Tool | 'all'): void {
    const { HIGHLIGHT_COLOR, FREETEXT_COLOR } = this.library.AnnotationEditorParamsType;
    const set = (type: number, value: string) =>
      this.bus.dispatch('switchannotationeditorparams', { source: this, type, value });
    if (tool === 'highlight' || tool === 'all') {
      set(HIGHLIGHT_COLOR, this.state.highlight.toUpperCase());
    }
    if (tool === 'comment' || tool === 'all') {
      set(FREETEXT_COLOR, this.state.ink);
    }
  }

  /** pdf.js measures a text that comes back, which has no size where the layer of its page is hidden. */
  private replay(act: () => void): void {
    const layers: Layer[] = Array.from({ length: this.state.pages }, (_, index) => this.manager?.getLayer(index));
    const hidden = layers.filter((layer) => layer?.div.hidden);
    for (const layer of hidden) {
      layer.div.hidden = false;
    }
    act();
    for (const layer of hidden) {
      layer.div.hidden = layer.isEmpty;
    }
    this.measure();
  }

  private showTurned(index: number, degrees: number): void {
    const rotation = this.rotations.turn(index, degrees);
    const page = this.viewer?.getPageView(index) as PDFPageView | undefined;
    if (!this.viewer || !page) {
      return;
    }
    for (const drawn of this.manager?.getEditors(index) ?? []) {
      drawn.pageRotation = (drawn.pageRotation + degrees + 360) % 360; // pdf.js knows only turns of all pages
    }
    page.update({ rotation } as never);
    this.fit();
    this.viewer.update();
    this.viewer.currentPageNumber = index + 1;
  }

  /** Fetches what was not fetched yet, so that all can be saved or kept whatever becomes of the token. */
  private async fetchWhole(): Promise<void> {
    if (!this.whole && this.document) {
      this.whole = true;
      await this.document.getData().catch(() => (this.whole = false));
    }
  }

  /** pdf.js asks for the parts that it needs, and waits for them for as long as it takes. */
  private async fetchFrom(url: string, size: number): Promise<PDFDocumentProxy> {
    const transport = new this.library.PDFDataRangeTransport(size, null);
    const source = new RangeSource(
      url,
      (begin, bytes) => transport.onDataRange(begin, bytes),
      (error) => this.fetchFailed(error),
    );
    transport.requestDataRange = (begin: number, end: number) => source.request(begin, end);
    this.source = source;
    this.task = await openParts(transport);
    return this.task.promise;
  }

  private fetchFailed(error: unknown): void {
    this.giveUp(error);
    if (this.document) {
      this.onFetchFailed(error);
    }
  }

  /** What comes, or the first failure to fetch a part for it. */
  private orFailed<Result>(coming: Promise<Result>): Promise<Result> {
    return Promise.race([coming, new Promise<never>((_resolve, reject) => (this.giveUp = reject))]);
  }
}
