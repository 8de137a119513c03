/** What a guard asks, and tells. */
export interface Guarded {
  /** Whether a form that is submitted now would lose something. */
  isPending(): boolean;
  /** Whether leaving the page would interrupt something. */
  isMoving(): boolean;
  /** A form was kept from being submitted. */
  held(): void;
  /** The form was submitted. */
  submitted(): void;
}

/** Keeps a form from being submitted, and a page from being left, while files are on their way; answers how to end that. */
export function guardForm(form: HTMLFormElement | null, guarded: Guarded): () => void {
  const ends = new AbortController();
  const { signal } = ends;
  let isLeavingByForm = false;
  const hold = (event: Event) => {
    if (event.target === form && guarded.isPending()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      guarded.held();
    }
  };
  const submitted = (event: Event) => {
    if (event.target === form && !event.defaultPrevented) {
      isLeavingByForm = true;
      guarded.submitted();
    }
  };
  const leave = (event: BeforeUnloadEvent) => {
    if (guarded.isMoving() && !isLeavingByForm) {
      event.preventDefault();
    }
  };
  if (form) {
    // Before all others that listen, and after them: one that sends the form itself prevents the browser's own way.
    window.addEventListener('submit', hold, { capture: true, signal });
    window.addEventListener('submit', submitted, { signal });
  }
  window.addEventListener('beforeunload', leave, { signal });
  window.addEventListener('pageshow', () => (isLeavingByForm = false), { signal }); // come back to, as it was left
  return () => ends.abort();
}
