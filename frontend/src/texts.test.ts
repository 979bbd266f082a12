import { describe, expect, it } from 'vitest';
import { texts } from './texts';

describe('texts', () => {
  it('writes no minus before a zero', () => {
    expect([-0.0001, -0, 0.9994, -0.25].map((value) => texts.fixed(value, 3))).toEqual([
      '0.000',
      '0.000',
      '0.999',
      '-0.250',
    ]);
  });

  it('counts who is here without those who are not', () => {
    expect([1, 2].map(texts.run.here)).toEqual(['only you', '2 here']);
  });

  it('names the inputs that are held, or counts them', () => {
    expect(texts.panels.held(['z', 'w'])).toBe('Held at their medians: z, w.');
    expect(texts.panels.held(['a', 'b', 'c', 'd', 'e'])).toBe(
      'The other 5 inputs are held at their medians.',
    );
  });
});
