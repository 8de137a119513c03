import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

/** What the build, the tests and Storybook have in common. */
export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  test: {
    environment: 'jsdom',
    pool: 'vmThreads', // one jsdom for each worker, not for each file: half the time
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
    testTimeout: 30_000, // a busy machine fails no test
    coverage: { include: ['src/**'], reportsDirectory: '../../var/frontend-coverage' },
  },
});
