// The style sheet of pdf.js's viewer, cut down to what the editor shows, and kept from touching the page around it.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const SCOPE = '.osis-document-editor';

/** Rules that begin so are for parts of Firefox's own viewer that are not here. */
const UNUSED = [
  /^\.(xfa|primaryButton|secondaryButton|messageBar|dialog|toggle-button|signatureDialog|editDescription|commentPopup|sidebar)/,
  /^\.(editorParamsToolbar|popupMenu|treeView|newBadge|spread|pdfPresentationMode)/,
  /^:is\(\.xfa/,
  /^#/,
  /^button\.hasPopupMenu/,
  /^@media[^{]*\{ (:root \{ --xfa|\.xfa|\.toggle-button)/,
];

/** Rules that must stand outside of the scope: pdf.js reads properties of the root element. */
const GLOBAL = /^(:root|@keyframes|@property|@font-face|@media[^{]*\{ :root)/;

/**
 * Writes the style sheet with the images that it names, and the icons of annotations, which scripts name.
 *
 * @param source the folder `web` of pdfjs-dist
 * @param into where `pdf_viewer.css` and `images` are put
 */
export async function writeViewerStyles(source, into) {
  const rules = topLevelRules(await readFile(join(source, 'pdf_viewer.css'), 'utf8'));
  const used = rules.filter((rule) => !UNUSED.some((pattern) => pattern.test(rule)));
  const outside = used.filter((rule) => GLOBAL.test(rule));
  const inside = used.filter((rule) => !GLOBAL.test(rule));
  const styles = `${outside.join('\n')}\n${SCOPE} {\n${inside.join('\n')}\n}\n`;
  await writeFile(join(into, 'pdf_viewer.css'), styles);
  await mkdir(join(into, 'images'));
  const named = [...styles.matchAll(/url\("?images\/([^")]+)"?\)/g)].map(([, image]) => basename(image));
  const icons = (await readdir(join(source, 'images'))).filter((image) => image.startsWith('annotation-'));
  for (const image of new Set([...named, ...icons])) {
    await cp(join(source, 'images', image), join(into, 'images', image));
  }
}

/** The rules of a style sheet, one text each, without comments. Images inside of it, which a strict policy refuses, are left out. */
function topLevelRules(styles) {
  const plain = styles
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/url\("data:[^"]*"\)/g, 'none')
    .replace(/\s+/g, ' ');
  const rules = [];
  let [depth, start] = [0, 0];
  for (const [end, character] of [...plain].entries()) {
    depth += { '{': 1, '}': -1 }[character] ?? 0;
    if (character === '}' && depth === 0) {
      rules.push(plain.slice(start, end + 1).trim());
      start = end + 1;
    }
  }
  return rules;
}
