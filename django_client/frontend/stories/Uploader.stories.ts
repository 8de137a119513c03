import type { Meta, StoryObj } from '@storybook/vue3-vite';
import { type ComponentOptions, h, type VNode } from 'vue';
import { readUploaderOptions } from '@/uploader/options';
import UploaderWidget from '@/uploader/UploaderWidget.vue';
import { baseUrl } from './support/gateway';
import { picture } from './support/picture';
import { choose, fakeFile, fakeServices, type Fate } from './support/uploads';

const PDF = 'application/pdf';

interface ChosenFile {
  file: File;
  /** What becomes of it. */
  fate?: Fate;
}

interface Shown {
  /** The attributes of the element, by their names without `data-`. */
  attributes?: Record<string, string>;
  /** What the element holds for pages without scripts. */
  inner?: string;
  /** The files that are chosen when the story begins. */
  files?: ChosenFile[] | 'portrait';
  /** The button that is pressed then, by the beginning of its name. */
  press?: string;
  /** The form is submitted then. */
  submits?: boolean;
  /** An upload that was cut off by a reload is remembered. */
  unfinished?: boolean;
}

/** Adds files to a form, and shows how they are doing. */
const meta: Meta<Shown> = { title: 'Uploader', render: (shown) => uploader(shown) };

export default meta;
type Story = StoryObj<Shown>;

export const Empty: Story = { args: {} };
export const WithLimits: Story = {
  args: { attributes: { mimetypes: `${PDF},image/png,image/jpeg`, 'max-size': '5000000', 'max-files': '3' } },
};
export const OwnTexts: Story = {
  args: { attributes: { 'upload-text': 'Your diploma, both sides', 'upload-button-text': 'Look for it' } },
};
export const Stored: Story = {
  args: { attributes: { values: 'A photo of the coast.png,Application 2026.pdf,Letter.docx,Notes.txt' } },
};
export const Full: Story = { args: { attributes: { values: 'Coast.png,Application.pdf', 'max-files': '2' } } };
export const Uploading: Story = {
  args: {
    attributes: { values: 'Coast.png' },
    files: ['Diploma.pdf', 'Transcript.pdf', 'Letter.pdf', 'Passport.pdf'].map((name) => of(name, 'sending')),
  },
};
export const ByButton: Story = {
  args: { attributes: { 'automatic-upload': 'false' }, files: [of('Diploma.pdf'), of('Transcript.pdf')] },
};
export const Paused: Story = { args: { files: [of('Diploma.pdf', 'sending')], press: 'Pause' } };
export const ConnectionLost: Story = { args: { files: [of('Diploma.pdf', 'lost'), of('Letter.pdf', 'lost')] } };
export const RateLimited: Story = {
  args: { files: ['1', '2', '3', '4'].map((number) => of(`Page ${number}.pdf`, 'limited')) },
};
export const ServerFault: Story = { args: { files: [of('Diploma.pdf', 'faulty')] } };
export const RefusedByServer: Story = { args: { files: [of('Diploma.pdf', 'refused'), of('Letter.pdf')] } };
export const RefusedBefore: Story = {
  args: {
    attributes: { mimetypes: PDF, 'max-size': '1000000', 'max-files': '1' },
    files: [
      of('Film.pdf'),
      { file: fakeFile('Song.mp3', 'audio/mpeg', 10) },
      { file: fakeFile('Nothing.pdf', PDF, 0) },
      { file: fakeFile('Letter.pdf', PDF, 10) },
      { file: fakeFile('One too many.pdf', PDF, 10) },
    ],
  },
};
export const AfterReload: Story = { args: { unfinished: true } };
export const SubmittedTooEarly: Story = { args: { files: [of('Diploma.pdf', 'sending')], submits: true } };
export const Renaming: Story = { args: { attributes: { values: 'Application 2026.pdf' }, press: 'Rename' } };
export const NamesAreFixed: Story = {
  args: { attributes: { values: 'Coast.png,Letter.docx', 'editable-filename': 'false' } },
};
export const Cropping: Story = {
  args: { attributes: { 'with-cropping': 'true', 'cropping-options': '{"aspectRatio": 1}' }, files: 'portrait' },
};
export const Loading: Story = { args: { attributes: { values: 'waiting-1' } } };
export const Infected: Story = { args: { attributes: { values: 'infected-1,Letter.docx' } } };
export const Expired: Story = { args: { attributes: { values: 'expired-1' } } };
export const Missing: Story = { args: { attributes: { values: 'missing-1' } } };
export const ServerDown: Story = { args: { attributes: { values: 'offline-1' } } };
export const References: Story = {
  args: {
    attributes: { values: 'kept~1,kept~2' },
    inner:
      '<ul><li><label><input type="checkbox" value="kept~1" checked> Diploma.pdf</label></li></ul><input type="file">',
  },
};
export const Disabled: Story = {
  args: { attributes: { values: 'Coast.png,Letter.docx' }, inner: '<input type="file" disabled>' },
};
export const TwelveFiles: Story = {
  args: { attributes: { values: Array.from({ length: 12 }, (_, number) => `Page ${number + 1}.pdf`).join() } },
};
export const LongName: Story = {
  args: { attributes: { values: `${'A_very_long_name_without_any_blank_'.repeat(4)}.pdf,شهادة التخرج 2026.pdf` } },
};

function of(name: string, fate: Fate = 'stored'): ChosenFile {
  return { file: fakeFile(name, PDF), fate };
}

/** A picture that is drawn on the spot. */
function portrait(): ChosenFile {
  const bytes = Uint8Array.from(atob(picture('Portrait.png').split(',')[1] ?? ''), (sign) => sign.charCodeAt(0));
  return { file: new File([bytes], 'Portrait.png', { type: 'image/png' }) };
}

function uploader(shown: Shown): ComponentOptions {
  const host = document.createElement('div');
  host.className = 'osis-document-uploader';
  host.innerHTML = shown.inner ?? '';
  const attributes = { name: 'files', values: '', 'base-url': baseUrl, ...shown.attributes };
  Object.entries(attributes).forEach(([name, value]) => host.setAttribute(`data-${name}`, value));
  const files: ChosenFile[] = shown.files === 'portrait' ? [portrait()] : (shown.files ?? []);
  const fates = Object.fromEntries(files.map(({ file, fate }) => [file.name, fate ?? 'stored']));
  const services = fakeServices(fates, shown.unfinished ? [remembered()] : []);
  const begin = ({ el }: VNode) => {
    const root = el as HTMLElement;
    if (files.length > 0) {
      choose(
        root,
        files.map(({ file }) => file),
      );
    }
    setTimeout(() => act(root, shown), 100);
  };
  return {
    render: () =>
      h('form', { onSubmit: (event: Event) => event.preventDefault(), onVnodeMounted: begin }, [
        h('div', { class: 'osis-document-uploader' }, [
          h(UploaderWidget, { options: readUploaderOptions(host), host, services }),
        ]),
      ]),
  };
}

function act(root: HTMLElement, { press, submits }: Shown): void {
  if (press) {
    root.querySelector<HTMLElement>(`[aria-label^="${press}"]`)?.click();
  }
  if (submits) {
    (root as HTMLFormElement).requestSubmit();
  }
}

function remembered() {
  const file = { name: 'Diploma.pdf', size: 2_000_000, type: PDF, lastModified: 1 };
  return { id: '1', ...file, url: `${baseUrl}uploads/1`, token: '', sent: 860_000, expires: Date.now() + 900_000 };
}
