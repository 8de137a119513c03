import { type Key, t } from '@/i18n';

/** What a text of pdf.js is put into: an attribute of its element, or the element itself. */
type Place = 'title' | 'aria-label' | 'default-content' | 'text';

const NAMES = 'pdfjs-editor-';

/** The texts that pdf.js asks for by ids of its own, and where they go. Those that the editor never shows are left out. */
const TEXTS: Record<string, Partial<Record<Place, Key>>> = {
  'pdfjs-page-landmark': { 'aria-label': 'editor.pageNumber' },
  'pdfjs-free-text2': { 'aria-label': 'editor.commentText', 'default-content': 'editor.startTyping' },
  [`${NAMES}highlight-editor`]: { 'aria-label': 'editor.highlighted' },
  [`${NAMES}remove-freetext-button`]: { title: 'editor.removeComment', 'aria-label': 'editor.removeComment' },
  [`${NAMES}remove-highlight-button`]: { title: 'editor.removeHighlight', 'aria-label': 'editor.removeHighlight' },
  [`${NAMES}color-picker-free-text-input`]: { title: 'editor.changeColour', 'aria-label': 'editor.changeColour' },
  [`${NAMES}colorpicker-button`]: { title: 'editor.changeColour', 'aria-label': 'editor.changeColour' },
  [`${NAMES}colorpicker-dropdown`]: { 'aria-label': 'editor.colours' },
  ...Object.fromEntries(
    (['yellow', 'green', 'blue', 'pink', 'red'] as const).map((colour) => [
      `${NAMES}colorpicker-${colour}`,
      { title: `editor.${colour}`, 'aria-label': `editor.${colour}` },
    ]),
  ),
  ...Object.fromEntries(
    [
      'top-left',
      'top-middle',
      'top-right',
      'middle-right',
      'bottom-right',
      'bottom-middle',
      'bottom-left',
      'middle-left',
    ].map((corner) => [`${NAMES}resizer-${corner}`, { 'aria-label': 'editor.resize' }]),
  ),
  [`${NAMES}freetext-added-alert`]: { text: 'editor.commentAdded' },
  [`${NAMES}highlight-added-alert`]: { text: 'editor.highlightAdded' },
};

/** The small toolbars beside what is drawn, which pdf.js gives no name. */
const TOOLBAR = 'div.editToolbar';

const WATCHED = ['data-l10n-id', 'data-l10n-args'];

/**
 * Gives what pdf.js puts into the page its texts, in the language of the page.
 *
 * It stands where pdf.js has an `L10n` of its own, which would fetch files of texts, and knows only English without them.
 */
export class ViewerTexts {
  private readonly roots = new Set<Node>();
  private readonly observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      for (const node of type === 'attributes' ? [target] : addedNodes) {
        if (node instanceof Element) {
          translateBelow(node, type === 'childList');
        }
      }
    }
  });

  /** Translates an element with all it holds, now and as it changes. */
  async translate(root: Element): Promise<void> {
    this.roots.add(root);
    translateBelow(root, true);
    this.observe(root);
  }

  async translateOnce(element: Element): Promise<void> {
    translateBelow(element, false);
  }

  /** A text by the id that pdf.js has for it; empty where there is none. */
  async get(id: string): Promise<string> {
    const [key] = Object.values(TEXTS[id] ?? {});
    return key ? t(key) : '';
  }

  getLanguage(): string {
    return document.documentElement.lang.toLowerCase() || 'en-us';
  }

  getDirection(): string {
    return getComputedStyle(document.documentElement).direction;
  }

  pause(): void {
    // What changes meanwhile is translated as well: nothing is measured between.
  }

  resume(): void {
    // See pause.
  }

  async destroy(): Promise<void> {
    this.observer.disconnect();
    this.roots.clear();
  }

  private observe(root: Node): void {
    this.observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: WATCHED });
  }
}

function translateBelow(element: Element, all: boolean): void {
  const found = all ? [...element.querySelectorAll(`[data-l10n-id], ${TOOLBAR}`)] : [];
  for (const each of [element, ...found]) {
    translateElement(each);
  }
}

function translateElement(element: Element): void {
  if (element instanceof HTMLButtonElement) {
    element.type = 'button'; // pdf.js leaves it out, and a form around the editor would be sent
  }
  if (element.matches(TOOLBAR)) {
    element.setAttribute('aria-label', t('editor.toolbar'));
  }
  const places = Object.entries(TEXTS[element.getAttribute('data-l10n-id') ?? ''] ?? {});
  for (const [place, key] of places) {
    const text = t(key, valuesOf(element));
    if (place === 'text') {
      element.textContent = text;
    } else if (element.getAttribute(place) !== text) {
      element.setAttribute(place, text);
    }
  }
}

function valuesOf(element: Element): Record<string, string | number> {
  return JSON.parse(element.getAttribute('data-l10n-args') ?? '{}') as Record<string, string | number>;
}
