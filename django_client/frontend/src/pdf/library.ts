import type * as pdfjs from 'pdfjs-dist';
import type * as viewer from 'pdfjs-dist/web/pdf_viewer.mjs';

/** The address of the folder that this script came from, with the slash at its end; pdf.js lies below it. */
const folder = new URL('.', (document.currentScript as HTMLScriptElement | null)?.src ?? document.baseURI).href;

const parts = {
  wasmUrl: `${folder}pdfjs/wasm/`,
  cMapUrl: `${folder}pdfjs/cmaps/`,
  standardFontDataUrl: `${folder}pdfjs/standard_fonts/`,
  iccUrl: `${folder}pdfjs/iccs/`,
  cMapPacked: true,
  enableXfa: false,
  verbosity: 0, // errors only: what is odd in a PDF is no matter of the page around it
};

/** pdf.js, fetched by the first page that shows a PDF. */
export async function loadPdfjs(): Promise<typeof pdfjs> {
  const library = (await import(/* @vite-ignore */ `${folder}pdfjs/pdf.min.js`)) as typeof pdfjs;
  library.GlobalWorkerOptions.workerSrc = `${folder}pdfjs/pdf.worker.min.js`;
  return library;
}

/** The address of the folder with the images of annotations, with the slash at its end. */
export const imagesUrl = `${folder}pdfjs/images/`;

/** The viewer of pdf.js with its styles, which only the editor needs. */
export async function loadViewer(): Promise<typeof viewer> {
  const styled = loadStyles(`${folder}pdfjs/pdf_viewer.css`);
  Object.assign(globalThis, { pdfjsLib: await loadPdfjs() }); // where the viewer looks for the library
  await styled; // the viewer measures what it shows
  return (await import(/* @vite-ignore */ `${folder}pdfjs/pdf_viewer.min.js`)) as typeof viewer;
}

/**
 * Opens a PDF; only the parts that are shown are fetched, by range requests.
 *
 * @param url where it is read
 */
export async function openPdf(url: string): Promise<pdfjs.PDFDocumentLoadingTask> {
  const { getDocument } = await loadPdfjs();
  return getDocument({ url, disableAutoFetch: true, disableStream: true, ...parts });
}

/**
 * Opens a PDF whose parts are fetched by someone else.
 *
 * @param range is asked for them, and given them
 */
export async function openParts(range: pdfjs.PDFDataRangeTransport): Promise<pdfjs.PDFDocumentLoadingTask> {
  const { getDocument } = await loadPdfjs();
  return getDocument({ range, disableAutoFetch: true, disableStream: true, ...parts });
}

let styles: Promise<void> | undefined;

/** Puts a style sheet into the page, once; one that cannot be had keeps nobody from reading. */
function loadStyles(href: string): Promise<void> {
  styles ??= new Promise((resolve) => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href });
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => resolve());
    document.head.prepend(link); // before the page's own, which may change it
  });
  return styles;
}
