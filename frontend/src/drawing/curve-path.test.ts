import { describe, expect, it } from 'vitest';
import { comparableSpans, curvePath, curveScale, extent, zeroHeight } from './curve-path';

describe('curvePath', () => {
  it('fills the box with whole relative steps', () => {
    expect(curvePath(Float32Array.of(9, 0, 1, 0.5), 1, 3)).toBe('M0 100l50 -100l50 50');
  });

  it('draws a flat curve in the middle', () => {
    expect(curvePath(Float32Array.of(2, 2, 2), 0, 3)).toBe('M0 50l50 0l50 0');
  });

  it('draws a small curve as flat as it is', () => {
    const values = Float32Array.of(0, 1, 0);
    expect(curvePath(values, 0, 3, curveScale(values, 0, 3, 10))).toBe('M0 55l50 -10l50 10');
  });

  it('tells where zero lies, and that it lies outside', () => {
    const heightOfZero = (...values: number[]): number | null =>
      zeroHeight(curveScale(Float32Array.from(values), 0, values.length));
    expect(heightOfZero(-1, 3)).toBe(75);
    expect(heightOfZero(1, 3)).toBeNull();
    expect(heightOfZero(2, 2)).toBeNull();
  });

  it('compares edges into one node', () => {
    const values = Float32Array.of(0, 10, 0, 1, 0, 3);
    expect(comparableSpans(values, 2, ['1.0', '1.0', '1.1']).map((span) => span.toFixed(3))).toEqual([
      '2.000',
      '2.000',
      '0.600',
    ]);
  });

  it('knows its extent', () => {
    expect(extent(Float32Array.of(5, -1, 3), 1, 2)).toEqual([-1, 3]);
    expect(extent(new Float32Array(0), 0, 0)).toEqual([0, 0]);
  });
});
