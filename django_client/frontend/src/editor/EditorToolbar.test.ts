import { mount } from '@vue/test-utils';
import { beforeEach, expect, it, vi } from 'vitest';
import { reactive, ref } from 'vue';
import type { Editing } from './editing';
import EditorToolbar from './EditorToolbar.vue';

const everything = { pagination: true, zoom: true, comment: true, highlight: true, rotation: true };
let state: Editing['state'];

beforeEach(() => {
  state = reactive({
    page: 2,
    pages: 3,
    fit: '',
    zoom: 1.33,
    tool: 'none',
    highlight: '#ffff98',
    ink: '#c01c28',
    canUndo: true,
    canRedo: false,
    unsaved: true,
  });
});

function toolbar(tools = everything) {
  const editing = {
    state,
    options: { tools },
    saving: ref(false),
    note: ref('Unsaved changes'),
    goTo: vi.fn(),
    turn: vi.fn(),
    setScale: vi.fn(),
    setHighlight: vi.fn(),
    setCommenting: vi.fn(),
    undo: vi.fn(),
    save: vi.fn(),
  };
  return { editing, shown: mount(EditorToolbar, { props: { editing: editing as unknown as Editing } }) };
}

function groups(shown: ReturnType<typeof toolbar>['shown']): (string | undefined)[] {
  return shown.findAll('[role=group]').map((group) => group.attributes('aria-label'));
}

it('has the parts that are wanted, and always those for the changes', () => {
  expect(groups(toolbar().shown)).toEqual(['Pages', 'Zoom', 'Rotation', 'Highlight', 'Comment', 'Changes']);
  const none = { pagination: false, zoom: false, comment: false, highlight: false, rotation: false };
  expect(groups(toolbar(none).shown)).toEqual(['Changes']);
  expect(groups(toolbar({ ...none, comment: true }).shown)).toEqual(['Comment', 'Changes']);
});

it('asks for pages, and puts back what is no page', async () => {
  const { editing, shown } = toolbar();
  await shown.find('[aria-label="Next page"]').trigger('click');
  expect(editing.goTo).toHaveBeenLastCalledWith(3);
  const field = shown.find<HTMLInputElement>('input');
  await field.setValue('1');
  expect(editing.goTo).toHaveBeenLastCalledWith(1);
  await field.setValue('7');
  expect(editing.goTo).toHaveBeenCalledTimes(2);
  expect(field.element.value).toBe('2');
});

it('offers the zoom there is, also where it is none of those to choose from', () => {
  const options = toolbar().shown.findAll('option');
  expect(options.filter((each) => (each.element as HTMLOptionElement).selected).map((each) => each.text())).toEqual([
    '133%',
  ]);
});

it('shows which tool is in use, with its colours', async () => {
  const { editing, shown } = toolbar();
  const button = shown.find('[aria-label="Highlight text"]');
  expect(button.attributes('aria-pressed')).toBe('false');
  expect(shown.find('[aria-label="Undo"]').attributes('aria-pressed')).toBeUndefined();
  await button.trigger('click');
  expect(editing.setHighlight).toHaveBeenLastCalledWith('#ffff98');

  state.tool = 'highlight';
  await shown.vm.$nextTick();
  expect(button.attributes('aria-pressed')).toBe('true');
  await shown.find('select[title="Highlight colour"]').setValue('#53ffbc');
  expect(editing.setHighlight).toHaveBeenLastCalledWith('#53ffbc');
  await button.trigger('click');
  expect(editing.setHighlight).toHaveBeenLastCalledWith('');
});

it('tells whether there is something to save, and keeps the focus on its button', async () => {
  const { editing, shown } = toolbar();
  await shown.find('.osis-button--main').trigger('click');
  expect(editing.save).toHaveBeenCalledOnce();
  state.unsaved = false;
  await shown.vm.$nextTick();
  const button = shown.find('.osis-button--main').attributes();
  expect(button).toMatchObject({ 'aria-disabled': 'true' });
  expect(button).not.toHaveProperty('disabled');
});
