/** The matrix of functions Φ_l: a cell for each curve, rows are what its nodes add up, columns are sources. */

import type { EdgePlace, MatrixPlace } from './places';

/** Room on either side of a matrix, for the lines that lead into it and out of its rows. */
const SIDE = 34;
/** Room above a matrix and below it, for the names of its columns and its own. */
export const FRAME = 68;
const SMALLEST_PITCH = 14;
const LARGEST_PITCH = 72;

interface Gap {
  /** pixels along the flow that it would take beyond its least */
  weight: number;
  /** pixels along the flow below which it could not be read */
  least: number;
  pitch(length: number): number;
}

/** How much room a matrix with so many columns wants between two columns of nodes, when its rows share `across`. */
export function matrixGap(sources: number, rows: number, across: number): Gap {
  const rowPitch = Math.min(LARGEST_PITCH, Math.max(SMALLEST_PITCH, (across - FRAME) / rows));
  return {
    weight: 1 + sources * (rowPitch - SMALLEST_PITCH),
    least: sources * SMALLEST_PITCH + 2 * SIDE,
    pitch: (length) => (length - 2 * SIDE) / sources,
  };
}

/** Places the cells of one layer between its columns of nodes, rows at the heights where they are. */
export function placeMatrix(
  layer: number,
  sources: number,
  stretch: { start: number; length: number },
  rows: readonly number[],
): { matrix: MatrixPlace; edges: EdgePlace[] } {
  const rowPitch = rows.length > 1 ? (rows[1] ?? 0) - (rows[0] ?? 0) : LARGEST_PITCH;
  const pitch = Math.min(rowPitch, (stretch.length - 2 * SIDE) / sources, LARGEST_PITCH);
  const centre = stretch.start + stretch.length / 2;
  const columns = Array.from(
    { length: sources },
    (_, source) => centre + (source - (sources - 1) / 2) * pitch,
  );
  const size = pitch * 0.92;
  return {
    matrix: {
      layer,
      left: centre - (sources * pitch) / 2,
      top: (rows[0] ?? 0) - pitch / 2,
      width: sources * pitch,
      height: (rows.at(-1) ?? 0) - (rows[0] ?? 0) + pitch,
      pitch,
      columns,
      rows: [...rows],
    },
    edges: rows.flatMap((y, target) =>
      columns.map((x, source) => ({ layer, source, target, at: { x, y }, size, room: pitch })),
    ),
  };
}
