import { flushPromises, mount } from '@vue/test-utils';
import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '@/gateway/errors';
import type { Gateway } from '@/gateway/gateway';
import { UploadMemory } from '@/uploading/memory';
import type { Sendable, TransferListener } from '@/uploading/transfer';
import { readUploaderOptions } from './options';
import UploaderWidget from './UploaderWidget.vue';

vi.mock('./cropping', () => ({
  openCropper: (_: unknown, __: unknown, ready: () => void) => (ready(), { destroy: () => undefined }),
  croppedFile: (_: unknown, file: File) => Promise.resolve(new File(['cut'], file.name, { type: file.type })),
  nudgeFrame: () => true,
}));

vi.setConfig({ testTimeout: 60_000 });

const details = { size: 2000, mimetype: 'application/pdf', url: '', uploaded_at: '', hash: '' };
let opened: { file: Sendable; tell: TransferListener }[];
let gateway: Record<'metadata' | 'rename' | 'rotateImage' | 'bytes', ReturnType<typeof vi.fn>>;
let wrapper: ReturnType<typeof mount>;
let host: HTMLElement;
let told: { type: string; detail: { oldTokens: object; newTokens: object } }[];

beforeEach(() => {
  document.documentElement.lang = 'en';
  sessionStorage.clear();
  opened = [];
  told = [];
  URL.createObjectURL = vi.fn(() => 'blob:preview');
  URL.revokeObjectURL = vi.fn();
  HTMLDialogElement.prototype.showModal = vi.fn(); // jsdom has neither
  HTMLDialogElement.prototype.close = vi.fn();
  gateway = {
    metadata: vi.fn((token: string) => Promise.resolve({ ...details, name: `${token}.pdf`, upload_uuid: token })),
    rename: vi.fn((token: string, name: string) => Promise.resolve({ ...details, name, upload_uuid: token })),
    rotateImage: vi.fn(() => Promise.resolve('turned')),
    bytes: vi.fn(() => Promise.resolve(new Blob(['image']))),
  };
});

afterEach(() => wrapper?.unmount());

function show(attributes = '', inner = '<input type="file" id="id_files">', fieldset = ''): void {
  document.body.innerHTML = `<main><form><fieldset ${fieldset}><label for="id_files">Proofs:</label>
    <div class="osis-document-uploader" data-name="files" ${attributes}>${inner}</div></fieldset></form></main>`;
  host = document.querySelector('.osis-document-uploader') as HTMLElement;
  const options = readUploaderOptions(host);
  for (const type of ['osisdocument:add', 'osisdocument:delete']) {
    host.addEventListener(type, (event) => told.push(event as CustomEvent));
  }
  const open = (file: Sendable, tell: TransferListener) => {
    opened.push({ file, tell });
    return { start: () => undefined, stop: () => undefined, cancel: () => Promise.resolve() };
  };
  const fake = { ...gateway, fileUrl: (token: string) => `/file/${token}` } as unknown as Gateway;
  const services = { gateway: fake, open, memory: new UploadMemory('/page/', 'files') };
  host.innerHTML = '';
  wrapper = mount(UploaderWidget, { props: { options, host, services }, attachTo: host });
}

function file(name: string, type = 'application/pdf', size = 2000): File {
  return new File([new Uint8Array(size)], name, { type, lastModified: 5 });
}

async function choose(...files: File[]): Promise<void> {
  await chooseWith('input[type=file]', ...files);
}

async function chooseWith(selector: string, ...files: File[]): Promise<void> {
  const input = wrapper.get(selector);
  Object.defineProperty(input.element, 'files', { value: files, configurable: true });
  await input.trigger('change');
  await flushPromises();
}

async function finish(name: string, token: string): Promise<void> {
  opened.findLast((each) => each.file.name === name)?.tell.done(token);
  await flushPromises();
}

async function press(label: string): Promise<void> {
  await wrapper.get(`[aria-label="${label}"]`).trigger('click');
  await flushPromises();
}

function inputs(): [string, string][] {
  return [...document.querySelectorAll<HTMLInputElement>('form input[type=hidden]')].map(({ name, value }) => [
    name,
    value,
  ]);
}

describe('uploading', () => {
  it('sends what is chosen, and the form gets the tokens in the order shown', async () => {
    show();
    await choose(file('a.pdf'), file('b.pdf'));
    expect(inputs()).toEqual([]);
    await finish('b.pdf', 'B');
    await finish('a.pdf', 'A');
    expect(inputs()).toEqual([
      ['files_0', 'A'],
      ['files_1', 'B'],
    ]);
    expect(told.map(({ type, detail }) => [type, detail.newTokens])).toEqual([
      ['osisdocument:add', { 1: 'B' }],
      ['osisdocument:add', { 1: 'B', 2: 'A' }],
    ]);
  });

  it('waits for its button where that is wanted', async () => {
    show('data-automatic-upload="false"');
    await choose(file('a.pdf'), file('b.pdf'));
    expect(opened).toHaveLength(0);
    const button = wrapper.findAll('button').find((each) => each.text() === 'Upload 2 files');
    await button?.trigger('click');
    expect(opened).toHaveLength(2);
  });

  it('takes more than ten, each with its own number', async () => {
    show();
    const names = Array.from({ length: 12 }, (_, number) => `${number}.pdf`);
    await choose(...names.map((name) => file(name)));
    for (let next = 0; next < opened.length; next += 1) {
      opened[next]?.tell.done(`token ${opened[next]?.file.name}`); // which opens the next one
    }
    await flushPromises();
    expect(inputs()).toEqual(names.map((name, number) => [`files_${number}`, `token ${name}`]));
  });

  it('refuses what is too much, and says which', async () => {
    show('data-max-files="1"');
    await choose(file('a.pdf'), file('b.pdf'));
    expect(wrapper.get('[role=alert]').text()).toContain('there can be 1 file at most: b.pdf');
    expect(wrapper.text()).toContain('Only one file can be added here.');
    expect(wrapper.get<HTMLInputElement>('input[type=file]').element.disabled).toBe(true);
  });

  it('takes the files that are dropped, and says of folders what to do with them', async () => {
    show();
    const entry = (name: string, isDirectory: boolean) => ({
      kind: 'file',
      webkitGetAsEntry: () => ({ name, isDirectory }),
    });
    const dataTransfer = {
      types: ['Files'],
      items: [entry('a.pdf', false), entry('Holidays', true)],
      files: [file('a.pdf'), file('Holidays', '')],
    };
    await wrapper.get('.osis-uploader').trigger('dragenter', { dataTransfer });
    expect(wrapper.text()).toContain('Let go to add the files');
    await wrapper.get('.osis-uploader').trigger('drop', { dataTransfer });
    expect(opened.map((each) => each.file.name)).toEqual(['a.pdf']);
    expect(wrapper.get('[role=alert]').text()).toContain('“Holidays” is a folder.');
    expect(wrapper.text()).not.toContain('Let go to add the files');
  });

  it("shows the server's own reason, and can be tried again", async () => {
    show();
    await choose(file('a.pdf'));
    opened[0]?.tell.failed(new GatewayError('refused', 'Files of this kind are not accepted.', 400));
    await flushPromises();
    expect(wrapper.get('.osis-file').text()).toContain('Files of this kind are not accepted.');
    await press('Try a.pdf again');
    expect(opened).toHaveLength(2);
  });

  it('keeps the form from being submitted meanwhile, says why, and takes the focus there', async () => {
    show();
    await choose(file('a.pdf'));
    const submit = new Event('submit', { bubbles: true, cancelable: true });
    document.querySelector('form')?.dispatchEvent(submit);
    await flushPromises();
    expect(submit.defaultPrevented).toBe(true);
    expect(document.activeElement?.textContent).toContain('A file is still being uploaded.');
    await finish('a.pdf', 'A');
    expect(wrapper.find('.osis-notice--held').exists()).toBe(false);
  });

  it('says so when the form waits for the server to take more, and lets it go without those files', async () => {
    show();
    await choose(file('a.pdf'));
    opened[0]?.tell.failed(new GatewayError('rateLimited', 'Too much.', 429, 900));
    await flushPromises();
    expect(wrapper.get('.osis-file').text()).toContain('It goes on by itself in 15 min.');
    const submit = () => {
      const event = new Event('submit', { bubbles: true, cancelable: true });
      document.querySelector('form')?.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(submit()).toBe(true);
    await flushPromises();
    expect(document.activeElement?.textContent).toContain('A file waits until the server takes it.');
    await press('Cancel the upload of a.pdf');
    expect(submit()).toBe(false);
  });

  it('is cancelled without a trace', async () => {
    show();
    await choose(file('a.pdf'));
    opened[0]?.tell.created('/uploads/1', 0);
    await press('Cancel the upload of a.pdf');
    expect(wrapper.find('.osis-file').exists()).toBe(false);
    expect(sessionStorage.length).toBe(0);
    expect(told).toEqual([]);
  });
});

describe('after a reload', () => {
  it('finished files are there, and an unfinished one goes on at its address when its file is chosen again', async () => {
    show();
    await choose(file('a.pdf'), file('b.pdf'));
    await finish('a.pdf', 'A');
    opened[1]?.tell.created('/uploads/2', 0);
    opened[1]?.tell.accepted(860);
    wrapper.unmount();

    show();
    await flushPromises();
    expect(inputs()).toEqual([['files_0', 'A']]);
    expect(wrapper.text()).toContain('Not finished. Choose the same file again to go on at 43 %.');
    const again = '[aria-label="Choose b.pdf again"]';
    await chooseWith(again, file('c.pdf'));
    expect(wrapper.get('[role=alert]').text()).toContain('“c.pdf” is not the file that was being uploaded.');
    await chooseWith(again, file('b.pdf'));
    expect(opened.at(-1)?.file.url).toBe('/uploads/2');
    await finish('b.pdf', 'B');
    expect(inputs().map(([, token]) => token)).toEqual(['A', 'B']);
  });

  it('what was submitted is forgotten', async () => {
    show();
    await choose(file('a.pdf'));
    await finish('a.pdf', 'A');
    document.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    wrapper.unmount();
    show();
    expect(inputs()).toEqual([]);
  });

  it('what the page brings itself is there once', async () => {
    show();
    await choose(file('a.pdf'));
    await finish('a.pdf', 'A');
    wrapper.unmount();
    show('data-values="A"');
    await flushPromises();
    expect(inputs()).toEqual([['files_0', 'A']]);
  });
});

describe('files that the page comes with', () => {
  it('are described, and references are submitted as they are', async () => {
    const box = '<ul><li><label><input type="checkbox" value="kept~1" checked> old.pdf</label></li></ul>';
    show('data-values="A,kept~1,kept~2"', `${box}<input type="file">`);
    await flushPromises();
    expect(gateway.metadata).toHaveBeenCalledExactlyOnceWith('A');
    expect(wrapper.findAll('.osis-file__name').map((each) => each.text())).toEqual([
      'A.pdf',
      'old.pdf',
      'A file that cannot be shown at the moment',
    ]);
    expect(inputs().map(([, token]) => token)).toEqual(['A', 'kept~1', 'kept~2']);
    await press('Remove old.pdf');
    expect(told.at(-1)?.detail.newTokens).toEqual({ 1: 'A', 3: 'kept~2' });
  });

  it.each([
    ['infected', 'A virus was found'],
    ['expired', 'has expired'],
    ['missing', 'no longer exists'],
  ] as const)('and are %s are told in words, and stay', async (fault, words) => {
    gateway.metadata.mockRejectedValue(new GatewayError(fault));
    show('data-values="A"');
    await flushPromises();
    expect(wrapper.get('.osis-file').text()).toContain(words);
    expect(wrapper.find('.osis-file a').exists()).toBe(false);
    expect(inputs()).toEqual([['files_0', 'A']]);
  });

  it('are asked for again after the connection was lost', async () => {
    gateway.metadata.mockRejectedValueOnce(new GatewayError('offline'));
    show('data-values="A"');
    await flushPromises();
    await wrapper.get('[aria-label^="Try "]').trigger('click');
    await flushPromises();
    expect(wrapper.get('.osis-file a').attributes('href')).toBe('/file/A');
  });

  it('cannot be changed in a disabled field, and are not submitted', async () => {
    show('data-values="A"', '<input type="file" disabled>');
    await flushPromises();
    expect(wrapper.find('button').exists()).toBe(false);
    expect(wrapper.find('input[type=file]').exists()).toBe(false);
    expect(wrapper.get<HTMLInputElement>('input[type=hidden]').element.disabled).toBe(true);
  });

  it('are shown in a field that only its fieldset disables, whose markup is empty', async () => {
    show('data-values="A,kept~1"', '', 'disabled');
    await flushPromises();
    expect(wrapper.findAll('.osis-file__name').map((each) => each.text())).toEqual([
      'A.pdf',
      'A file that cannot be shown at the moment',
    ]);
    expect(wrapper.get('.osis-file a').attributes('href')).toBe('/file/A');
    expect(wrapper.find('button').exists()).toBe(false);
    expect(wrapper.find('input[type=file]').exists()).toBe(false);
  });

  it('are said to be none where a disabled field is empty', async () => {
    show('', '', 'disabled');
    await flushPromises();
    expect(wrapper.text()).toBe('No files');
  });

  it('have no names that read as if they ended otherwise', async () => {
    gateway.metadata.mockResolvedValue({ ...details, name: 'invoice\u202Efdp.exe', upload_uuid: 'A' });
    show('data-values="A"');
    await flushPromises();
    expect(wrapper.get('.osis-file__name').text()).toBe('invoicefdp.exe');
    await press('Rename invoicefdp.exe');
    expect(wrapper.get<HTMLInputElement>('[aria-label="New name"]').element.value).toBe('invoicefdp');
    await choose(file('empty\u202Efdp.exe', '', 0));
    expect(wrapper.get('[role=alert]').text()).toContain('“emptyfdp.exe” was not added');
  });
});

describe('changing', () => {
  it('renames and keeps the extension; Enter does not submit the form', async () => {
    show('data-values="A"');
    await flushPromises();
    await press('Rename A.pdf');
    const input = wrapper.get('[aria-label="New name"]');
    expect((input.element as HTMLInputElement).value).toBe('A');
    await input.setValue('Diploma');
    await input.trigger('keydown', { key: 'Enter' });
    await flushPromises();
    expect(gateway.rename).toHaveBeenCalledWith('A', 'Diploma.pdf');
    expect(wrapper.get('.osis-file__name').text()).toBe('Diploma.pdf');
  });

  it('has no pencil where names may not be changed', async () => {
    show('data-values="A" data-editable-filename="false"');
    await flushPromises();
    expect(wrapper.find('[data-tool=rename]').exists()).toBe(false);
  });

  it('moves files, and the inputs with them', async () => {
    show('data-values="A,B,C"');
    await flushPromises();
    await press('Move C.pdf up');
    expect(inputs().map(([, token]) => token)).toEqual(['A', 'C', 'B']);
    expect(wrapper.get('[role=status]').text()).toBe('C.pdf is number 2 of 3 now');
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Move C.pdf up');
  });

  it('keeps the focus near a file that is removed', async () => {
    show('data-values="A,B"');
    await flushPromises();
    await press('Remove A.pdf');
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Remove B.pdf');
    await press('Remove B.pdf');
    expect(document.activeElement?.id).toBe('id_files');
  });

  it('turns an image; its new token takes the place of the old one', async () => {
    gateway.metadata.mockResolvedValue({ ...details, name: 'a.png', mimetype: 'image/png', upload_uuid: 'A' });
    show('data-values="A"');
    await flushPromises();
    await press('Turn a.png to the right');
    expect(gateway.rotateImage).toHaveBeenCalledWith('A', 90);
    expect(inputs()).toEqual([['files_0', 'turned']]);
    expect(told[0]?.detail).toEqual({ oldTokens: { 1: 'A' }, newTokens: { 1: 'turned' } });
  });

  it('tells why a change was refused, and keeps what was there', async () => {
    gateway.metadata.mockResolvedValue({ ...details, name: 'a.png', mimetype: 'image/png', upload_uuid: 'A' });
    gateway.rotateImage.mockRejectedValue(new GatewayError('refused', 'This image is damaged.', 400));
    show('data-values="A"');
    await flushPromises();
    await press('Turn a.png to the right');
    expect(wrapper.get('.osis-file').text()).toContain('This image is damaged.');
    expect(inputs()).toEqual([['files_0', 'A']]);
  });
});

describe('cropping', () => {
  it('comes before an image is sent, and cancelling adds nothing', async () => {
    show('data-with-cropping="true"');
    await choose(file('a.png', 'image/png'), file('b.jpg', 'image/jpeg'), file('c.pdf'));
    expect(opened.map((each) => each.file.name)).toEqual(['c.pdf']);
    expect(wrapper.get('dialog').text()).toContain('1 more image after this one');
    await wrapper.get('dialog').trigger('cancel');
    const use = wrapper.findAll('dialog button').find((each) => each.text() === 'Use this part');
    await use?.trigger('click');
    await flushPromises();
    expect(opened.map((each) => each.file.name)).toEqual(['c.pdf', 'b.jpg']);
    expect(wrapper.find('dialog').exists()).toBe(false);
  });

  it('is offered only where the field asks for it', async () => {
    gateway.metadata.mockResolvedValue({ ...details, name: 'a.png', mimetype: 'image/png', upload_uuid: 'A' });
    show('data-values="A"');
    await flushPromises();
    expect(wrapper.find('[aria-label="Turn a.png to the right"]').exists()).toBe(true);
    expect(wrapper.find('[aria-label="Crop a.png"]').exists()).toBe(false);
  });

  it('again replaces a stored image in its place, and keeps it until the new one is there', async () => {
    gateway.metadata.mockResolvedValue({ ...details, name: 'a.png', mimetype: 'image/png', upload_uuid: 'A' });
    show('data-values="A" data-with-cropping="true"');
    await flushPromises();
    await press('Crop a.png');
    const use = wrapper.findAll('dialog button').find((each) => each.text() === 'Use this part');
    await use?.trigger('click');
    await flushPromises();
    expect(inputs()).toEqual([['files_0', 'A']]);
    await finish('a.png', 'cut');
    expect(inputs()).toEqual([['files_0', 'cut']]);
    expect(told[0]?.detail).toEqual({ oldTokens: { 1: 'A' }, newTokens: { 1: 'cut' } });
  });
});

it('shares no id with another uploader of the page', () => {
  show('data-mimetypes="image/png"', '');
  const props = wrapper.props() as InstanceType<typeof UploaderWidget>['$props'];
  const other = mount(UploaderWidget, { props, attachTo: document.querySelector('main') as HTMLElement });
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(4);
  other.unmount();
});

it('keeps a stored image as it was when what replaces it is refused', async () => {
  gateway.metadata.mockResolvedValue({ ...details, name: 'a.png', mimetype: 'image/png', upload_uuid: 'A' });
  show('data-values="A" data-with-cropping="true"');
  await flushPromises();
  await press('Crop a.png');
  const use = wrapper.findAll('dialog button').find((each) => each.text() === 'Use this part');
  await use?.trigger('click');
  await flushPromises();
  opened[0]?.tell.failed(new GatewayError('tooLarge', 'At most 5 MB.', 413));
  await flushPromises();
  expect(wrapper.get('.osis-file').text()).toContain('At most 5 MB.');
  expect(wrapper.get('.osis-file a').attributes('href')).toBe('/file/A');
  expect(inputs()).toEqual([['files_0', 'A']]);
  expect(told).toEqual([]);
});

it('has no fault that axe finds, empty and full', async () => {
  show('data-values="A,B" data-max-files="3"');
  await flushPromises();
  await choose(file('a.pdf'), file('b.pdf'));
  opened[0]?.tell.progress(500);
  await flushPromises();
  const { violations } = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});
