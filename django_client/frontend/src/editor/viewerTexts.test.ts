import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ViewerTexts } from './viewerTexts';

let root: HTMLElement;
let texts: ViewerTexts;

beforeEach(() => {
  document.documentElement.lang = 'en';
  root = document.createElement('div');
  texts = new ViewerTexts();
});

afterEach(() => {
  document.documentElement.lang = '';
  return texts.destroy();
});

it('names what is there already', async () => {
  root.innerHTML = `<div data-l10n-id="pdfjs-page-landmark" data-l10n-args='{"page": 3}'></div>`;
  await texts.translate(root);
  expect(root.firstElementChild?.getAttribute('aria-label')).toBe('Page 3');
});

it('names what comes later, in the language of the page', async () => {
  document.documentElement.lang = 'fr-BE';
  await texts.translate(root);
  root.innerHTML = '<p><button data-l10n-id="pdfjs-editor-remove-highlight-button"></button></p>';
  await vi.waitFor(() => expect(root.querySelector('button')?.title).toBe('Supprimer le surlignage'));
});

it('keeps the buttons of pdf.js from sending a form', async () => {
  root.innerHTML = '<button data-l10n-id="pdfjs-editor-colorpicker-button"></button>';
  await texts.translate(root);
  expect(root.querySelector('button')?.type).toBe('button');
});

it('follows an element that takes another text', async () => {
  await texts.translate(root);
  root.setAttribute('data-l10n-id', 'pdfjs-editor-highlight-added-alert');
  await vi.waitFor(() => expect(root.textContent).toBe('Highlight added'));
});

it('leaves alone what it has no text for', async () => {
  root.innerHTML = '<i data-l10n-id="pdfjs-editor-stamp-button" title="as it is"></i>';
  await texts.translate(root);
  expect(root.firstElementChild?.getAttribute('title')).toBe('as it is');
  expect(await texts.get('pdfjs-editor-stamp-button')).toBe('');
  expect(await texts.get('pdfjs-free-text2')).toBe('Text on the page');
});
