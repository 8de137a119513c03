import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import VisualizerWidget from './VisualizerWidget.vue';
import type { Listed } from './options';

const opened = vi.hoisted(() => ({ urls: [] as string[], fails: undefined as Error | undefined }));

vi.mock('@/pdf/preview', () => ({
  needsPassword: (error: Error) => error.name === 'PasswordException',
  PdfPreview: {
    open: (url: string) => {
      opened.urls.push(url);
      return opened.fails
        ? Promise.reject(opened.fails)
        : Promise.resolve({
            pageCount: 3,
            draw: () => Promise.resolve({ width: 60, height: 80 }),
            close: () => undefined,
          });
    },
  },
}));

type Answer = { status: number; body: unknown } | 'no answer';

const PICTURE = { name: 'photo.png', mimetype: 'image/png', size: 1_200_000 };
const PDF = { name: 'letter.pdf', mimetype: 'application/pdf', size: 20_000 };
const WORD = { name: 'letter.doc', mimetype: 'application/msword', size: 900 };

let answers: Record<string, Answer[]>;
let asked: string[];
let seen: (() => void)[];
let widget: VueWrapper;

beforeEach(() => {
  answers = {};
  asked = [];
  seen = [];
  opened.urls = [];
  opened.fails = undefined;
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    const list = answers[url.split('/').at(-1) ?? ''] ?? [];
    const answer = (list.length > 1 ? list.shift() : list[0]) ?? { status: 404, body: {} };
    return answer === 'no answer'
      ? Promise.reject(new TypeError('Failed to fetch'))
      : Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }));
  });
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
        seen.push(() => tell([{ isIntersecting: true }]));
      }
      observe = () => undefined;
      disconnect = () => undefined;
    },
  );
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(private readonly tell: () => void) {}
      observe = () => this.tell();
      disconnect = () => undefined;
    },
  );
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.setAttribute('open', '');
  };
});

afterEach(() => {
  widget.unmount();
  vi.unstubAllGlobals();
});

async function show(...documents: Listed[]): Promise<void> {
  const options = { baseUrl: '/documents/', documents };
  widget = mount(VisualizerWidget, { props: { options }, attachTo: document.body });
  await flushPromises();
}

function readable(token: string, ...list: Answer[]): Listed {
  answers[token] = list;
  return { kind: 'readable', token };
}

const there = (body: unknown): Answer => ({ status: 200, body });
const byName = (name: string) => widget.find(`[aria-label="${name}"]`);
const status = () => widget.find('[role="status"]').text();

describe('a document', () => {
  it('shows its name, its type in words and its size', async () => {
    await show(readable('w', there(WORD)));
    expect(widget.text()).toContain('letter.doc');
    expect(widget.text()).toContain('Word document · 900 bytes');
  });

  it('can be opened in a new tab, if browsers show its type, and downloaded', async () => {
    await show(readable('p', there(PICTURE)), readable('w', there(WORD)));
    const open = byName('Open photo.png in a new tab');
    expect(open.attributes()).toMatchObject({ href: '/documents/file/p', target: '_blank', rel: 'noopener' });
    expect(byName('Download letter.doc').attributes('href')).toBe('/documents/file/w?dl=1');
    expect(byName('Open letter.doc in a new tab').exists()).toBe(false);
  });

  it('has no marks in its name that turn the direction of text', async () => {
    await show(readable('w', there({ ...WORD, name: 'invoice\u202Efdp.exe' })));
    expect(widget.find('bdi').text()).toBe('invoicefdp.exe');
  });

  it('with a picture shows it lazily, and large on demand', async () => {
    await show(readable('p', there(PICTURE)));
    expect(widget.find('img').attributes()).toMatchObject({ src: '/documents/file/p', loading: 'lazy' });
    await widget.find('.osis-card__preview').trigger('click');
    expect(widget.find('dialog[open]').attributes('aria-label')).toBe('Preview of photo.png');
    expect(widget.find('dialog img').attributes('alt')).toBe('photo.png');
    await widget.find('dialog').trigger('close');
    expect(widget.find('dialog').exists()).toBe(false);
  });

  it('with a very large picture fetches it only on demand', async () => {
    await show(readable('p', there({ ...PICTURE, size: 50_000_000 })));
    expect(widget.find('img').exists()).toBe(false);
    await widget.find('.osis-card__preview').trigger('click');
    expect(widget.find('dialog img').exists()).toBe(true);
  });

  it('whose picture cannot be shown is asked for once more, to tell why', async () => {
    await show(readable('p', there(PICTURE), { status: 403, body: { detail: 'expired' } }));
    await widget.find('img').trigger('error');
    await flushPromises();
    expect(widget.text()).toContain('Your access to this file has expired');
  });

  it('whose picture is damaged keeps its links', async () => {
    await show(readable('p', there(PICTURE)));
    await widget.find('img').trigger('error');
    await flushPromises();
    expect(widget.find('img').exists()).toBe(false);
    expect(byName('Download photo.png').exists()).toBe(true);
  });
});

describe('a PDF', () => {
  it('is fetched when somebody scrolls to it, and tells how many pages it has', async () => {
    await show(readable('l', there(PDF)));
    expect(opened.urls).toEqual([]);
    seen[0]?.();
    await flushPromises();
    expect(opened.urls).toEqual(['/documents/file/l']);
    expect(widget.text()).toContain('PDF · 20 kB · 3 pages');
  });

  it('is looked at page by page, with buttons and keys, and no further than its pages', async () => {
    await show(readable('l', there(PDF)));
    await widget.find('.osis-card__preview').trigger('click');
    await flushPromises();
    const page = () => widget.find('dialog [role="status"]').text();
    expect(page()).toBe('Page 1 of 3');
    await byName('Previous page').trigger('click');
    expect(page()).toBe('Page 1 of 3');
    await byName('Next page').trigger('click');
    expect(page()).toBe('Page 2 of 3');
    document.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));
    await flushPromises();
    expect(page()).toBe('Page 3 of 3');
    expect(byName('Next page').attributes('aria-disabled')).toBe('true');
    expect(byName('Page 3 of 3 of letter.pdf').attributes('role')).toBe('img');
  });

  it('with a password says so where it would be seen large', async () => {
    opened.fails = Object.assign(new Error(), { name: 'PasswordException' });
    await show(readable('l', there(PDF)));
    seen[0]?.();
    await flushPromises();
    await widget.find('.osis-card__preview').trigger('click');
    await flushPromises();
    expect(widget.find('dialog [role="alert"]').text()).toContain('protected by a password');
  });
});

describe('a large preview that cannot be shown', () => {
  it('tells that the token has expired, if that is why', async () => {
    await show(readable('p', there(PICTURE), { status: 403, body: {} }));
    await widget.find('.osis-card__preview').trigger('click');
    await widget.find('dialog img').trigger('error');
    await flushPromises();
    expect(widget.find('dialog [role="alert"]').text()).toContain('Your access to this file has expired');
  });

  it('tells what else can be done, if it is the fault of the file', async () => {
    opened.fails = new Error('Invalid PDF structure.');
    await show(readable('l', there(PDF)));
    await widget.find('.osis-card__preview').trigger('click');
    await flushPromises();
    expect(widget.find('dialog [role="alert"]').text()).toBe(
      'This file cannot be previewed here. Open or download it.',
    );
  });
});

describe('a document that cannot be had', () => {
  it.each<[string, Answer, string]>([
    ['infected', { status: 500, body: { detail: 'INFECTED' } }, 'A virus was found in this file'],
    ['expired', { status: 403, body: { detail: 'x' } }, 'Your access to this file has expired. Reload the page'],
    ['missing', { status: 404, body: { detail: 'x' } }, 'This file no longer exists.'],
    ['damaged', { status: 409, body: { error: 'x' } }, 'This file is damaged'],
  ])('because it is %s is told of in words, without a button that would not help', async (_, answer, words) => {
    await show(readable('x', answer));
    expect(widget.text()).toContain(words);
    expect(widget.find('button').exists()).toBe(false);
  });

  it('because the server is down can be tried again; the focus stays with it and the outcome is said', async () => {
    await show(readable('w', 'no answer', there(WORD)));
    expect(widget.text()).toContain('The server does not answer.');
    await byName('Try again: Document 1').trigger('click');
    await flushPromises();
    expect(widget.text()).toContain('letter.doc');
    expect(document.activeElement).toBe(widget.find('.osis-card-place').element);
    expect(status()).toBe('letter.doc');
  });

  it('does not keep the others from being shown', async () => {
    await show(readable('x', { status: 500, body: { detail: 'INFECTED' } }), readable('w', there(WORD)));
    expect(widget.findAll('li')).toHaveLength(2);
    expect(widget.text()).toContain('letter.doc');
  });

  it('because the page got no token for it says why', async () => {
    await show(
      { kind: 'refused', code: 'INFECTED', reason: 'x' },
      { kind: 'refused', code: 'OTHER', reason: 'Only members may see it.' },
    );
    expect(widget.text()).toContain('A virus was found');
    expect(widget.text()).toContain('Only members may see it.');
  });
});

it('many documents are asked for a few at a time', async () => {
  const waiting: (() => void)[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return new Promise((resolve) => waiting.push(() => resolve(new Response(JSON.stringify(WORD)))));
  });
  await show(...Array.from({ length: 12 }, (_, index) => readable(`t${index}`)));
  expect(asked).toHaveLength(3);
  while (waiting.length > 0) {
    waiting.shift()?.();
    await flushPromises();
  }
  expect(asked).toHaveLength(12);
  expect(widget.text().match(/letter\.doc/g)).toHaveLength(12);
});

describe('a document that is being prepared', () => {
  const pending: Listed = { kind: 'pending', progressUrl: '/documents/progress/job' };

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('shows how far it is, and then the document, in its place, and says so', async () => {
    answers.job = [
      { status: 202, body: { progress: 60, wanted_post_process_status: 'PENDING' } },
      { status: 202, body: { progress: 100, wanted_post_process_status: 'DONE', token: 'l' } },
    ];
    await show(pending, readable('w', there(WORD)));
    expect((widget.find('progress').element as HTMLProgressElement).value).toBe(60);
    expect(status()).toBe('This document is being prepared: 60% done.');
    answers.l = [there(PDF)];
    await vi.advanceTimersByTimeAsync(2_000);
    await flushPromises();
    expect(widget.find('li').text()).toContain('letter.pdf');
    expect(status()).toBe('letter.pdf is ready.');
  });

  it('that fails says why, and what to do', async () => {
    const errors = { messages: ['The file is protected by a password.'] };
    answers.job = [{ status: 202, body: { progress: 5, wanted_post_process_status: 'FAILED', failed: true, errors } }];
    await show(pending);
    expect(widget.text()).toContain('This document could not be prepared.');
    expect(widget.text()).toContain('The file is protected by a password.');
    expect(status()).toContain('The file is protected by a password.');
  });

  it('whose link is no longer good says to reload the page', async () => {
    answers.job = [{ status: 403, body: { detail: 'x' } }];
    await show(pending);
    expect(widget.text()).toContain('Reload the page to see how it is now.');
  });

  it('is followed no longer once it left the page', async () => {
    answers.job = [{ status: 202, body: { progress: 0, wanted_post_process_status: 'PENDING' } }];
    await show(pending);
    widget.unmount();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
  });
});

it('a page without documents shows nothing', async () => {
  await show();
  expect(widget.text()).toBe('');
});

it('speaks the language of the page', async () => {
  document.documentElement.lang = 'fr';
  await show(readable('w', there(WORD)), readable('x', { status: 404, body: {} }));
  expect(widget.text()).toContain('Document Word');
  expect(widget.text()).toContain("Ce fichier n'existe plus.");
  document.documentElement.lang = '';
});
