import type { PDFDocumentLoadingTask, PDFDocumentProxy, RenderTask } from 'pdfjs-dist';
import { openPdf } from './library';

/** No canvas gets more pixels than this along a side: phones give up above it. */
const MOST_PIXELS = 4_096;

/** A PDF whose pages are drawn one at a time. */
export class PdfPreview {
  private drawing: RenderTask | undefined;

  private constructor(
    private readonly task: PDFDocumentLoadingTask,
    private readonly pdf: PDFDocumentProxy,
  ) {}

  /** Opens a PDF. */
  static async open(url: string): Promise<PdfPreview> {
    const task = await openPdf(url);
    try {
      return new PdfPreview(task, await task.promise);
    } catch (error) {
      await task.destroy();
      throw error;
    }
  }

  get pageCount(): number {
    return this.pdf.numPages;
  }

  /**
   * Draws a page; one that is still being drawn is given up.
   *
   * @param canvas gets the size that it needs
   * @param number from 1
   * @param box the room there is, in CSS pixels
   * @returns the size in CSS pixels; undefined if this was given up
   */
  async draw(
    canvas: HTMLCanvasElement,
    number: number,
    box: { width: number; height: number },
  ): Promise<{ width: number; height: number } | undefined> {
    this.drawing?.cancel();
    const page = await this.pdf.getPage(number);
    const whole = page.getViewport({ scale: 1 });
    const fitting = Math.min(box.width / whole.width, box.height / whole.height);
    const sharp = Math.min(
      fitting * (window.devicePixelRatio || 1),
      MOST_PIXELS / whole.width,
      MOST_PIXELS / whole.height,
    );
    const viewport = page.getViewport({ scale: sharp });
    this.drawing?.cancel();
    canvas.width = Math.max(1, Math.floor(viewport.width));
    canvas.height = Math.max(1, Math.floor(viewport.height));
    this.drawing = page.render({ canvas, viewport });
    try {
      await this.drawing.promise;
    } catch (error) {
      if ((error as Error).name === 'RenderingCancelledException') {
        return undefined;
      }
      throw error;
    }
    return { width: Math.floor(whole.width * fitting), height: Math.floor(whole.height * fitting) };
  }

  /** Ends it, and what it still fetches. */
  async close(): Promise<void> {
    this.drawing?.cancel();
    await this.task.destroy();
  }
}

/** Whether opening failed for want of a password. */
export function needsPassword(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'PasswordException';
}
