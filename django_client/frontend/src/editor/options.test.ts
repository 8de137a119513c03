import { expect, it } from 'vitest';
import { readEditorOptions } from './options';

function options(attributes: string) {
  document.body.innerHTML = `<div ${attributes}></div>`;
  return readEditorOptions(document.body.firstElementChild as HTMLElement);
}

it('reads the token and the address of the gateway', () => {
  expect(options('data-value="a.b.c" data-base-url="/documents/"')).toMatchObject({
    token: 'a.b.c',
    baseUrl: '/documents/',
  });
});

it('has all tools where no attribute says otherwise', () => {
  expect(Object.values(options('').tools)).toEqual([true, true, true, true, true]);
});

it('leaves out the tools that are turned off', () => {
  const { tools } = options('data-zoom="" data-comment="False" data-highlight="false" data-rotation="true"');
  expect(tools).toEqual({ pagination: true, zoom: false, comment: false, highlight: false, rotation: true });
});
