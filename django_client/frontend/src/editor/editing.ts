import { computed, ref, shallowRef } from 'vue';
import { GatewayError } from '@/gateway/errors';
import { Gateway } from '@/gateway/gateway';
import { t } from '@/i18n';
import { hexOf } from './colours';
import { copyName, download } from './copies';
import { notAPdf, openTrouble, saveTrouble, type Trouble } from './faults';
import { type Commands, tell } from './hostEvents';
import type { EditorOptions } from './options';
import type { PdfView } from './pdfView';

/** How far an editor is. */
export type Phase = 'loading' | 'open' | 'failed';

/** One PDF being edited: opened, changed, saved over and over, each time with the token that the last time answered. */
export class Editing implements Commands {
  readonly phase = ref<Phase>('loading');
  readonly saving = ref(false);
  readonly trouble = shallowRef<Trouble | null>(null);
  readonly name = ref('');
  /** What is read out: a step that was done. */
  readonly said = ref('');
  /** What stands beside the button to save. */
  readonly note = computed(() => {
    if (this.saving.value) {
      return t('editor.saving');
    }
    return this.state.unsaved ? t('editor.unsaved') : this.savedOnce.value ? t('editor.saved') : '';
  });
  readonly state: PdfView['state'];

  /** The copy that the person was given lacks the rotations. */
  readonly copyUnturned = ref(false);

  private readonly savedOnce = ref(false);
  /** Stands for the changes that the person has a copy of. */
  private keptPrint = '';
  /** Saving was asked for, and has not come about. */
  private wantsSaving = false;
  private readonly gateway: Gateway;
  private token: string;

  /**
   * @param host the element of the editor
   * @param view what shows the PDF
   */
  constructor(
    private readonly host: HTMLElement,
    readonly options: EditorOptions,
    private readonly view: PdfView,
  ) {
    this.gateway = new Gateway(options.baseUrl);
    this.token = options.token;
    this.state = view.state;
    view.onPageFailed = (page) => this.pageFailed(page);
    view.onFetchFailed = (error) => this.fetchFailed(error);
  }

  /** Opens the PDF; why it cannot be is in `trouble`. */
  async open(): Promise<void> {
    this.phase.value = 'loading';
    this.trouble.value = null;
    try {
      const { name, size, mimetype } = await this.gateway.metadata(this.token);
      this.name.value = name;
      if (mimetype !== 'application/pdf') {
        this.fail(notAPdf());
        return;
      }
      await this.view.open(this.gateway.fileUrl(this.token), size);
      this.phase.value = 'open';
      tell(this.host, 'numPages', { numPages: this.state.pages });
    } catch (error) {
      this.fail(openTrouble(error));
    }
  }

  /** Saves the PDF as it is now, over the document; the element then holds the next token. */
  async save(): Promise<void> {
    if (this.phase.value !== 'open' || this.saving.value) {
      return;
    }
    this.view.commit();
    if (!this.state.unsaved) {
      this.say(t('editor.nothingToSave'));
      return;
    }
    this.saving.value = true;
    this.wantsSaving = true;
    this.trouble.value = null;
    this.say(t('editor.saving'));
    try {
      const print = this.view.print();
      const turned = this.view.turned;
      const next = await this.gateway.saveEdit(this.token, await this.view.bytes(), this.name.value, turned);
      this.saved(next, print);
    } catch (error) {
      const trouble = saveTrouble(error);
      this.trouble.value = trouble;
      tell(this.host, 'saveFailed', { fault: trouble.fault, message: trouble.message });
    } finally {
      this.saving.value = false;
    }
  }

  /** Does once more what failed: fetches what is missing, and saves if that is what was wanted. */
  async retry(): Promise<void> {
    this.trouble.value = null;
    this.copyUnturned.value = false;
    this.view.retry();
    if (this.wantsSaving) {
      await this.save();
    }
  }

  /** Gives the person the PDF with the changes, as a file. */
  async keepCopy(): Promise<void> {
    const print = this.view.print();
    try {
      download(await this.copy(), copyName(this.name.value, t('editor.copyMark')));
      if (!this.copyUnturned.value) {
        this.keptPrint = print;
      }
    } catch (error) {
      this.fetchFailed(error);
    }
  }

  /** A PDF that pages cannot be turned in here is better than none. */
  private copy(): Promise<Blob> {
    this.copyUnturned.value = false;
    return this.view.turnedBytes().catch((error: unknown) => {
      if (error instanceof GatewayError) {
        throw error;
      }
      this.copyUnturned.value = true;
      return this.view.bytes();
    });
  }

  /** True while leaving the page would lose something: there are changes that are neither saved nor kept as a copy. */
  get wouldLose(): boolean {
    this.view.commit();
    return this.state.unsaved && this.keptPrint !== this.view.print();
  }

  goTo(page: number): void {
    this.view.goTo(page);
  }

  turn(degrees: number): void {
    if (this.state.page > 0) {
      this.view.turn(degrees);
      this.say(t('editor.rotated', { page: this.state.page }));
    }
  }

  zoomIn(): void {
    this.view.zoomIn();
  }

  zoomOut(): void {
    this.view.zoomOut();
  }

  setScale(scale: unknown): void {
    this.view.setScale(scale);
  }

  setHighlight(colour: unknown): void {
    this.use('highlight', colour);
  }

  setCommenting(colour: unknown, byKeyboard = false): void {
    this.use('comment', colour, byKeyboard);
  }

  undo(): void {
    this.view.undo();
  }

  redo(): void {
    this.view.redo();
  }

  /** Has something read out, also when it is the same as before. */
  say(text: string): void {
    this.said.value = this.said.value === text ? `${text}\u00a0` : text;
  }

  private use(tool: 'highlight' | 'comment', colour: unknown, byKeyboard = false): void {
    if (this.phase.value !== 'open') {
      return;
    }
    if (colour) {
      const present = tool === 'highlight' ? this.state.highlight : this.state.ink;
      this.view.use(tool, hexOf(colour, present), byKeyboard);
      this.say(t(tool === 'highlight' ? 'editor.highlightHint' : 'editor.commentHint'));
    } else if (this.state.tool === tool) {
      this.view.use('none');
    }
  }

  private saved(next: string, print: string): void {
    const spent = this.token;
    this.token = next;
    this.wantsSaving = false;
    this.host.setAttribute('data-value', next);
    this.view.markSaved(print);
    this.savedOnce.value = true;
    this.say(t('editor.saved'));
    tell(this.host, 'saved', { oldToken: spent, newToken: next });
  }

  private fail(trouble: Trouble): void {
    this.phase.value = 'failed';
    this.trouble.value = trouble;
  }

  /** Parts are fetched as they are shown, so that a token can expire, or a connection be lost, between two. */
  private fetchFailed(error: unknown): void {
    if (!this.saving.value) {
      this.trouble.value = openTrouble(error);
    }
  }

  private pageFailed(page: number): void {
    this.trouble.value = { fault: 'damaged', message: t('editor.pageFailed', { page }), retry: false, reload: false };
  }
}
