import { mount, type VueWrapper } from '@vue/test-utils';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defineComponent, h, nextTick, ref, useTemplateRef } from 'vue';
import { useRoving } from './roving';

const lastDisabled = ref(false);
const Toolbar = defineComponent(() => {
  useRoving(useTemplateRef<HTMLElement>('toolbar'));
  return () =>
    h('div', { ref: 'toolbar' }, [
      h('button', { id: 'one' }),
      h('button', { id: 'never', disabled: true }),
      h('input', { id: 'field', value: '12' }),
      h('button', { id: 'last', disabled: lastDisabled.value }),
    ]);
});

let wrapper: VueWrapper;

beforeEach(() => {
  lastDisabled.value = false;
  wrapper = mount(Toolbar, { attachTo: document.body });
});

afterEach(() => wrapper.unmount());

function focused(): string | undefined {
  return document.activeElement?.id;
}

async function press(key: string): Promise<void> {
  await wrapper.find(`#${focused()}`).trigger('keydown', { key });
}

function tabStops(): string[] {
  return [...document.querySelectorAll<HTMLElement>('[tabindex="0"]')].map((each) => each.id);
}

it('has one stop for the Tab key, where the focus was last', async () => {
  expect(tabStops()).toEqual(['one']);
  wrapper.find<HTMLElement>('#last').element.focus();
  expect(tabStops()).toEqual(['last']);
});

it('moves with arrow keys, Home and End, and passes over what is disabled', async () => {
  wrapper.find<HTMLElement>('#one').element.focus();
  await press('ArrowRight');
  expect(focused()).toBe('field');
  await press('End');
  expect(focused()).toBe('field'); // it has a use for that key itself
  wrapper.find<HTMLInputElement>('#field').element.setSelectionRange(2, 2);
  await press('ArrowRight');
  expect(focused()).toBe('last');
  await press('ArrowRight');
  expect(focused()).toBe('one');
  await press('End');
  expect(focused()).toBe('last');
});

it('leaves a text only at its ends', async () => {
  wrapper.find<HTMLElement>('#field').element.focus();
  wrapper.find<HTMLInputElement>('#field').element.setSelectionRange(1, 1);
  await press('ArrowLeft');
  expect(focused()).toBe('field');
  wrapper.find<HTMLInputElement>('#field').element.setSelectionRange(0, 0);
  await press('ArrowLeft');
  expect(focused()).toBe('one');
});

it('does not lose the focus with a control that is disabled', async () => {
  wrapper.find<HTMLElement>('#last').element.focus();
  lastDisabled.value = true;
  await nextTick();
  expect(focused()).toBe('field');
  expect(tabStops()).toEqual(['field']);
});
