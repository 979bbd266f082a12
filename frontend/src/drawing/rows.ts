/** Which sums feed which nodes: a node that adds is fed by one row of edges, a node that multiplies by two, its factors. */

/** How many nodes each layer has, and how many of them multiply: the last ones. No products at all may be written []. */
export interface Nodes {
  widths: readonly number[];
  products: readonly number[];
}

/** How many nodes of a layer multiply. */
export const numProducts = (nodes: Nodes, layer: number): number => nodes.products[layer] ?? 0;

/** How many rows of edges arrive at a layer of nodes. */
export const numRows = (nodes: Nodes, layer: number): number =>
  (nodes.widths[layer] ?? 0) + numProducts(nodes, layer);

/** The first of a layer's rows that are factors. */
const firstFactor = (nodes: Nodes, layer: number): number =>
  (nodes.widths[layer] ?? 0) - numProducts(nodes, layer);

/** Whether a node multiplies what arrives in its two rows. */
export const multiplies = (nodes: Nodes, layer: number, node: number): boolean =>
  node >= firstFactor(nodes, layer);

/** The rows that feed a node. */
export function rowsOf(nodes: Nodes, layer: number, node: number): number[] {
  const first = firstFactor(nodes, layer);
  return node < first ? [node] : [2 * node - first, 2 * node - first + 1];
}

/** The node that a row feeds. */
export function nodeOf(nodes: Nodes, layer: number, row: number): number {
  const first = firstFactor(nodes, layer);
  return row < first ? row : first + Math.floor((row - first) / 2);
}

/** Which factor of its node a row is, 0 or 1; null for the row of a node that adds. */
export function factorOf(nodes: Nodes, layer: number, row: number): number | null {
  const first = firstFactor(nodes, layer);
  return row < first ? null : (row - first) % 2;
}

/** How many edges lead from a layer of nodes to the next. */
export const numEdgesAfter = (nodes: Nodes, layer: number): number =>
  (nodes.widths[layer] ?? 0) * numRows(nodes, layer + 1);

/** How many edges lie before a layer's: the index of its first in frames. */
export function firstEdge(nodes: Nodes, layer: number): number {
  let count = 0;
  for (let before = 0; before < layer; before++) count += numEdgesAfter(nodes, before);
  return count;
}

/** How many edges the network has. */
export const numEdges = (nodes: Nodes): number => firstEdge(nodes, nodes.widths.length - 1);
