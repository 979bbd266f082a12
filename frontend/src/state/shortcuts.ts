/** The keys of the page, apart from those of the edge that has the focus. */

export type Shortcut = 'run-or-pause' | 'step' | 'undo' | 'redo' | 'help' | 'escape';

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** What has the focus: keys that it needs itself are no shortcuts. */
export type Focus = 'text' | 'control' | 'elsewhere';

/** Returns what the key means, or null when it means nothing here. */
export function shortcutOf(pressed: Pressed, focus: Focus): Shortcut | null {
  if (pressed.key === 'Escape') return 'escape';
  if (focus === 'text' || pressed.altKey) return null;
  if (pressed.ctrlKey || pressed.metaKey) {
    return pressed.key.toLowerCase() !== 'z' ? null : pressed.shiftKey ? 'redo' : 'undo';
  }
  switch (pressed.key) {
    case ' ':
      return focus === 'control' ? null : 'run-or-pause';
    case 's':
      return 'step';
    case '?':
      return 'help';
    default:
      return null;
  }
}

const TEXT =
  'select, textarea, [contenteditable], input:not([type="checkbox"], [type="radio"], [type="range"])';
const CONTROL = 'button, a, input, summary, [role="tab"], [role="option"]';

/** Returns what kind of element the focus is on. */
export function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof Element)) return 'elsewhere';
  if (target.closest(TEXT) !== null) return 'text';
  return target.closest(CONTROL) === null ? 'elsewhere' : 'control';
}
