import type { StorybookConfig } from '@storybook/vue3-vite';

/** The showcase of every state. It reports to nobody and asks nobody about newer versions. */
const config: StorybookConfig = {
  stories: ['../stories/*.stories.ts'],
  framework: { name: '@storybook/vue3-vite', options: { docgen: false } },
  // The parts of pdf.js as they were built: `npm run build` makes them.
  staticDirs: [{ from: '../../osis_document/static/osis_document/pdfjs', to: '/pdfjs' }],
  core: { disableTelemetry: true, enableCrashReports: false, disableWhatsNewNotifications: true },
  features: { sidebarOnboardingChecklist: false },
  // Browsers that know light-dark(), as in build/build.mjs: what stands in for it follows no `color-scheme` of the page.
  viteFinal: (vite) => ({ ...vite, build: { ...vite.build, cssTarget: ['chrome123', 'firefox120', 'safari17.5'] } }),
};

export default config;
