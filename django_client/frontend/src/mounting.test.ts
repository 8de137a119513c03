import { defineComponent, nextTick, onUnmounted } from 'vue';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { mountEverywhere } from './mounting';

const unmounted: string[] = [];

const Widget = defineComponent({
  props: { label: { type: String, required: true } },
  setup(props) {
    onUnmounted(() => unmounted.push(props.label));
    return () => `Hello ${props.label}`;
  },
});

beforeAll(() => {
  document.body.innerHTML = '<div class="widget" data-label="first">no script runs</div>';
  mountEverywhere('.widget', Widget, (element) => ({ label: element.dataset.label ?? '' }));
});

afterEach(async () => {
  document.body.replaceChildren();
  await observed();
  unmounted.length = 0;
});

/** Observers are told at the end of the current task. */
async function observed(): Promise<void> {
  await nextTick();
  await nextTick();
}

function element(label: string): HTMLElement {
  const made = document.createElement('div');
  made.className = 'widget';
  made.dataset.label = label;
  return made;
}

it('takes over what is on the page, and replaces what it held', () => {
  expect(document.body.textContent).toBe('Hello first');
});

it('takes over what is added later, also deep inside of it', async () => {
  const around = document.createElement('section');
  around.append(element('a'), element('b'));
  document.body.append(around, element('c'));
  await observed();
  expect(document.body.textContent).toBe('Hello aHello bHello c');
});

it('leaves one that is only moved as it is', async () => {
  const moved = element('a');
  const place = document.createElement('section');
  document.body.append(moved, place);
  await observed();
  const inside = moved.firstChild;
  place.append(moved);
  await observed();
  expect(unmounted).toEqual([]);
  expect(moved.firstChild).toBe(inside);
});

it('ends one that is gone for good, once, and begins it anew when it comes back', async () => {
  const back = element('a');
  document.body.append(back);
  await observed();
  back.remove();
  await observed();
  expect(unmounted).toEqual(['a']);
  document.body.append(back);
  await observed();
  expect(back.textContent).toBe('Hello a');
});

it('has nothing to do with other elements and with text', async () => {
  document.body.append('text', document.createElement('p'));
  await observed();
  expect(document.body.textContent).toBe('text');
});
