import { type App, type Component, createApp } from 'vue';

const mounted = new WeakMap<HTMLElement, App>();

/**
 * Mounts a component on every element that matches, and on those that are added to the page later.
 *
 * What the element held, which is what a page without scripts shows, is replaced. A component whose element leaves the page for
 * good is unmounted; one that is only moved stays as it is.
 */
export function mountEverywhere<Props extends Record<string, unknown>>(
  selector: string,
  component: Component,
  readProps: (element: HTMLElement) => Props,
): void {
  const start = () => {
    mountBelow(document);
    new MutationObserver((records) => {
      const changed = records.flatMap((record) => [...record.addedNodes, ...record.removedNodes]);
      for (const node of changed.filter((each) => each instanceof HTMLElement)) {
        // Where the node is now counts, not what was done to it: one that was moved was removed and added.
        if (node.isConnected) {
          mountBelow(node);
        } else {
          unmountBelow(node);
        }
      }
    }).observe(document.documentElement, { childList: true, subtree: true });
  };

  const mountBelow = (root: Document | HTMLElement) => {
    for (const element of matching(root)) {
      if (!mounted.has(element)) {
        const app = createApp(component, readProps(element));
        mounted.set(element, app);
        app.mount(element);
      }
    }
  };

  const unmountBelow = (root: HTMLElement) => {
    for (const element of matching(root)) {
      mounted.get(element)?.unmount();
      mounted.delete(element);
    }
  };

  const matching = (root: Document | HTMLElement): HTMLElement[] => {
    const below = [...root.querySelectorAll<HTMLElement>(selector)];
    return root instanceof HTMLElement && root.matches(selector) ? [root, ...below] : below;
  };

  if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', start, { once: true });
  } else {
    start();
  }
}
