import { describe, expect, it } from 'vitest';
import { layoutNetwork } from './layout';
import { neighbour } from './neighbour';
import type { LayerView } from './places';

function walk(view: LayerView, width: number, height: number, keys: string[]): string {
  const shape = {
    widths: [2, 3, 1],
    products: [],
    views: [view, view],
    live: [],
    nameRoom: { first: 40, last: 40 },
  };
  const { edges, flow } = layoutNetwork(shape, width, height);
  const index = keys.reduce((at, key) => neighbour(edges, flow, at, key) ?? at, 0);
  const edge = edges[index];
  return `${edge?.layer}.${edge?.source}.${edge?.target}`;
}

describe('neighbour', () => {
  it.each([
    ['ArrowRight', '0.1.0'],
    ['ArrowLeft', '0.0.0'],
    ['ArrowDown', '1.0.0'],
    ['ArrowUp', '0.0.0'],
  ])('in a network that is read downwards: %s', (key, expected) => {
    expect(walk('links', 800, 300, [key])).toBe(expected);
  });

  it.each([
    ['ArrowDown', '0.1.0'],
    ['ArrowRight', '1.0.0'],
  ])('in a network that is read to the right: %s', (key, expected) => {
    expect(walk('links', 300, 800, [key])).toBe(expected);
  });

  it.each([
    [['ArrowRight'], '0.1.0'],
    [['ArrowDown'], '0.0.1'],
    [['ArrowRight', 'ArrowRight'], '1.0.0'],
    [['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowLeft'], '0.1.1'],
  ])('in matrices: %s', (keys, expected) => {
    expect(walk('matrix', 800, 400, keys)).toBe(expected);
  });

  it.each([[[]], [[0, 2, 1]]])('reaches every edge from the first, where %j multiply', (products) => {
    const { edges, flow } = layoutNetwork(
      { widths: [3, 4, 2], products, views: ['links', 'links'], live: [], nameRoom: { first: 40, last: 40 } },
      700,
      300,
    );
    const seen = new Set([0]);
    for (const index of seen) {
      for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
        const next = neighbour(edges, flow, index, key);
        if (next !== null) seen.add(next);
      }
    }
    expect(seen.size).toBe(edges.length);
  });

  it('leaves other keys alone', () => {
    expect(neighbour([], 'down', 0, 'Home')).toBeNull();
  });
});
