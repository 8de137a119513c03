import { Attributes } from '@/attributes';

/** The parts of the toolbar; each is there unless its attribute turns it off. */
export interface Tools {
  pagination: boolean;
  zoom: boolean;
  comment: boolean;
  highlight: boolean;
  rotation: boolean;
}

/** What the attributes of an editor say. */
export interface EditorOptions {
  baseUrl: string;
  /** The write token of the PDF. */
  token: string;
  tools: Tools;
}

/** Reads the attributes of an element. */
export function readEditorOptions(element: HTMLElement): EditorOptions {
  const attributes = new Attributes(element);
  return {
    baseUrl: attributes.text('base-url'),
    token: attributes.text('value'),
    tools: {
      pagination: attributes.flag('pagination', true),
      zoom: attributes.flag('zoom', true),
      comment: attributes.flag('comment', true),
      highlight: attributes.flag('highlight', true),
      rotation: attributes.flag('rotation', true),
    },
  };
}
