/** What a laid out network consists of. */

import type { Nodes } from './rows';

export interface Point {
  x: number;
  y: number;
}

/** One edge: the square box its curve is drawn in. */
export interface EdgePlace {
  layer: number;
  source: number;
  /** the row that the edge adds to */
  target: number;
  /** centre of the box */
  at: Point;
  /** side of the box */
  size: number;
  /** pixels that a label may take without touching the next edge's */
  room: number;
}

/** `links` draws a layer as nodes and lines, `matrix` as the matrix of functions Φ_l. */
export type LayerView = 'links' | 'matrix';

/** Which way the network is read. */
export type Flow = 'right' | 'down';

export interface Layout {
  width: number;
  height: number;
  flow: Flow;
  nodes: Point[][];
  nodeRadius: number;
  /** where each row of edges arrives: at a node that adds, or at one of the two ports of a node that multiplies */
  ports: Point[][];
  /** by layer, then target row, then source, as in frames */
  edges: EdgePlace[];
  matrices: MatrixPlace[];
}

export interface Shape extends Nodes {
  views: readonly LayerView[];
  /** whether each edge still acts, in the order of frames: a cut one takes less room */
  live: readonly boolean[];
  /** pixels that the longest name of an input, and of an output, takes */
  nameRoom: { first: number; last: number };
}

export interface MatrixPlace {
  layer: number;
  left: number;
  top: number;
  width: number;
  height: number;
  /** distance of neighbouring cells */
  pitch: number;
  /** x of each source's column */
  columns: number[];
  /** y of each row */
  rows: number[];
}
