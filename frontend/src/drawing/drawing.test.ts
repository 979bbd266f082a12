import { describe, expect, it } from 'vitest';
import { comparableSpans, curvePath, extent } from './curve-path';
import { layoutNetwork } from './layout';

describe('curvePath', () => {
  it('fills the box with whole relative steps', () => {
    expect(curvePath(Float32Array.of(9, 0, 1, 0.5), 1, 3)).toBe('M0 100l50 -100l50 50');
  });

  it('draws a flat curve in the middle', () => {
    expect(curvePath(Float32Array.of(2, 2, 2), 0, 3)).toBe('M0 50l50 0l50 0');
  });

  it('draws a small curve as flat as it is', () => {
    expect(curvePath(Float32Array.of(0, 1, 0), 0, 3, 10)).toBe('M0 55l50 -10l50 10');
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

describe('layoutNetwork', () => {
  it('lists edges in the order of frames', () => {
    const { edges } = layoutNetwork([2, 2, 1], 800, 400);
    expect(edges.map(({ layer, source, target }) => `${layer}.${source}.${target}`)).toEqual([
      '0.0.0',
      '0.1.0',
      '0.0.1',
      '0.1.1',
      '1.0.0',
      '1.1.0',
    ]);
  });

  it('keeps thumbnails of a layer apart and inside', () => {
    for (const widths of [
      [2, 5, 1],
      [4, 6],
      [1, 1],
      [5, 5, 1],
    ]) {
      const layout = layoutNetwork(widths, 800, 500);
      for (let layer = 0; layer + 1 < widths.length; layer++) {
        const heights = layout.edges.filter((edge) => edge.layer === layer).map((edge) => edge.at.y);
        const sorted = [...heights].sort((left, right) => left - right);
        sorted.forEach((y, index) => {
          expect(y).toBeGreaterThan(layout.size / 2 - 1);
          expect(y).toBeLessThan(500);
          const next = sorted[index + 1];
          if (next !== undefined) expect(next - y).toBeGreaterThanOrEqual(layout.size);
        });
      }
    }
  });
});
