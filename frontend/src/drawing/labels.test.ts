import { describe, expect, it } from 'vitest';
import { fitText, formulaLabel, nodeName } from './labels';

describe('labels', () => {
  it('keeps what fits and shortens what does not', () => {
    expect(fitText('temperature', 200, 10)).toBe('temperature');
    expect(fitText('temperature', 40, 10)).toBe('temper…');
    expect(fitText('temperature', 9, 10)).toBe('');
  });

  it('names the function where the formula is too long', () => {
    expect(formulaLabel('2.1·sin(3.14·x) - 4', 'sin', 200, 11)).toBe('2.1·sin(3.14·x) - 4');
    expect(formulaLabel('2.1·sin(3.14·x) - 4', 'sin', 40, 11)).toBe('sin');
  });

  it('names nodes by their input, their output, or their place', () => {
    const name = (layer: number, index: number): string =>
      nodeName(['x', 'y'], ['f'], [2, 5, 1], layer, index);
    expect([name(0, 1), name(1, 3), name(2, 0)]).toEqual(['y', '1.3', 'f']);
  });
});
