/** Where nodes and edge thumbnails lie: a pure function of the network's shape and the room there is. */

import { centred, middle, share, type Band } from './bands';
import { GHOST, isLive, LARGEST, placeLinks, SMALLEST } from './links-layout';
import { FRAME, matrixGap, placeMatrix } from './matrix-layout';
import type { EdgePlace, Flow, Layout, LayerView, MatrixPlace, Point, Shape } from './places';

/** Edges of one layer above which the layer is shown as a matrix of functions. */
export const MATRIX_ABOVE = 25;

/** The view that suits a layer of so many edges. */
export const suitableView = (numEdges: number): LayerView => (numEdges > MATRIX_ABOVE ? 'matrix' : 'links');

const MARGINS = { right: { along: 40, across: 16 }, down: { along: 36, across: 14 } };
const NODE_RADIUS = 9;
/** What a layer of links counts for where the room along the flow is shared out: the pixels it would take beyond its least. */
const LINKS_WEIGHT = 90;

/** Lays the network out in the room, read from left to right or downwards, whichever draws its curves larger. */
export function layoutNetwork(shape: Shape, width: number, height: number): Layout {
  return layoutAlong(bestFlow(shape, width, height), shape, width, height);
}

/** The flow must not turn when edges are cut, so it is chosen as if all of them lived; matrices stand in a row. */
function bestFlow(shape: Shape, width: number, height: number): Flow {
  if (shape.views.includes('matrix')) return 'right';
  const [right, down] = [rate('right', shape, width, height), rate('down', shape, width, height)];
  if (right.size !== down.size) return down.size > right.size ? 'down' : 'right';
  return down.seen > right.seen ? 'down' : 'right';
}

/** How large a flow draws the curves, and what share of the network the room shows of it. */
function rate(flow: Flow, shape: Shape, width: number, height: number): { size: number; seen: number } {
  const layout = layoutAlong(flow, { ...shape, live: [] }, width, height);
  return {
    size: Math.min(...layout.edges.map((edge) => edge.size)),
    seen: Math.min(1, width / layout.width) * Math.min(1, height / layout.height),
  };
}

function layoutAlong(flow: Flow, shape: Shape, width: number, height: number): Layout {
  const margin = MARGINS[flow];
  const [before, after] =
    flow === 'right'
      ? [Math.max(margin.along, shape.nameRoom.first), Math.max(margin.along, shape.nameRoom.last)]
      : [margin.along, margin.along];
  const room = (flow === 'right' ? height : width) - 2 * margin.across;
  const across = Math.max(room, leastAcross(shape));
  const gaps = shape.views.map((view, layer) =>
    view === 'matrix'
      ? matrixGap(shape.widths[layer] ?? 1, shape.widths[layer + 1] ?? 1, across)
      : { weight: LINKS_WEIGHT, least: 3 * SMALLEST },
  );
  const leasts = gaps.map((gap) => gap.least);
  const least = leasts.reduce((sum, one) => sum + one, 0);
  const along = Math.max((flow === 'right' ? width : height) - before - after, least);
  const stretches = share(
    { start: before, length: along },
    gaps.map((gap) => gap.weight),
    leasts,
  );
  const whole = { start: margin.across, length: across };
  const bands = placeNodes(shape, whole, room, stretches);
  const toPoint = (a: number, c: number): Point => (flow === 'right' ? { x: a, y: c } : { x: c, y: a });
  const nodes = bands.map((column, layer) => {
    const a = layer === 0 ? before : ends(stretches[layer - 1]);
    return column.map((band) => toPoint(a, middle(band)));
  });
  const edges: EdgePlace[] = [];
  const matrices: MatrixPlace[] = [];
  shape.views.forEach((view, layer) => {
    const stretch = stretches[layer] ?? whole;
    const targets = bands[layer + 1] ?? [];
    if (view === 'matrix') {
      const placed = placeMatrix(layer, shape.widths[layer] ?? 1, stretch, targets.map(middle));
      matrices.push(placed.matrix);
      edges.push(...placed.edges);
      return;
    }
    const links = placeLinks(shape, layer, bands, stretch.length);
    for (const link of links) {
      edges.push({ ...link, layer, at: toPoint(middle(stretch), link.across) });
    }
  });
  return {
    width: flow === 'right' ? before + along + after : across + 2 * margin.across,
    height: flow === 'right' ? across + 2 * margin.across : before + along + after,
    flow,
    nodes,
    nodeRadius: nodeRadius(bands),
    edges,
    matrices,
  };
}

const ends = (band: Band | undefined): number => (band === undefined ? 0 : band.start + band.length);

/** The room across the flow below which thumbnails or rows of a matrix could not be read. */
function leastAcross({ widths, views }: Shape): number {
  const needs = views.map((view, layer) => {
    const targets = widths[layer + 1] ?? 1;
    return view === 'matrix' ? targets * SMALLEST + FRAME : (widths[layer] ?? 1) * targets * SMALLEST;
  });
  return Math.max(...needs, 1);
}

/** What a layer's nodes need so that the boxes which lie in their bands can be read: 0 where the boxes lie in others'. */
function leastOfNodes({ widths }: Shape, layer: number): number {
  const count = widths[layer] ?? 1;
  const before = widths[layer - 1] ?? 0;
  const after = widths[layer + 1] ?? 0;
  return SMALLEST * count * Math.max(count >= before ? before : 0, count > after ? after : 0);
}

/**
 * The bands of every layer's nodes; rows of a matrix and its target nodes share their heights. Where the network outgrows
 * its room, nodes that need no more of it stay together in the middle.
 */
function placeNodes(shape: Shape, whole: Band, room: number, stretches: readonly Band[]): Band[][] {
  const hasMatrix = shape.views.includes('matrix');
  return shape.widths.map((count, layer) => {
    const own = centred(whole, Math.min(whole.length, Math.max(room, leastOfNodes(shape, layer))));
    if (hasMatrix) {
      const pitch =
        shape.views[layer - 1] === 'matrix'
          ? matrixPitch(shape.widths[layer - 1] ?? 1, count, whole, stretches[layer - 1] ?? whole)
          : Math.min(own.length / count, layer === 0 ? LARGEST : own.length);
      const start = middle(whole) - (pitch * count) / 2;
      return share({ start, length: pitch * count }, Array<number>(count).fill(1));
    }
    return share(
      own,
      Array.from({ length: count }, (_, node) => (actsAt(shape, layer, node) ? 1 : GHOST)),
    );
  });
}

function matrixPitch(sources: number, targets: number, whole: Band, stretch: Band): number {
  const gap = matrixGap(sources, targets, whole.length);
  return Math.min((whole.length - FRAME) / targets, gap.pitch(stretch.length), LARGEST);
}

/** Whether any live edge arrives at the node and any leaves it. */
function actsAt(shape: Shape, layer: number, node: number): boolean {
  const before = shape.widths[layer - 1];
  const after = shape.widths[layer + 1];
  const some = (count: number, test: (index: number) => boolean): boolean =>
    Array.from({ length: count }, (_, index) => index).some(test);
  return (
    (before === undefined || some(before, (source) => isLive(shape, layer - 1, source, node))) &&
    (after === undefined || some(after, (target) => isLive(shape, layer, node, target)))
  );
}

function nodeRadius(bands: readonly Band[][]): number {
  const pitches = bands.map((column) => Math.min(...column.map((band) => band.length)));
  return Math.max(4, Math.min(NODE_RADIUS, 0.36 * Math.min(...pitches)));
}

/** Height of a label that stands under its box. */
const LABEL = 18;

/** The two lines of an edge: from its source node into the box, and out of it, past a label, to the target node. */
export function linkPath(layout: Layout, edge: EdgePlace, isLabelled = false): string {
  const from = layout.nodes[edge.layer]?.[edge.source];
  const to = layout.nodes[edge.layer + 1]?.[edge.target];
  if (from === undefined || to === undefined) return '';
  const half = edge.size / 2;
  const { x, y } = edge.at;
  const [enter, leave] =
    layout.flow === 'right'
      ? [`${round(x - half)} ${round(y)}`, `${round(x + half)} ${round(y)}`]
      : [`${round(x)} ${round(y - half)}`, `${round(x)} ${round(y + half + (isLabelled ? LABEL : 0))}`];
  return `M${round(from.x)} ${round(from.y)}L${enter}M${leave}L${round(to.x)} ${round(to.y)}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** A layout on the way from one to another of the same shape; the later one at once when their shapes differ. */
export function blendLayouts(from: Layout, to: Layout): (progress: number) => Layout {
  const isSameShape =
    from.flow === to.flow &&
    from.edges.length === to.edges.length &&
    from.nodes.map((column) => column.length).join() === to.nodes.map((column) => column.length).join() &&
    from.matrices.length === to.matrices.length;
  if (!isSameShape) return () => to;
  return (progress) => {
    if (progress >= 1) return to;
    const mix = (left: number, right: number): number => left + (right - left) * progress;
    const mixPoint = (left: Point, right: Point): Point => ({
      x: mix(left.x, right.x),
      y: mix(left.y, right.y),
    });
    return {
      ...to,
      nodes: to.nodes.map((column, layer) =>
        column.map((node, index) => mixPoint(from.nodes[layer]?.[index] ?? node, node)),
      ),
      edges: to.edges.map((edge, index) => {
        const before = from.edges[index] ?? edge;
        return { ...edge, at: mixPoint(before.at, edge.at), size: mix(before.size, edge.size) };
      }),
    };
  };
}
