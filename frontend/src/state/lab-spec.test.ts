import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstRace, firstSweep } from './lab-draft';
import { SpecState } from './lab-spec.svelte';
import { writeToml } from './lab-toml';

/** What the server says to every text until it is told otherwise. */
let verdict: { ok: boolean; sentence: string; toml: string | null };

/** Lets a text rest until the server has answered to it. */
async function settle(spec: SpecState): Promise<() => void> {
  const giveUp = spec.schedule(spec.text);
  await vi.advanceTimersByTimeAsync(300);
  return giveUp;
}

describe('a spec that is being written', () => {
  let spec: SpecState;
  beforeEach(() => {
    vi.useFakeTimers();
    verdict = { ok: true, sentence: '9 points.', toml: null };
    vi.stubGlobal('fetch', async () => ({ ok: true, json: async () => verdict }));
    spec = new SpecState();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is written by the form', () => {
    expect(spec.text).toBe(writeToml(firstRace()));
    spec.draft.title = 'Another';
    spec.draft.contestants.splice(1, 2);
    expect(spec.text).toContain('title = "Another"');
    expect(spec.text.match(/contestants/g)).toHaveLength(1);
  });

  it('fills the form when it is written by hand, and keeps the words of the hand', async () => {
    const text = `# mine\n${writeToml({ ...firstSweep(), title: 'By hand' })}`;
    spec.write(text);
    await settle(spec);
    expect([spec.draft.title, spec.text, spec.isLocked]).toEqual(['By hand', text, false]);
    spec.draft.seeds = [4];
    expect(spec.text).toContain('seeds = [4]');
    expect(spec.text).not.toContain('# mine');
  });

  it('locks the form while the text is wrong, and gives nothing up unasked', async () => {
    verdict = { ok: false, sentence: 'There is no colour.', toml: null };
    spec.write('colour = 1');
    await settle(spec);
    expect([spec.isLocked, spec.text, spec.check?.sentence]).toEqual([
      true,
      'colour = 1',
      'There is no colour.',
    ]);
    spec.write('colour = 12');
    expect(spec.isLocked).toBe(true);
    spec.rewrite();
    expect([spec.isLocked, spec.text]).toEqual([false, writeToml(firstRace())]);
  });

  it('locks the form where it has no field for what is right', async () => {
    spec.write('right = true');
    await settle(spec);
    expect([spec.isLocked, spec.check?.ok, spec.text]).toEqual([true, true, 'right = true']);
  });

  it('is held up by a field whose text is not taken, unless only the text counts', async () => {
    const right = spec.wrongFields.add('1', 'Seeds');
    expect(spec.wrongField).toBe('Seeds');
    spec.write('right = true');
    await settle(spec);
    expect([spec.isLocked, spec.wrongField]).toEqual([true, null]);
    spec.rewrite();
    expect(spec.wrongField).toBe('Seeds');
    right();
    expect(spec.wrongField).toBeNull();
  });

  it('reads the canonical form where the text itself is beyond it', async () => {
    verdict = { ok: true, sentence: '', toml: writeToml(firstSweep()) };
    spec.write('title = """\nover lines"""');
    await settle(spec);
    expect([spec.isLocked, spec.draft.sweep]).toEqual([false, firstSweep().sweep]);
    expect(spec.text).toContain('over lines');
  });

  it('hears no answer to a text that was given up', async () => {
    const giveUp = spec.schedule(spec.text);
    giveUp();
    await vi.advanceTimersByTimeAsync(300);
    expect([spec.check, spec.isChecking]).toEqual([null, true]);
  });

  it('says so when the server says nothing', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new Error('no route')));
    await settle(spec);
    expect(spec.check?.ok).toBe(false);
    expect(spec.check?.sentence).toContain('cannot be reached');
  });
});
