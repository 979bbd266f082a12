/** Where nodes and edge thumbnails lie: a pure function of the network's shape and the room there is. */

import { centred, middle, share, unite, type Band } from './bands';
import { GHOST, isLive, LARGEST, placeLinks, rowsLead, SMALLEST } from './links-layout';
import { FRAME, matrixGap, placeMatrix } from './matrix-layout';
import type { EdgePlace, Flow, Layout, LayerView, MatrixPlace, Point, Shape } from './places';
import { factorOf, nodeOf, numEdgesAfter, numRows, rowsOf } from './rows';

/** Edges of one layer above which the layer is shown as a matrix of functions. */
export const MATRIX_ABOVE = 25;

/** The view that suits a layer of so many edges. */
export const suitableView = (numEdges: number): LayerView => (numEdges > MATRIX_ABOVE ? 'matrix' : 'links');

const MARGINS = { right: { along: 40, across: 16 }, down: { along: 36, across: 14 } };
const NODE_RADIUS = 9;
/** How much larger a node that multiplies is drawn. */
export const PRODUCT_SCALE = 1.25;
/** Where its ports lie on its rim, in radii of other nodes: before its middle, and to either side. */
const PORT = { before: 0.9, aside: 0.87 };
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
      ? matrixGap(shape.widths[layer] ?? 1, numRows(shape, layer + 1), across)
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
  const rows = placeRows(shape, whole, room, stretches);
  const bands = rows.map((column, layer) => nodesOf(shape, layer, column));
  const radius = nodeRadius(bands);
  const toPoint = (a: number, c: number): Point => (flow === 'right' ? { x: a, y: c } : { x: c, y: a });
  const lines = rows.map((_, layer) => (layer === 0 ? before : ends(stretches[layer - 1])));
  const nodes = bands.map((column, layer) => column.map((band) => toPoint(lines[layer] ?? 0, middle(band))));
  const ports = rows.map((column, layer) =>
    column.map((_, row) => {
      const node = middle(bands[layer]?.[nodeOf(shape, layer, row)] ?? whole);
      const factor = factorOf(shape, layer, row);
      const line = lines[layer] ?? 0;
      if (factor === null) return toPoint(line, node);
      return toPoint(line - PORT.before * radius, node + (2 * factor - 1) * PORT.aside * radius);
    }),
  );
  const edges: EdgePlace[] = [];
  const matrices: MatrixPlace[] = [];
  shape.views.forEach((view, layer) => {
    const stretch = stretches[layer] ?? whole;
    const into = rows[layer + 1] ?? [];
    if (view === 'matrix') {
      const placed = placeMatrix(layer, shape.widths[layer] ?? 1, stretch, into.map(middle));
      matrices.push(placed.matrix);
      edges.push(...placed.edges);
      return;
    }
    for (const link of placeLinks(shape, layer, bands[layer] ?? [], into, stretch.length)) {
      edges.push({ ...link, layer, at: toPoint(middle(stretch), link.across) });
    }
  });
  return {
    width: flow === 'right' ? before + along + after : across + 2 * margin.across,
    height: flow === 'right' ? across + 2 * margin.across : before + along + after,
    flow,
    nodes,
    nodeRadius: radius,
    ports,
    edges,
    matrices,
  };
}

const ends = (band: Band | undefined): number => (band === undefined ? 0 : band.start + band.length);

/** The room across the flow below which thumbnails or rows of a matrix could not be read. */
function leastAcross(shape: Shape): number {
  const needs = shape.views.map((view, layer) =>
    view === 'matrix' ? numRows(shape, layer + 1) * SMALLEST + FRAME : numEdgesAfter(shape, layer) * SMALLEST,
  );
  return Math.max(...needs, 1);
}

/** What a layer's nodes need so that the boxes which lie in their bands can be read: 0 where the boxes lie in others'. */
function leastOfNodes(shape: Shape, layer: number): number {
  const count = shape.widths[layer] ?? 1;
  const isLed = rowsLead(shape, layer);
  const before = isLed ? (shape.widths[layer - 1] ?? 0) : 0;
  const after =
    layer + 1 < shape.widths.length && !rowsLead(shape, layer + 1) ? numRows(shape, layer + 1) : 0;
  return SMALLEST * (isLed ? numRows(shape, layer) : count) * Math.max(before, after);
}

/**
 * The bands of every layer's rows of sums, one after the other as the nodes are that they feed; the inputs have one each.
 * Rows of a matrix lie where they are drawn. Where the network outgrows its room, what needs no more of it stays together
 * in the middle.
 */
function placeRows(shape: Shape, whole: Band, room: number, stretches: readonly Band[]): Band[][] {
  const hasMatrix = shape.views.includes('matrix');
  return shape.widths.map((_, layer) => {
    const count = numRows(shape, layer);
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
      Array.from({ length: count }, (_, row) => rowWeight(shape, layer, row)),
    );
  });
}

/** What a row counts for where room is shared out: rows that boxes lie in count alike, else all nodes do. */
function rowWeight(shape: Shape, layer: number, row: number): number {
  const weight = actsAt(shape, layer, row) ? 1 : GHOST;
  return rowsLead(shape, layer) ? weight : weight / rowsOf(shape, layer, nodeOf(shape, layer, row)).length;
}

/** The bands of a layer's nodes: each takes those of its rows. */
function nodesOf(shape: Shape, layer: number, rows: readonly Band[]): Band[] {
  return Array.from({ length: shape.widths[layer] ?? 0 }, (_, node) =>
    unite(rowsOf(shape, layer, node).flatMap((row) => rows[row] ?? [])),
  );
}

function matrixPitch(sources: number, rows: number, whole: Band, stretch: Band): number {
  const gap = matrixGap(sources, rows, whole.length);
  return Math.min((whole.length - FRAME) / rows, gap.pitch(stretch.length), LARGEST);
}

/** Whether any live edge arrives in the row and any leaves its node. */
function actsAt(shape: Shape, layer: number, row: number): boolean {
  const before = layer === 0 ? null : (shape.widths[layer - 1] ?? 0);
  const after = layer + 1 < shape.widths.length ? numRows(shape, layer + 1) : null;
  const node = nodeOf(shape, layer, row);
  const some = (count: number, test: (index: number) => boolean): boolean =>
    Array.from({ length: count }, (_, index) => index).some(test);
  return (
    (before === null || some(before, (source) => isLive(shape, layer - 1, source, row))) &&
    (after === null || some(after, (target) => isLive(shape, layer, node, target)))
  );
}

function nodeRadius(bands: readonly Band[][]): number {
  const pitches = bands.map((column) => Math.min(...column.map((band) => band.length)));
  return Math.max(4, Math.min(NODE_RADIUS, 0.36 * Math.min(...pitches)));
}

/** Height of a label that stands under its box. */
const LABEL = 18;

/** The two lines of an edge: from its source node into the box, and out of it, past a label, to where its row arrives. */
export function linkPath(layout: Layout, edge: EdgePlace, isLabelled = false): string {
  const from = layout.nodes[edge.layer]?.[edge.source];
  const to = layout.ports[edge.layer + 1]?.[edge.target];
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

/** Whether two layouts draw networks of the same nodes, ports and edges, so that one can turn into the other. */
export function sameShape(left: Layout, right: Layout): boolean {
  const counts = (columns: Point[][]): string => columns.map((column) => column.length).join();
  return (
    left.flow === right.flow &&
    left.edges.length === right.edges.length &&
    counts(left.nodes) === counts(right.nodes) &&
    counts(left.ports) === counts(right.ports)
  );
}

/** A layout on the way from one to another of the same shape; the later one at once when their shapes differ. */
export function blendLayouts(from: Layout, to: Layout): (progress: number) => Layout {
  if (!sameShape(from, to) || from.matrices.length !== to.matrices.length) return () => to;
  return (progress) => {
    if (progress >= 1) return to;
    const mix = (left: number, right: number): number => left + (right - left) * progress;
    const mixPoint = (left: Point, right: Point): Point => ({
      x: mix(left.x, right.x),
      y: mix(left.y, right.y),
    });
    const mixColumns = (before: Point[][], after: Point[][]): Point[][] =>
      after.map((column, layer) =>
        column.map((point, index) => mixPoint(before[layer]?.[index] ?? point, point)),
      );
    return {
      ...to,
      nodes: mixColumns(from.nodes, to.nodes),
      ports: mixColumns(from.ports, to.ports),
      edges: to.edges.map((edge, index) => {
        const before = from.edges[index] ?? edge;
        return { ...edge, at: mixPoint(before.at, edge.at), size: mix(before.size, edge.size) };
      }),
    };
  };
}
