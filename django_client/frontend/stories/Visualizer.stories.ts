import type { Meta, StoryObj } from '@storybook/vue3-vite';
import VisualizerWidget from '@/visualizer/VisualizerWidget.vue';
import { readVisualizerOptions } from '@/visualizer/options';
import { baseUrl, progressUrl } from './support/gateway';
import { onElement } from './support/mounting';

type Attributes = Record<string, string>;

/** Shows documents, whatever state they are in. */
const meta: Meta<Attributes> = {
  title: 'Visualizer',
  render: (attributes) =>
    onElement('osis-document-visualizer', VisualizerWidget, readVisualizerOptions, {
      'base-url': baseUrl,
      ...attributes,
    }),
};

export default meta;
type Story = StoryObj<Attributes>;

export const Picture: Story = { args: { values: 'A photo of the coast.png' } };
export const Pdf: Story = { args: { values: 'Application 2026.pdf' } };
export const OtherTypes: Story = { args: { values: 'Letter.docx,Notes.txt,Report.odt,Archive.zip,Unknown.xyz' } };
export const Several: Story = {
  args: { values: 'Coast.png,Application.pdf,Letter.docx,infected-1,Mountains.png,expired-1,Diploma.pdf' },
};
export const LongName: Story = { args: { values: `${'A_very_long_name_without_any_blank_'.repeat(4)}.pdf` } };
export const RightToLeftName: Story = { args: { values: 'شهادة التخرج 2026.pdf' } };
export const Loading: Story = { args: { values: 'waiting-1' } };
export const Infected: Story = { args: { values: 'infected-1' } };
export const Expired: Story = { args: { values: 'expired-1' } };
export const Missing: Story = { args: { values: 'missing-1' } };
export const Damaged: Story = { args: { values: 'damaged-1' } };
export const ServerDown: Story = { args: { values: 'offline-1' } };
export const ServerFault: Story = { args: { values: 'broken-1' } };
export const BeingPrepared: Story = { args: unfinished('growing') };
export const BeingPreparedForLong: Story = { args: unfinished('pending') };
export const BeingPreparedServerDown: Story = { args: unfinished('offline') };
export const BeingPreparedLinkExpired: Story = { args: unfinished('expired') };
export const FailsWhileFollowed: Story = { args: unfinished('failing') };
export const Failed: Story = {
  args: listed([{ status: 'FAILED', errors: { messages: ['The file is protected by a password.'] } }]),
};
export const Mixed: Story = {
  args: listed([
    { token: 'Coast.png' },
    { status: 'PENDING', progress_url: progressUrl('pending') },
    { error: { code: 'INFECTED', message: 'The document was declared infected.' } },
    { status: 'FAILED', errors: { messages: ['The file is protected by a password.'] } },
    { token: 'Application.pdf' },
  ]),
};

function unfinished(kind: Parameters<typeof progressUrl>[0]): Attributes {
  return { 'post-process-status': 'PENDING', 'get-progress-url': progressUrl(kind) };
}

function listed(documents: object[]): Attributes {
  return { documents: JSON.stringify(documents) };
}
