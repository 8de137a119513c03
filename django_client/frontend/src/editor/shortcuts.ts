/** What a key asks of an editor: Ctrl+S, Ctrl+Z, Ctrl+Y (⌘ on a Mac); undefined where it is meant for a text. */
export function shortcut(event: KeyboardEvent): 'save' | 'undo' | 'redo' | undefined {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) {
    return undefined;
  }
  const key = event.key.toLowerCase();
  if (key === 's' && !event.shiftKey) {
    return 'save';
  }
  if (isText(event.target)) {
    return undefined; // it has a history of its own
  }
  if (key === 'z') {
    return event.shiftKey ? 'redo' : 'undo';
  }
  return key === 'y' ? 'redo' : undefined;
}

function isText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
