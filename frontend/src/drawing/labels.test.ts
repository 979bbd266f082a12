import { describe, expect, it } from 'vitest';
import { estimate, fitText, formulaLabel, hasLine, nodeName } from './labels';

describe('labels', () => {
  it('keeps what fits and shortens what does not', () => {
    const measure = estimate(10);
    expect(fitText('temperature', 200, measure)).toBe('temperature');
    expect(fitText('temperature', 40, measure)).toBe('tem…ure');
    expect(fitText('temperature', 9, measure)).toBe('');
  });

  it('keeps what names that begin alike differ in', () => {
    const names = ['sensor_reading_01', 'sensor_reading_12'];
    expect(names.map((name) => fitText(name, 56, estimate(10)))).toEqual(['sens…g_01', 'sens…g_12']);
  });

  it('goes by the letters where they can be measured', () => {
    const wide = (text: string): number => [...text].reduce((sum, one) => sum + (one === 'W' ? 12 : 5), 0);
    expect(fitText('iiiiiiii', 40, wide)).toBe('iiiiiiii');
    expect(fitText('WWWWWWWW', 40, wide)).toBe('W…W');
  });

  it('leaves lines out that would touch', () => {
    const named = (pitch: number): number[] =>
      [0, 1, 2, 3, 4, 5, 6].filter((index) => hasLine(index, pitch, 15));
    expect(named(15)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(named(7)).toEqual([0, 3, 6]);
  });

  it('names the function where the formula is too long', () => {
    expect(formulaLabel('2.1·sin(3.14·x) - 4', 'sin', 200, estimate(11))).toBe('2.1·sin(3.14·x) - 4');
    expect(formulaLabel('2.1·sin(3.14·x) - 4', 'sin', 40, estimate(11))).toBe('sin');
  });

  it('names nodes by their input, their output, or their place', () => {
    const name = (layer: number, index: number): string =>
      nodeName(['x', 'y'], ['f'], [2, 5, 1], layer, index);
    expect([name(0, 1), name(1, 3), name(2, 0)]).toEqual(['y', '1.3', 'f']);
  });
});
