// Builds the two scripts with their styles, and puts the parts of pdf.js that they load beside them.
//
//   node build/build.mjs [--watch] [FOLDER]    FOLDER is the app's static folder unless another is named
import { cp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { writeViewerStyles } from './viewer-styles.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const watch = process.argv.includes('--watch');
const named = process.argv.slice(2).find((each) => !each.startsWith('--'));
const target = resolve(named ?? join(here, '../osis_document/static/osis_document'));

const bundles = [
  { name: 'osis-document', global: 'OsisDocument' },
  { name: 'osis-document-editor', global: 'OsisDocumentEditor' },
];

/** Whatever a page says its characters are, the texts come out right. */
const inAscii = {
  name: 'in-ascii',
  generateBundle(_, files) {
    for (const file of Object.values(files).filter(({ type }) => type === 'chunk')) {
      file.code = file.code.replace(/[^\0-\x7f]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await copyPdfjs();
for (const bundle of bundles) {
  await buildBundle(bundle);
}
await printSizes();

/** One classic script that any page can name in a `<script src>`, and one style sheet. */
async function buildBundle({ name, global }) {
  await build({
    root: here,
    configFile: join(here, 'vite.config.ts'),
    logLevel: 'warn',
    plugins: [inAscii],
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
    build: {
      outDir: target,
      emptyOutDir: false,
      copyPublicDir: false,
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'], // those that know light-dark()
      target: 'es2022',
      sourcemap: false,
      cssCodeSplit: false,
      assetsInlineLimit: 0,
      license: { fileName: `${name}.licenses.md` },
      watch: watch ? {} : null,
      lib: {
        entry: join(here, 'src', `${name}.ts`),
        name: global,
        formats: ['umd'],
        fileName: () => `${name}.umd.min.js`,
        cssFileName: name,
      },
    },
  });
}

/** pdf.js as it is published: loaded by a page only when it shows a PDF. `.js`, since not every web server knows `.mjs`. */
async function copyPdfjs() {
  const source = join(here, 'node_modules/pdfjs-dist');
  const into = join(target, 'pdfjs');
  await mkdir(into);
  await cp(join(source, 'build/pdf.min.mjs'), join(into, 'pdf.min.js'));
  await cp(join(source, 'build/pdf.worker.min.mjs'), join(into, 'pdf.worker.min.js'));
  for (const folder of ['cmaps', 'standard_fonts', 'iccs']) {
    await cp(join(source, folder), join(into, folder), { recursive: true });
  }
  await cp(join(source, 'wasm'), join(into, 'wasm'), { recursive: true, filter: (path) => !path.includes('quickjs') });
  await cp(join(source, 'LICENSE'), join(into, 'LICENSE'));
  await writeViewerStyles(join(source, 'web'), into);
  await build({
    root: here,
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: into,
      emptyOutDir: false,
      target: 'es2022',
      rolldownOptions: { output: { minify: true } }, // a library is not minified otherwise
      lib: { entry: join(source, 'web/pdf_viewer.mjs'), formats: ['es'], fileName: () => 'pdf_viewer.min.js' },
    },
  });
}

async function printSizes() {
  for (const name of bundles.flatMap(({ name }) => [`${name}.umd.min.js`, `${name}.css`])) {
    const path = join(target, name);
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    const zipped = size ? gzipSync(await readFile(path)).length : 0;
    console.log(`${name.padEnd(32)} ${kilobytes(size)}, gzipped ${kilobytes(zipped)}`);
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(7)} kB`;
}
