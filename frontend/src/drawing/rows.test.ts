import { describe, expect, it } from 'vitest';
import { factorOf, firstEdge, multiplies, nodeOf, numEdges, numRows, rowsOf } from './rows';

const mixed = { widths: [2, 5, 3, 1], products: [0, 2, 3, 1] };

describe('rows', () => {
  it('are as many as nodes, and one more for each that multiplies', () => {
    expect([1, 2, 3].map((layer) => numRows(mixed, layer))).toEqual([7, 6, 2]);
    expect([1, 2].map((layer) => numRows({ widths: [2, 5, 1], products: [] }, layer))).toEqual([5, 1]);
  });

  it('come first for nodes that add, then in pairs for those that multiply', () => {
    expect([0, 1, 2, 3, 4].map((node) => rowsOf(mixed, 1, node))).toEqual([[0], [1], [2], [3, 4], [5, 6]]);
    expect([0, 1, 2, 3, 4].map((node) => multiplies(mixed, 1, node))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(rowsOf(mixed, 2, 0)).toEqual([0, 1]);
  });

  it('lead back to their nodes', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((row) => nodeOf(mixed, 1, row))).toEqual([0, 1, 2, 3, 3, 4, 4]);
    expect([0, 2, 3, 4, 5, 6].map((row) => factorOf(mixed, 1, row))).toEqual([null, null, 0, 1, 0, 1]);
  });

  it('count the edges as frames do', () => {
    expect([0, 1, 2].map((layer) => firstEdge(mixed, layer))).toEqual([0, 14, 44]);
    expect(numEdges(mixed)).toBe(50);
    expect(numEdges({ widths: [2, 5, 1], products: [] })).toBe(15);
  });
});
