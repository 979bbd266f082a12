/** Where the nodes of a perceptron lie: its edges are straight lines between them, and its functions fill the nodes. */

import type { EdgePlace, Flow, Layout, Point } from './places';

export interface PerceptronShape {
  widths: readonly number[];
  /** pixels that the longest name of an input, and of an output, takes */
  nameRoom: { first: number; last: number };
}

const MARGINS = { right: { along: 30, across: 8 }, down: { along: 36, across: 10 } };
/** distance of neighbouring nodes below which they could not be told apart */
const LEAST_PITCH = 10;
const LARGEST_RADIUS = 26;
/** the radius of a node without a function, as a KAN's */
export const PLAIN_RADIUS = 9;
/** what of the distance to the next node, and to the next layer, a node may take */
const ACROSS_SHARE = 0.43;
const ALONG_SHARE = 0.24;
/** radius below which a function in a node could not be read */
export const LEAST_READABLE = 7;

/** Lays a perceptron out, read from left to right or downwards, whichever draws its functions larger. */
export function layoutPerceptron(shape: PerceptronShape, width: number, height: number): Layout {
  const right = layoutAlong('right', shape, width, height);
  const down = layoutAlong('down', shape, width, height);
  return down.nodeRadius > 1.15 * right.nodeRadius ? down : right;
}

function layoutAlong(flow: Flow, shape: PerceptronShape, width: number, height: number): Layout {
  const { widths, nameRoom } = shape;
  const margin = MARGINS[flow];
  const [before, after] =
    flow === 'right'
      ? [Math.max(margin.along, nameRoom.first), Math.max(margin.along, nameRoom.last)]
      : [margin.along, margin.along];
  const most = Math.max(...widths);
  const across = Math.max((flow === 'right' ? height : width) - 2 * margin.across, most * LEAST_PITCH);
  const gaps = Math.max(1, widths.length - 1);
  const along = Math.max((flow === 'right' ? width : height) - before - after, 3 * LEAST_PITCH * gaps);
  const hidden = widths.slice(1, -1);
  const pitch = across / Math.max(1, ...(hidden.length > 0 ? hidden : [most]));
  const radius = Math.max(3, Math.min(LARGEST_RADIUS, ACROSS_SHARE * pitch, (ALONG_SHARE * along) / gaps));
  const toPoint = (a: number, c: number): Point => (flow === 'right' ? { x: a, y: c } : { x: c, y: a });
  const nodes = widths.map((count, layer) => {
    const own = across / count;
    return Array.from({ length: count }, (_, index) =>
      toPoint(before + (along * layer) / gaps, margin.across + own * (index + 0.5)),
    );
  });
  const whole = { along: before + along + after, across: across + 2 * margin.across };
  return {
    width: flow === 'right' ? whole.along : whole.across,
    height: flow === 'right' ? whole.across : whole.along,
    flow,
    nodes,
    nodeRadius: radius,
    ports: nodes,
    edges: placeEdges(nodes),
    matrices: [],
  };
}

/** Where on its line an edge is taken to lie: nearer to its source, so that no two of a layer lie in one place. */
const ON_LINE = 0.35;

/** By layer, then target, then source, as in frames. */
function placeEdges(nodes: readonly Point[][]): EdgePlace[] {
  return nodes.slice(1).flatMap((targets, layer) =>
    targets.flatMap((to, target) =>
      (nodes[layer] ?? []).map((from, source) => ({
        layer,
        source,
        target,
        at: { x: from.x + ON_LINE * (to.x - from.x), y: from.y + ON_LINE * (to.y - from.y) },
        size: 0,
        room: 0,
      })),
    ),
  );
}

/** The line of an edge from node to node. */
export function weightPath(layout: Layout, edge: { layer: number; source: number; target: number }): string {
  const from = layout.nodes[edge.layer]?.[edge.source];
  const to = layout.nodes[edge.layer + 1]?.[edge.target];
  if (from === undefined || to === undefined) return '';
  return `M${round(from.x)} ${round(from.y)}L${round(to.x)} ${round(to.y)}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
