import { describe, expect, it } from 'vitest';
import { neighbour } from './neighbour';
import { layoutPerceptron, weightPath } from './perceptron-layout';

const nameRoom = { first: 40, last: 60 };

describe('layoutPerceptron', () => {
  it('puts layers one after the other and nodes side by side, all in the room', () => {
    const layout = layoutPerceptron({ widths: [2, 4, 1], nameRoom }, 600, 300);
    expect([layout.width, layout.height, layout.flow]).toEqual([600, 300, 'right']);
    expect(layout.nodes.map((column) => column.length)).toEqual([2, 4, 1]);
    expect(layout.nodes.map((column) => column[0]?.x)).toEqual([40, 290, 540]);
    const [first, second] = layout.nodes[1] ?? [];
    expect((second?.y ?? 0) - (first?.y ?? 0)).toBeCloseTo((300 - 16) / 4);
    expect(layout.nodeRadius).toBe(26);
  });

  it('keeps nodes apart', () => {
    for (const widths of [
      [2, 8, 8, 1],
      [2, 20, 1],
      [3, 64, 64, 2],
    ]) {
      const layout = layoutPerceptron({ widths, nameRoom }, 420, 260);
      for (const column of layout.nodes.slice(1, -1)) {
        for (const [index, node] of column.slice(1).entries()) {
          const before = column[index] ?? node;
          const distance = Math.hypot(node.x - before.x, node.y - before.y);
          expect(distance).toBeGreaterThanOrEqual(2 * layout.nodeRadius);
        }
      }
    }
  });

  it('outgrows a room that many nodes do not fit in', () => {
    const layout = layoutPerceptron({ widths: [2, 64, 1], nameRoom }, 420, 260);
    expect(Math.max(layout.width, layout.height)).toBeGreaterThanOrEqual(640);
  });

  it('reads downwards where that draws functions larger', () => {
    expect(layoutPerceptron({ widths: [2, 3, 3, 3, 3, 1], nameRoom }, 300, 900).flow).toBe('down');
  });

  it('has nodes for a perceptron without hidden layers', () => {
    const layout = layoutPerceptron({ widths: [2, 1], nameRoom }, 400, 200);
    expect(layout.nodes.flat().every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  });
});

describe('weightPath', () => {
  it('leads from node to node', () => {
    const layout = layoutPerceptron({ widths: [2, 4, 1], nameRoom }, 600, 300);
    expect(weightPath(layout, { layer: 1, source: 3, target: 0 })).toBe('M290 256.5L540 150');
    expect(weightPath(layout, { layer: 5, source: 0, target: 0 })).toBe('');
  });
});

describe('the keys', () => {
  it('lead through all edges of a layer and on to the next', () => {
    const layout = layoutPerceptron({ widths: [2, 3, 1], nameRoom }, 600, 300);
    const seen = new Set<number>([0]);
    const open = [0];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const key of ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']) {
        const next = neighbour(layout.edges, layout.flow, at, key);
        if (next !== null && !seen.has(next)) {
          seen.add(next);
          open.push(next);
        }
      }
    }
    expect(seen.size).toBe(2 * 3 + 3);
  });
});
