import { describe, expect, it } from 'vitest';
import { coursePath, linearTicks } from './course';
import { logAxis, valueAxis } from './log-axis';

describe('a logarithmic axis', () => {
  it('goes from power to power of ten', () => {
    const axis = logAxis([0.02, 3e-5]);
    expect(axis.ticks.map(({ exponent }) => exponent)).toEqual([-5, -4, -3, -2, -1]);
    expect([1e-5, 1e-3, 0.1].map(axis.place)).toEqual([0, 0.5, 1]);
    expect([0, 7].map(axis.place)).toEqual([0, 1]);
  });

  it('has room for one value, for none and for nothing at all', () => {
    expect(logAxis([0.01]).ticks.map(({ at }) => at)).toEqual([0, 1]);
    expect(logAxis([]).place(1)).toBe(1);
    expect(logAxis([0, NaN]).place(0)).toBe(0);
  });

  it('leaves ticks out rather than crowd them', () => {
    const { ticks } = logAxis([1e-15, 1]);
    expect(ticks.length).toBeLessThanOrEqual(5);
    expect(ticks.every(({ at }) => at >= 0 && at <= 1)).toBe(true);
  });

  it('places the values of a sweep evenly by their ratio', () => {
    const { place } = valueAxis([5, 50, 500]);
    expect([5, 50, 500].map((value) => Number(place(value).toFixed(3)))).toEqual([0.05, 0.5, 0.95]);
    expect(valueAxis([5]).place(5)).toBe(0.5);
  });
});

describe('a course', () => {
  it('runs from left to right and falls with the error', () => {
    const box = { left: 10, top: 0, width: 100, height: 100 };
    const places = [
      { at: 0, error: 1 },
      { at: 50, error: 0.01 },
    ];
    expect(coursePath(places, logAxis([1, 0.01]), 100, box)).toBe('M10.0,0.0L60.0,100.0');
    expect(coursePath([], logAxis([]), 0, box)).toBe('');
  });

  it('has round numbers under it', () => {
    expect(linearTicks(97)).toEqual([0, 20, 40, 60, 80]);
    expect(linearTicks(0.3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(linearTicks(0)).toEqual([0]);
  });
});
