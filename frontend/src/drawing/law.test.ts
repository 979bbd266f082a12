import { describe, expect, it } from 'vitest';
import type { LabFit } from '../protocol/messages';
import { lawLines } from './law';

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
const close = (size: number, error: number): object => ({
  size: expect.closeTo(size, 8) as number,
  error: expect.closeTo(error, 12) as number,
});

describe('the line of a law', () => {
  it('goes from the first size to the last, theory beside it with a slope of its own', () => {
    const { law, theory } = lawLines(fit, [1e-9, 1]);
    expect(law).toEqual([close(10, 1e-2), close(100, 1e-4)]);
    expect(theory).toEqual([close(10, 4e-3), close(100, 4e-7)]);
  });

  it('ends where the axis ends', () => {
    const { law, theory } = lawLines(fit, [1e-4, 1e-2]);
    expect(law).toEqual([close(10, 1e-2), close(100, 1e-4)]);
    expect(theory).toEqual([close(10, 4e-3), close(10 * 40 ** 0.25, 1e-4)]);
    expect(lawLines({ ...fit, intercept: Math.log(100) }, [1e-9, 0.1]).law?.[0]).toEqual(
      close(Math.sqrt(1000), 0.1),
    );
    expect(lawLines(fit, [0.1, 1])).toEqual({ law: null, theory: null });
  });

  it('is missing where nothing was fitted or promised', () => {
    expect(lawLines({ ...fit, exponent: null }, [1e-9, 1])).toEqual({ law: null, theory: null });
    expect(lawLines({ ...fit, theory: null }, [1e-9, 1]).theory).toBeNull();
  });
});
