import { describe, expect, it } from 'vitest';
import { labTexts } from './lab-texts';

describe('runs of one spec', () => {
  it('are told from each other by their ids', () => {
    const run = { title: 'A race', created: 0, num_done: 3 };
    const [one, two] = ['Ab3-_xYzQ01', 'Zb3-_xYzQ01'].map((run_id) =>
      labTexts.compare.option({ ...run, run_id }, true),
    );
    expect(one).toContain('A race, run Ab3-_x, ');
    expect(two).not.toBe(one);
    expect(labTexts.runs.id('Ab3-_xYzQ01')).toBe('run Ab3-_x');
  });
});
