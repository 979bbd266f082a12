import { describe, expect, it } from 'vitest';
import type { LabFit } from '../protocol/messages';
import { lawLines, type LawEnd } from './law';

const fit: LabFit = {
  problem: 'j0',
  contestant: 'A',
  variable: 'grid_size',
  exponent: 2,
  low: 1.9,
  high: 2.1,
  intercept: 0,
  first: 10,
  last: 100,
  theory: 4,
  limit: null,
  sentence: '',
};
const rounded = (ends: readonly LawEnd[] | null): number[][] | undefined =>
  ends?.map(({ size, error }) => [Number(size.toPrecision(6)), Number(error.toPrecision(6))]);

describe('the line of a law', () => {
  it('goes from the first size to the last, theory beside it with a slope of its own', () => {
    const { law, theory } = lawLines(fit, [1e-9, 1]);
    expect(rounded(law)).toEqual([
      [10, 1e-2],
      [100, 1e-4],
    ]);
    expect(rounded(theory)).toEqual([
      [10, 4e-3],
      [100, 4e-7],
    ]);
  });

  it('ends where the axis ends', () => {
    expect(rounded(lawLines(fit, [1e-4, 1]).theory)).toEqual([
      [10, 4e-3],
      [25.1487, 1e-4],
    ]);
    expect(rounded(lawLines({ ...fit, intercept: Math.log(100) }, [1e-9, 0.1]).law)).toEqual([
      [31.6228, 0.1],
      [100, 1e-2],
    ]);
    expect(lawLines(fit, [0.1, 1])).toEqual({ law: null, theory: null });
  });

  it('is missing where nothing was fitted or promised', () => {
    expect(lawLines({ ...fit, exponent: null }, [1e-9, 1])).toEqual({ law: null, theory: null });
    expect(lawLines({ ...fit, theory: null }, [1e-9, 1]).theory).toBeNull();
  });
});
