/** Where nodes and edge thumbnails lie: a pure function of widths and room. */

export interface Point {
  x: number;
  y: number;
}

/** One edge: the line from node to node, and the box its curve is drawn in. */
export interface EdgePlace {
  layer: number;
  source: number;
  target: number;
  from: Point;
  to: Point;
  /** centre of the thumbnail */
  at: Point;
}

export interface Layout {
  width: number;
  height: number;
  nodes: Point[][];
  /** by layer, then target, then source, as in frames */
  edges: EdgePlace[];
  /** side of the square thumbnails */
  size: number;
}

const LARGEST = 56;
const MARGIN_X = 44;
const MARGIN_Y = 34;

/** Edges of one layer above which the layer is shown as a matrix of functions. */
export const MATRIX_ABOVE = 25;

/** Lays the network out from left to right in `width` × `height`. */
export function layoutNetwork(widths: readonly number[], width: number, height: number): Layout {
  const columns = widths.length;
  const innerWidth = Math.max(width - 2 * MARGIN_X, 1);
  const innerHeight = Math.max(height - 2 * MARGIN_Y, 1);
  const nodes = widths.map((count, layer) =>
    Array.from({ length: count }, (_, index) => ({
      x: MARGIN_X + (columns === 1 ? 0 : (layer / (columns - 1)) * innerWidth),
      y: MARGIN_Y + ((index + 0.5) / count) * innerHeight,
    })),
  );
  const size = thumbnailSize(widths, innerWidth, innerHeight);
  const edges: EdgePlace[] = [];
  for (let layer = 0; layer + 1 < columns; layer++) {
    const sources = nodes[layer] ?? [];
    const targets = nodes[layer + 1] ?? [];
    const slots = sources.length * targets.length;
    targets.forEach((to, target) =>
      sources.forEach((from, source) => {
        // one row of thumbnails in the middle of the layer, ordered so that the lines to them cross little
        const slot = slotOf(source, target, sources.length, targets.length);
        const y = MARGIN_Y + ((slot + 0.5) / slots) * innerHeight;
        edges.push({ layer, source, target, from, to, at: { x: (from.x + to.x) / 2, y } });
      }),
    );
  }
  return { width, height, nodes, edges, size };
}

/** The vertical place of an edge among all of its layer: by the mean height of its two ends. */
function slotOf(source: number, target: number, sources: number, targets: number): number {
  // the side with more nodes leads, so each of its nodes has its edges together
  return targets >= sources ? target * sources + source : source * targets + target;
}

function thumbnailSize(widths: readonly number[], innerWidth: number, innerHeight: number): number {
  let size = LARGEST;
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    const slots = (widths[layer] ?? 1) * (widths[layer + 1] ?? 1);
    size = Math.min(size, (innerHeight / slots) * 0.86, (innerWidth / (widths.length - 1)) * 0.45);
  }
  return Math.max(size, 8);
}
