import { describe, expect, it } from 'vitest';
import { shortcutOf, type Focus, type Pressed } from './shortcuts';

const press = (key: string, held: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

describe('shortcutOf', () => {
  it.each([
    [press(' '), 'run-or-pause'],
    [press('s'), 'step'],
    [press('?', { shiftKey: true }), 'help'],
    [press('Escape'), 'escape'],
    [press('z', { ctrlKey: true }), 'undo'],
    [press('z', { metaKey: true }), 'undo'],
    [press('Z', { ctrlKey: true, shiftKey: true }), 'redo'],
    [press('z'), null],
    [press('s', { ctrlKey: true }), null],
    [press('s', { altKey: true }), null],
  ])('%o means %s', (pressed, meaning) => {
    expect(shortcutOf(pressed, 'elsewhere')).toBe(meaning);
  });

  it('leaves every key but Escape to a field that is typed in', () => {
    const keys = [press(' '), press('s'), press('?'), press('z', { ctrlKey: true })];
    expect(keys.map((pressed) => shortcutOf(pressed, 'text'))).toEqual([null, null, null, null]);
    expect(shortcutOf(press('Escape'), 'text')).toBe('escape');
  });

  it('leaves the space bar to a button', () => {
    const meanings = (['control', 'elsewhere'] satisfies Focus[]).map((focus) =>
      shortcutOf(press(' '), focus),
    );
    expect(meanings).toEqual([null, 'run-or-pause']);
    expect(shortcutOf(press('s'), 'control')).toBe('step');
  });
});
