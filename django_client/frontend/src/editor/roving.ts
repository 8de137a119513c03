import { onMounted, onUpdated, type Ref } from 'vue';

const CONTROLS = 'button, input, select';

/**
 * One stop for the Tab key in a toolbar, and arrow keys, Home and End within it.
 *
 * Controls that are disabled are passed over; where the one with the focus is disabled by its own work, the next takes it.
 *
 * @param toolbar the element
 */
export function useRoving(toolbar: Readonly<Ref<HTMLElement | null>>): void {
  let current: HTMLElement | undefined;
  const all = () => [...(toolbar.value?.querySelectorAll<HTMLElement>(CONTROLS) ?? [])];
  const enabled = () => all().filter((control) => !control.hasAttribute('disabled'));

  const settle = () => {
    const controls = enabled();
    if (!current || !controls.includes(current)) {
      const next = nearest(controls, current);
      if (current && current === document.activeElement) {
        next?.focus();
      }
      current = next;
    }
    for (const control of all()) {
      control.tabIndex = control === current ? 0 : -1;
    }
  };

  const onKeydown = (event: KeyboardEvent) => {
    const controls = enabled();
    const step = stepOf(event, controls.length, controls.indexOf(event.target as HTMLElement));
    if (step !== undefined) {
      event.preventDefault();
      controls[step]?.focus();
    }
  };

  const onFocusin = ({ target }: FocusEvent) => {
    if (target instanceof HTMLElement && target.matches(CONTROLS)) {
      current = target;
      settle();
    }
  };

  onMounted(() => {
    toolbar.value?.addEventListener('keydown', onKeydown);
    toolbar.value?.addEventListener('focusin', onFocusin);
    settle();
  });
  onUpdated(settle);
}

/** The control that a key leads to; undefined for keys that the control itself has use for. */
function stepOf(event: KeyboardEvent, count: number, from: number): number | undefined {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.altKey || event.metaKey || from < 0 || !leavesText(target, event.key)) {
    return undefined;
  }
  const forward = getComputedStyle(target).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
  const backward = forward === 'ArrowRight' ? 'ArrowLeft' : 'ArrowRight';
  const steps: Record<string, number> = {
    [forward]: (from + 1) % count,
    [backward]: (from - 1 + count) % count,
    Home: 0,
    End: count - 1,
  };
  return steps[event.key];
}

/** In a text, arrow keys move within it until its end is reached. */
function leavesText(target: HTMLElement, key: string): boolean {
  if (!(target instanceof HTMLInputElement)) {
    return true;
  }
  const { selectionStart: start, selectionEnd: end, value } = target;
  return start === end && ((key === 'ArrowLeft' && start === 0) || (key === 'ArrowRight' && end === value.length));
}

function nearest(controls: HTMLElement[], to: HTMLElement | undefined): HTMLElement | undefined {
  const after = to && controls.find((each) => to.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
  return after ?? (to ? controls.at(-1) : controls[0]);
}
