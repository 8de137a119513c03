import { isQuarterTurn } from './rotations';

/** What a page can ask of an editor through its element. */
export interface Commands {
  goTo(page: number): void;
  turn(degrees: number): void;
  zoomIn(): void;
  zoomOut(): void;
  setScale(scale: unknown): void;
  /** Switches on with a colour, or off without one. */
  setHighlight(colour: unknown): void;
  setCommenting(colour: unknown): void;
  save(): void;
}

/**
 * Listens to what the page asks for by events on the element.
 *
 * - `changeCurrentPage`: the page, from 1
 * - `rotate`: degrees clockwise, for the current page
 * - `zoomIn`, `zoomOut`
 * - `setScale`: `auto`, `page-width`, `page-fit`, `page-actual`, or a factor
 * - `setHighlight`, `setCommenting`: a colour; nothing switches off
 * - `save`
 *
 * They work whether or not the toolbar has the part for it. What makes no sense is left alone.
 *
 * @returns ends it
 */
export function listenTo(host: HTMLElement, commands: Commands): () => void {
  const listening = new AbortController();
  const on = (name: string, act: (detail: unknown) => void) => {
    host.addEventListener(
      name,
      (event) => {
        if (event.target === host && event instanceof CustomEvent) {
          act(event.detail);
        }
      },
      { signal: listening.signal },
    );
  };
  on('changeCurrentPage', (page) => commands.goTo(Number(page)));
  on('rotate', (degrees) => {
    const turned = Number(degrees);
    if (isQuarterTurn(turned) && turned % 360 !== 0) {
      commands.turn(turned);
    }
  });
  on('zoomIn', () => commands.zoomIn());
  on('zoomOut', () => commands.zoomOut());
  on('setScale', (scale) => commands.setScale(scale));
  on('setHighlight', (colour) => commands.setHighlight(colour));
  on('setCommenting', (colour) => commands.setCommenting(colour));
  on('save', () => commands.save());
  return () => listening.abort();
}

/** What an editor tells the page, with `event.detail`. They bubble. */
export interface Told {
  /** Another page is the current one, from 1. */
  pageChange: { pageNumber: number };
  /** The PDF is open. */
  numPages: { numPages: number };
  /** There are changes that are not saved, or none any more. */
  unsavedChanges: { unsaved: boolean };
  /** Saved: the old token is spent, and `data-value` is the new one. */
  saved: { oldToken: string; newToken: string };
  /** Not saved; the fault is one of `offline`, `expired`, `changed`, `tooLarge`, `refused` …, the message is for a person. */
  saveFailed: { fault: string; message: string };
}

/** Tells the page something. */
export function tell<Name extends keyof Told>(host: HTMLElement, name: Name, detail: Told[Name]): void {
  host.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
}
