import { describe, expect, it } from 'vitest';
import { blendLayouts, layoutNetwork, linkPath, PRODUCT_SCALE, sameShape, suitableView } from './layout';
import type { EdgePlace, Layout, LayerView, Shape } from './places';

function shape(widths: number[], options: Partial<Shape> = {}): Shape {
  const views = widths.slice(0, -1).map((): LayerView => 'links');
  return { widths, products: [], views, live: [], nameRoom: { first: 40, last: 40 }, ...options };
}

const names = (edges: EdgePlace[]): string[] =>
  edges.map(({ layer, source, target }) => `${layer}.${source}.${target}`);

const tenth = (value = NaN): number => Math.round(value * 10) / 10;

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

describe('nodes that multiply', () => {
  const products = [0, 2, 0];
  const mixed = shape([2, 4, 1], { products });

  it('have edges for each of their factors, in the order of frames', () => {
    const expected = [0, 1, 2, 3, 4, 5].flatMap((row) => [`0.0.${row}`, `0.1.${row}`]);
    const last = [0, 1, 2, 3].map((source) => `1.${source}.0`);
    for (const views of [
      ['links', 'links'],
      ['matrix', 'links'],
      ['links', 'matrix'],
    ] satisfies LayerView[][]) {
      const { edges, nodes } = layoutNetwork({ ...mixed, views }, 800, 400);
      expect(names(edges)).toEqual([...expected, ...last]);
      expect(nodes.map((column) => column.length)).toEqual([2, 4, 1]);
    }
  });

  it.each([
    [800, 300, 'down'],
    [300, 800, 'right'],
  ])('have two ports on their rims, side by side: %i × %i', (width, height, flow) => {
    const { nodes, ports, nodeRadius, ...layout } = layoutNetwork(mixed, width, height);
    expect(layout.flow).toBe(flow);
    expect(ports[1]?.slice(0, 2)).toEqual(nodes[1]?.slice(0, 2));
    expect(ports[2]).toEqual(nodes[2]);
    for (const node of [2, 3]) {
      const at = nodes[1]?.[node] ?? { x: NaN, y: NaN };
      const pair = ports[1]?.slice(2 * node - 2, 2 * node) ?? [];
      expect(pair.length).toBe(2);
      const [along, aside] = [pair.map(({ x }) => x - at.x), pair.map(({ y }) => y - at.y)];
      const [before, across] = flow === 'right' ? [along, aside] : [aside, along];
      expect(before[0]).toBeLessThan(0);
      expect(before[1]).toBe(before[0]);
      expect(across[0]).toBeLessThan(0);
      expect(across[1]).toBeCloseTo(-(across[0] ?? NaN));
      expect(Math.hypot(before[0] ?? NaN, across[0] ?? NaN)).toBeCloseTo(PRODUCT_SCALE * nodeRadius, 0);
    }
  });

  it('are linked to the port of the factor', () => {
    const layout = layoutNetwork(mixed, 300, 800);
    for (const edge of layout.edges.filter((one) => one.layer === 0)) {
      const port = layout.ports[1]?.[edge.target];
      expect(linkPath(layout, edge).endsWith(`L${tenth(port?.x)} ${tenth(port?.y)}`)).toBe(true);
    }
    const from = layout.nodes[1]?.[3];
    const edge = layout.edges.find((one) => one.layer === 1 && one.source === 3);
    expect(edge === undefined ? '' : linkPath(layout, edge)).toContain(
      `M${tenth(from?.x)} ${tenth(from?.y)}L`,
    );
  });

  it('lie in the middle of their rows of a matrix', () => {
    const layout = layoutNetwork({ ...mixed, views: ['matrix', 'links'] }, 800, 460);
    const [matrix] = layout.matrices;
    const y = layout.nodes[1]?.map((node) => node.y) ?? [];
    expect(matrix?.rows.length).toBe(6);
    expect(y.slice(0, 2)).toEqual(matrix?.rows.slice(0, 2));
    expect(y[3]).toBeCloseTo(((matrix?.rows[4] ?? NaN) + (matrix?.rows[5] ?? NaN)) / 2);
    const steps = matrix?.rows.slice(1).map((row, index) => row - (matrix.rows[index] ?? NaN)) ?? [];
    for (const step of steps) expect(step).toBeCloseTo(matrix?.pitch ?? NaN);
  });

  it.each([
    [[2, 5, 1], [0, 2, 1], 740, 300],
    [[2, 5, 1], [0, 5, 0], 350, 420],
    [[8, 4, 1], [0, 2, 0], 200, 900],
    [[1, 1], [0, 1], 350, 420],
    [[5, 2, 3], [0, 2, 2], 1000, 400],
  ])('keep boxes apart and inside: %j, %j of them in %i × %i', (widths, multiplying, width, height) => {
    const layout = layoutNetwork(shape(widths, { products: multiplying }), width, height);
    expect(touching(layout)).toEqual([]);
    expect(outside(layout)).toEqual([]);
    expect(Math.min(...layout.edges.map((edge) => edge.size))).toBeGreaterThanOrEqual(12);
  });

  it('draw all boxes of a layer as large as each other while all edges live', () => {
    const { edges } = layoutNetwork(mixed, 740, 400);
    const sizes = edges.filter((edge) => edge.layer === 0).map((edge) => edge.size);
    expect(Math.max(...sizes)).toBeCloseTo(Math.min(...sizes));
  });

  it('give the room of a factor whose edges are cut to the others', () => {
    const cut = Array.from({ length: 16 }, (_, index) => index !== 8 && index !== 9);
    const [whole, without] = [[], cut].map((live) => layoutNetwork({ ...mixed, live }, 600, 300));
    expect(without?.edges[6]?.size).toBeGreaterThan(whole?.edges[6]?.size ?? Infinity);
    expect(without?.edges[8]?.size).toBeLessThan(whole?.edges[8]?.size ?? 0);
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

  it('moves ports along', () => {
    const products = [0, 2, 0];
    const [start, end] = [[], [false, false, false, false]].map((live) =>
      layoutNetwork(shape([2, 4, 1], { products, live }), 400, 600),
    );
    if (start === undefined || end === undefined) throw new Error('two layouts were made');
    const half = blendLayouts(start, end)(0.5);
    const [before, after] = [start.ports[1]?.[5]?.y ?? NaN, end.ports[1]?.[5]?.y ?? NaN];
    expect(before).not.toBeCloseTo(after);
    expect(half.ports[1]?.[5]?.y).toBeCloseTo((before + after) / 2);
  });

  it('does not move between networks of the same nodes with other ports', () => {
    const [one, other] = [
      [0, 1, 0],
      [0, 0, 1],
    ].map((products) => layoutNetwork(shape([1, 1, 1], { products }), 400, 600));
    if (one === undefined || other === undefined) throw new Error('two layouts were made');
    expect(one.edges.length).toBe(other.edges.length);
    expect(sameShape(one, other)).toBe(false);
    expect(blendLayouts(one, other)(0)).toBe(other);
  });

  it('does not move between different networks', () => {
    const other = layoutNetwork(shape([2, 3, 1]), 400, 600);
    expect(blendLayouts(from, other)(0)).toBe(other);
  });
});
