import { describe, expect, it } from 'vitest';
import { blendLayouts, layoutNetwork, linkPath, suitableView } from './layout';
import type { EdgePlace, Layout, LayerView, Shape } from './places';

function shape(widths: number[], options: Partial<Shape> = {}): Shape {
  const views = widths.slice(0, -1).map((): LayerView => 'links');
  return { widths, views, live: [], nameRoom: { first: 40, last: 40 }, ...options };
}

const names = (edges: EdgePlace[]): string[] =>
  edges.map(({ layer, source, target }) => `${layer}.${source}.${target}`);

const touch = (left: EdgePlace, right: EdgePlace): boolean =>
  Math.abs(left.at.x - right.at.x) < (left.size + right.size) / 2 - 0.01 &&
  Math.abs(left.at.y - right.at.y) < (left.size + right.size) / 2 - 0.01;

function touching({ edges }: Layout): string[] {
  return edges.flatMap((edge, index) =>
    edges.slice(0, index).flatMap((other) => (touch(edge, other) ? [names([edge, other]).join(' ')] : [])),
  );
}

function outside({ edges, width, height }: Layout): EdgePlace[] {
  return edges.filter(
    ({ at, size }) =>
      at.x < size / 2 || at.x > width - size / 2 || at.y < size / 2 || at.y > height - size / 2,
  );
}

describe('layoutNetwork', () => {
  it('lists edges in the order of frames', () => {
    const expected = ['0.0.0', '0.1.0', '0.0.1', '0.1.1', '1.0.0', '1.1.0'];
    expect(names(layoutNetwork(shape([2, 2, 1]), 800, 400).edges)).toEqual(expected);
    const mixed = shape([2, 2, 1], { views: ['matrix', 'links'] });
    expect(names(layoutNetwork(mixed, 800, 400).edges)).toEqual(expected);
  });

  const widthsOf = [
    [1, 1],
    [2, 5, 1],
    [4, 6],
    [5, 5, 1],
    [2, 3, 3, 3, 3, 1],
    [32, 1],
  ];
  const rooms: [number, number][] = [
    [740, 300],
    [350, 420],
    [200, 900],
  ];
  it.each(widthsOf.flatMap((widths) => rooms.map(([width, height]) => ({ widths, width, height }))))(
    'keeps boxes apart and inside: $widths in $width × $height',
    ({ widths, width, height }) => {
      const layout = layoutNetwork(shape(widths), width, height);
      expect(touching(layout)).toEqual([]);
      expect(outside(layout)).toEqual([]);
    },
  );

  it('reads downwards in a wide room and to the right in a tall one', () => {
    expect(layoutNetwork(shape([2, 5, 1]), 740, 300).flow).toBe('down');
    expect(layoutNetwork(shape([2, 5, 1]), 300, 700).flow).toBe('right');
  });

  it('gives the room of cut edges to those that live, without turning round', () => {
    const cut = Array.from({ length: 15 }, (_, index) => index === 6 || index === 7 || index === 13);
    const [before, after] = [[], cut].map((live) => layoutNetwork(shape([2, 5, 1], { live }), 400, 600));
    expect(after?.flow).toBe(before?.flow);
    expect(after?.edges[6]?.size).toBeGreaterThan(before?.edges[6]?.size ?? Infinity);
    expect(after?.edges[0]?.size).toBeLessThan(before?.edges[0]?.size ?? 0);
    expect(touching(after ?? layoutNetwork(shape([1, 1]), 9, 9))).toEqual([]);
  });

  it('outgrows the room rather than draw what nobody can read', () => {
    const layout = layoutNetwork(shape([16, 16]), 360, 300);
    expect(Math.min(...layout.edges.map((edge) => edge.size))).toBeGreaterThanOrEqual(12);
    expect(Math.max(layout.width, layout.height)).toBeGreaterThan(2000);
  });

  it('keeps what is small together in the middle where the rest outgrows the room', () => {
    const layout = layoutNetwork(shape([2, 20, 20, 1]), 680, 300);
    expect(layout.flow).toBe('down');
    expect(layout.width).toBeGreaterThan(5000);
    const ends = [...(layout.nodes[0] ?? []), ...(layout.nodes[3] ?? [])];
    expect(ends.map((node) => Math.abs(node.x - layout.width / 2) < 340)).toEqual([true, true, true]);
    expect(touching(layout)).toEqual([]);
    expect(outside(layout)).toEqual([]);
  });

  it('shows the larger part of what outgrows the room', () => {
    const layout = layoutNetwork(shape([12, 5, 1]), 680, 280);
    expect(layout.flow).toBe('down');
    expect(layout.width).toBeLessThan(900);
  });

  it('makes room for long names beside the nodes', () => {
    const [short, long] = [40, 110].map((nameRoom) =>
      layoutNetwork(shape([2, 2, 1], { nameRoom: { first: nameRoom, last: 40 } }), 400, 900),
    );
    expect(long?.nodes[0]?.[0]?.x).toBeGreaterThan(short?.nodes[0]?.[0]?.x ?? Infinity);
  });
});

describe('the matrix of functions', () => {
  const wide = shape([10, 15, 1], { views: ['matrix', 'links'] });
  const layout = layoutNetwork(wide, 740, 460);

  it('has rows for targets at the heights of their nodes, and columns for sources', () => {
    const [matrix] = layout.matrices;
    expect(matrix?.rows).toEqual(layout.nodes[1]?.map((node) => node.y));
    for (const edge of layout.edges.filter((one) => one.layer === 0)) {
      expect(edge.at).toEqual({ x: matrix?.columns[edge.source], y: matrix?.rows[edge.target] });
    }
  });

  it('keeps its cells apart, between the nodes on either side', () => {
    expect(touching(layout)).toEqual([]);
    const [matrix] = layout.matrices;
    expect(matrix?.left).toBeGreaterThan(layout.nodes[0]?.[0]?.x ?? Infinity);
    expect((matrix?.left ?? 0) + (matrix?.width ?? 0)).toBeLessThan(layout.nodes[1]?.[0]?.x ?? 0);
    expect(matrix?.pitch).toBeGreaterThan(20);
  });

  it.each([
    [[2, 20, 20, 1], 680, 540],
    [[4, 20, 12, 1], 680, 540],
    [[12, 5, 1], 680, 280],
  ])('fits a tablet: %j', (widths, width, height) => {
    const views = widths.slice(1).map((targets, layer) => suitableView(targets * (widths[layer] ?? 1)));
    const fitted = layoutNetwork(shape(widths, { views }), width, height);
    expect([fitted.width, fitted.height]).toEqual([width, height]);
    expect(outside(fitted)).toEqual([]);
    expect(Math.min(...fitted.edges.map((edge) => edge.size))).toBeGreaterThan(12);
  });

  it('outgrows a narrow room', () => {
    const narrow = layoutNetwork(shape([32, 32], { views: ['matrix'] }), 360, 300);
    expect(Math.min(...narrow.edges.map((edge) => edge.size))).toBeGreaterThan(12);
    expect(narrow.width).toBeGreaterThan(360);
    expect(outside(narrow)).toEqual([]);
  });

  it('suits layers above 25 edges', () => {
    expect([25, 26].map(suitableView)).toEqual(['links', 'matrix']);
  });
});

describe('linkPath', () => {
  it('runs from node to box and from box to node', () => {
    const layout = layoutNetwork(shape([1, 1]), 100, 400);
    const [edge] = layout.edges;
    expect(layout.flow).toBe('down');
    expect(edge === undefined ? '' : linkPath(layout, edge)).toBe('M50 36L50 169M50 231L50 364');
    expect(edge === undefined ? '' : linkPath(layout, edge, true)).toBe('M50 36L50 169M50 249L50 364');
  });
});

describe('blendLayouts', () => {
  const from = layoutNetwork(shape([2, 5, 1]), 400, 600);
  const to = layoutNetwork(shape([2, 5, 1], { live: [false, false] }), 400, 600);

  it('moves from one to the other', () => {
    const half = blendLayouts(from, to)(0.5);
    const middle = ((from.edges[3]?.at.y ?? 0) + (to.edges[3]?.at.y ?? 0)) / 2;
    expect(half.edges[3]?.at.y).toBeCloseTo(middle);
    expect(blendLayouts(from, to)(1)).toBe(to);
  });

  it('does not move between different networks', () => {
    const other = layoutNetwork(shape([2, 3, 1]), 400, 600);
    expect(blendLayouts(from, other)(0)).toBe(other);
  });
});
