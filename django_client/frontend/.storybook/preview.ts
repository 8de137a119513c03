import type { Decorator, Preview } from '@storybook/vue3-vite';
import { h } from 'vue';
import '@/styles/base.css';
import { fakeGateway } from '../stories/support/gateway';
import './preview.css';

/** Shows a story in the page that the toolbar describes: its language, colours, direction and width. */
const inPage: Decorator = (story, { globals, id }) => {
  const { language, colours, direction, width } = globals as Record<string, string>;
  const root = document.documentElement;
  root.lang = language ?? 'en';
  root.dir = direction ?? 'ltr';
  root.style.colorScheme = colours ?? 'light';
  const shown = story();
  return {
    // The texts are chosen when a widget is made, so another language makes another one.
    render: () => h('div', { class: `story-frame story-frame--${width}` }, h(shown, { key: `${id} ${language}` })),
  };
};

const preview: Preview = {
  decorators: [inPage],
  parameters: { layout: 'fullscreen' },
  beforeEach: () => fakeGateway(),
  initialGlobals: { language: 'en', colours: 'light', direction: 'ltr', width: 'column' },
  globalTypes: {
    language: choice('Language', 'globe', { en: 'English', fr: 'Français' }),
    colours: choice('Colours', 'mirror', { light: 'Light', dark: 'Dark' }),
    direction: choice('Direction', 'transfer', { ltr: 'Left to right', rtl: 'Right to left' }),
    width: choice('Width', 'grow', { column: 'A column of text', phone: 'A phone, 320 px', full: 'The whole window' }),
  },
};

export default preview;

/** A menu of the toolbar. */
function choice(title: string, icon: string, titles: Record<string, string>) {
  const items = Object.entries(titles).map(([value, each]) => ({ value, title: each }));
  return { description: title, toolbar: { title, icon: icon as 'globe', items, dynamicTitle: true } };
}
