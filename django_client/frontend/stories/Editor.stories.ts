import type { Meta, StoryObj } from '@storybook/vue3-vite';
import { h } from 'vue';
import EditorWidget from '@/editor/EditorWidget.vue';
import { saveTrouble } from '@/editor/faults';
import { readEditorOptions } from '@/editor/options';
import TroubleNote from '@/editor/TroubleNote.vue';
import { type Fault, GatewayError } from '@/gateway/errors';
import { baseUrl } from './support/gateway';
import { onElement } from './support/mounting';

type Attributes = Record<string, string>;

/** Edits a PDF. The parts of pdf.js must be built: `npm run build`. */
const meta: Meta<Attributes> = {
  title: 'Editor',
  render: (attributes) =>
    onElement('osis-document-editor', EditorWidget, readEditorOptions, { 'base-url': baseUrl, ...attributes }),
};

export default meta;
type Story = StoryObj<Attributes>;

const nothing = { pagination: 'false', zoom: 'false', comment: 'false', highlight: 'false', rotation: 'false' };

export const Open: Story = { args: { value: 'Application 2026.pdf' } };
export const OnlyPagesAndZoom: Story = {
  args: { value: 'Application 2026.pdf', comment: 'false', highlight: 'false', rotation: 'false' },
};
export const OnlySaving: Story = { args: { value: 'Application 2026.pdf', ...nothing } };
export const Loading: Story = { args: { value: 'waiting-1' } };
export const NoPdf: Story = { args: { value: 'Letter.docx' } };
export const Infected: Story = { args: { value: 'infected-1' } };
export const Expired: Story = { args: { value: 'expired-1' } };
export const Missing: Story = { args: { value: 'missing-1' } };
export const ServerDown: Story = { args: { value: 'offline-1' } };
export const ServerFault: Story = { args: { value: 'broken-1' } };
export const SavingExpired: Story = { render: () => unsaved('expired') };
export const SavingOverAnother: Story = { render: () => unsaved('changed') };
export const SavingOffline: Story = { render: () => unsaved('offline') };
export const SavingTooLarge: Story = { render: () => unsaved('tooLarge') };

/** What is shown above the PDF when it could not be saved. */
function unsaved(fault: Fault) {
  const props = { trouble: saveTrouble(new GatewayError(fault)), unsaved: true, unturned: true };
  return {
    render: () =>
      h('div', { class: 'osis-document-editor' }, h('section', { class: 'osis-editor' }, h(TroubleNote, props))),
  };
}
