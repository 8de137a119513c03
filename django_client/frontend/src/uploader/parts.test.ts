import { beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import { limitsInWords, problemWith } from './checks';
import { guardForm } from './formGuard';
import { isSameFile, newItem, percentOf } from './items';
import { splitName, typeName } from './names';
import { readUploaderOptions } from './options';
import { droppedFiles, pastedFiles } from './picking';
import { statusOf } from './statusText';
import { TokenBook } from './tokens';

beforeEach(() => (document.documentElement.lang = 'en'));

function options(html: string) {
  document.body.innerHTML = html;
  return readUploaderOptions(document.querySelector('.osis-document-uploader') as HTMLElement);
}

describe('the options', () => {
  it('are what the attributes say', () => {
    const read =
      options(`<div class="osis-document-uploader" data-name="files" data-values="a,b,a" data-base-url="/docs/"
      data-limit="5" data-max-files="3" data-min-files="2" data-max-size="1000" data-mimetypes="application/pdf,image/png"
      data-automatic-upload="false" data-editable-filename="false" data-upload-text="Here" data-upload-button-text="Pick"
      data-with-cropping="true" data-cropping-options='{"aspectRatio": 1.5}'></div>`);
    expect(read).toMatchObject({ name: 'files', values: ['a', 'b'], baseUrl: '/docs/', maxFiles: 3, minFiles: 2 });
    expect(read).toMatchObject({ maxSize: 1000, mimetypes: ['application/pdf', 'image/png'], automaticUpload: false });
    expect(read).toMatchObject({ editableFilename: false, uploadText: 'Here', uploadButtonText: 'Pick' });
    expect(read).toMatchObject({ withCropping: true, croppingOptions: { aspectRatio: 1.5 } });
  });

  it('are without limits and automatic where nothing is said', () => {
    const read = options('<div class="osis-document-uploader" data-name="files" data-values=""></div>');
    expect(read).toMatchObject({ values: [], automaticUpload: true, editableFilename: true, withCropping: false });
    expect([read.maxFiles, read.minFiles, read.maxSize]).toEqual([undefined, undefined, undefined]);
    expect(read.disabled).toBe(false);
  });

  it('take names, label and state from the markup for pages without scripts', () => {
    const read = options(`<label for="id_files">My files :</label>
      <div class="osis-document-uploader" data-values="kept~1,t">
        <ul><li><label><input type="checkbox" value="kept~1" checked> old.pdf</label></li></ul>
        <input type="file" id="id_files" aria-describedby="help" required disabled>
      </div>`);
    expect(read).toMatchObject({ names: { 'kept~1': 'old.pdf' }, inputId: 'id_files', describedBy: 'help' });
    expect(read).toMatchObject({ label: 'My files', disabled: true, required: true });
  });

  it('say that a field of a disabled fieldset is disabled', () => {
    const read = options('<fieldset disabled><div class="osis-document-uploader"><input type="file"></div></fieldset>');
    expect(read.disabled).toBe(true);
  });
});

describe('the keys of tokens', () => {
  let told: [string, unknown, unknown][];
  let book: TokenBook;

  beforeEach(() => {
    document.body.innerHTML = '<form><div></div></form>';
    const host = document.querySelector('div') as HTMLElement;
    told = [];
    for (const name of ['osisdocument:add', 'osisdocument:delete']) {
      document.querySelector('form')?.addEventListener(name, (event) => {
        const { oldTokens, newTokens } = (event as CustomEvent).detail;
        told.push([name, oldTokens, newTokens]);
      });
    }
    book = new TokenBook(host);
  });

  it('count from 1 in the order of arrival, and events bubble', () => {
    book.set('x', 'first');
    book.set('y', 'second');
    expect(told).toEqual([
      ['osisdocument:add', {}, { 1: 'first' }],
      ['osisdocument:add', { 1: 'first' }, { 1: 'first', 2: 'second' }],
    ]);
  });

  it('go on after those that the page came with, of which no event tells', () => {
    book.begin([
      { owner: 'x', token: 'a' },
      { owner: 'y', token: 'b' },
    ]);
    expect(told).toEqual([]);
    book.set('z', 'c');
    expect(told[0]?.[2]).toEqual({ 1: 'a', 2: 'b', 3: 'c' });
  });

  it('survive removals and are not given twice', () => {
    ['x', 'y', 'z'].forEach((owner) => book.set(owner, `token of ${owner}`));
    book.remove('y');
    expect(told.at(-1)?.[0]).toBe('osisdocument:delete');
    expect(told.at(-1)?.[2]).toEqual({ 1: 'token of x', 3: 'token of z' });
    book.set('new', 'n');
    expect(told.at(-1)?.[2]).toEqual({ 1: 'token of x', 3: 'token of z', 4: 'n' });
    book.remove('somebody else');
    expect(told).toHaveLength(5);
  });

  it('stay when a token takes the place of another', () => {
    book.set('x', 'before');
    book.set('x', 'after');
    expect(told.at(-1)).toEqual(['osisdocument:add', { 1: 'before' }, { 1: 'after' }]);
  });
});

describe('a file is not taken', () => {
  const limits = { maxSize: 1_000_000, mimetypes: ['application/pdf', 'image/*'] };

  it.each([
    ['when it is empty', { name: 'a.pdf', size: 0, type: 'application/pdf' }, 'it is empty'],
    [
      'when it is too large',
      { name: 'a.pdf', size: 2_000_000, type: 'application/pdf' },
      'it has 2 MB, and 1 MB is the most',
    ],
    ['when it is of another kind', { name: 'a.txt', size: 5, type: 'text/plain' }, 'only PDF or'],
  ])('%s, and the limit is named', (_, file, words) => {
    expect(problemWith(file, limits)).toContain(words);
    expect(problemWith(file, limits)).toContain(file.name);
  });

  it.each(['application/pdf', 'image/webp', ''])('but one of type "%s" is', (type) => {
    expect(problemWith({ name: 'a', size: 5, type }, limits)).toBe('');
  });
});

it('the limits stand in one line', () => {
  const read =
    options(`<div class="osis-document-uploader" data-mimetypes="application/pdf,image/png" data-max-size="5000000"
    data-min-files="2" data-max-files="4"></div>`);
  expect(limitsInWords(read)).toBe('PDF or PNG · up to 5 MB each · at least 2 files · 4 files at most');
});

it('names are split before their extension', () => {
  expect(splitName('a.b.pdf')).toEqual({ stem: 'a.b', extension: '.pdf' });
  expect(splitName('.htaccess')).toEqual({ stem: '.htaccess', extension: '' });
  expect(splitName('Version 2. final words of mine')).toMatchObject({ extension: '' });
  expect(typeName('application/vnd.oasis.opendocument.text')).toBe('ODT');
  expect(typeName('image/jpeg')).toBe('JPEG');
});

it('the same file is known by name, size and date, and progress is not over before the end', () => {
  const file = new File(['abc'], 'a.txt', { lastModified: 7 });
  const item = newItem({ name: 'a.txt', size: 3, lastModified: 7 });
  expect(isSameFile(item, file)).toBe(true);
  expect(isSameFile(item, new File(['abc'], 'a.txt', { lastModified: 8 }))).toBe(false);
  expect(percentOf({ sent: 999, size: 1000 })).toBe(99);
  expect(percentOf({ sent: 0, size: 0 })).toBe(0);
});

describe('what is told beside a file', () => {
  const error = new GatewayError('refused', 'Not this kind.', 400);

  it.each([
    [{ phase: 'sending', sent: 430, rate: 1_200_000, remaining: 7.2 }, '43 % · 1.2 MB/s · 8 sec left'],
    [{ phase: 'sending', sent: 1000 }, 'All sent; the server is checking it …'],
    [{ phase: 'sending', sent: 10, rate: 100, remaining: 200 }, '1 % · 100 bytes/s · 4 min left'],
    [
      { phase: 'waiting', sent: 500, goesOnAt: 5_000 },
      'The connection was lost at 50 %. It goes on by itself in 5 sec.',
    ],
    [{ phase: 'limited', goesOnAt: 42_000 }, 'Many files were sent in a short time. It goes on by itself in 42 sec.'],
    [{ phase: 'unfinished', sent: 430 }, 'Not finished. Choose the same file again to go on at 43 %.'],
    [{ phase: 'paused', sent: 120 }, 'Paused at 12 %'],
    [{ phase: 'failed', error }, 'Not this kind.'],
    [{ phase: 'stored', type: 'application/pdf' }, '1 kB · PDF'],
    [{ phase: 'stored', message: 'A virus was found.' }, 'A virus was found.'],
    [{ phase: 'stored', origin: 'page' }, 'Loading …'],
  ] as const)('%o is "%s"', (state, words) => {
    expect(statusOf(newItem({ name: 'a', size: 1000, ...state }), 0)).toBe(words);
  });
});

it('a picture that is pasted gets a name with the time, a file keeps its own', () => {
  const files = [new File(['x'], 'image.png', { type: 'image/png' }), new File(['x'], 'scan.png')];
  const pasted = pastedFiles({ files } as unknown as DataTransfer, new Date(2026, 10, 3, 9, 5, 7));
  expect(pasted.map(({ name, type }) => [name, type])).toEqual([
    ['Pasted 2026-11-03 09.05.07.png', 'image/png'],
    ['scan.png', ''],
  ]);
  expect(pastedFiles(null)).toEqual([]);
});

it('folders that are dropped are told apart from files', () => {
  const entry = (name: string, isDirectory: boolean) => ({
    kind: 'file',
    webkitGetAsEntry: () => ({ name, isDirectory }),
  });
  const files = [new File(['x'], 'a.txt'), new File([''], 'folder')];
  const transfer = { items: [entry('a.txt', false), entry('folder', true)], files };
  const dropped = droppedFiles(transfer as unknown as DataTransfer);
  expect(dropped.folders).toEqual(['folder']);
  expect(dropped.files.map(({ name }) => name)).toEqual(['a.txt']);
});

describe('the guard of a form', () => {
  function guarded(isPending: boolean, isMoving = false) {
    document.body.innerHTML = '<form></form>';
    const form = document.querySelector('form') as HTMLFormElement;
    const asked = { isPending: () => isPending, isMoving: () => isMoving, held: vi.fn(), submitted: vi.fn() };
    const end = guardForm(form, asked);
    const submit = new Event('submit', { bubbles: true, cancelable: true });
    return { form, end, submit, ...asked };
  }

  it('holds it while something is pending, and nobody else hears of it', () => {
    const { form, end, submit, held, submitted } = guarded(true);
    const others = vi.fn();
    form.addEventListener('submit', others);
    form.dispatchEvent(submit);
    expect(submit.defaultPrevented).toBe(true);
    expect(held).toHaveBeenCalledOnce();
    expect(others).not.toHaveBeenCalled();
    expect(submitted).not.toHaveBeenCalled();
    end();
  });

  it('lets it go otherwise, and tells it', () => {
    const { form, end, submit, submitted } = guarded(false);
    form.dispatchEvent(submit);
    expect(submit.defaultPrevented).toBe(false);
    expect(submitted).toHaveBeenCalledOnce();
    end();
  });

  it('forgets nothing where the page sends the form by itself', () => {
    const { form, end, submit, submitted } = guarded(false);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.dispatchEvent(submit);
    expect(submitted).not.toHaveBeenCalled();
    end();
  });

  it('asks before the page is left while transfers run, and no longer when it has ended', () => {
    const { end } = guarded(true, true);
    const leave = () => {
      const event = new Event('beforeunload', { cancelable: true });
      window.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(leave()).toBe(true);
    end();
    expect(leave()).toBe(false);
  });

  it('asks once more when somebody comes back to a page that was left by its form', () => {
    const { form, end, submit } = guarded(false, true);
    const leave = () => {
      const event = new Event('beforeunload', { cancelable: true });
      window.dispatchEvent(event);
      return event.defaultPrevented;
    };
    form.dispatchEvent(submit);
    expect(leave()).toBe(false);
    window.dispatchEvent(new Event('pageshow'));
    expect(leave()).toBe(true);
    end();
  });
});
