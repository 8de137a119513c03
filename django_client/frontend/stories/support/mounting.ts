import { type Component, type ComponentOptions, h } from 'vue';

/**
 * A widget on an element with attributes, as a page has it.
 *
 * @param className of the element
 * @param component the widget
 * @param read reads the attributes
 * @param attributes of the element, by their names without `data-`
 */
export function onElement<Options>(
  className: string,
  component: Component,
  read: (element: HTMLElement) => Options,
  attributes: Record<string, string>,
): ComponentOptions {
  const host = document.createElement('div');
  host.className = className;
  for (const [name, value] of Object.entries(attributes)) {
    host.setAttribute(`data-${name}`, value);
  }
  return {
    render: () => h('div', { class: className }, h(component, { options: read(host), host })),
  };
}
