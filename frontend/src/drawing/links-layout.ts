/** A layer as boxes between its nodes: one line of boxes in the middle, those of a node or of a row of sums together. */

import { middle, share, type Band } from './bands';
import type { EdgePlace, Shape } from './places';
import { firstEdge, numRows } from './rows';

export const LARGEST = 72;
export const SMALLEST = 14;
/** what a cut edge, or a node without live edges, counts for when the room is shared out */
export const GHOST = 0.5;

/** Whether the edge still acts. */
export function isLive(shape: Shape, layer: number, source: number, target: number): boolean {
  const index = firstEdge(shape, layer) + target * (shape.widths[layer] ?? 0) + source;
  return shape.live[index] ?? true;
}

export interface Link extends Omit<EdgePlace, 'layer' | 'at'> {
  across: number;
}

/** Whether the boxes before a layer of nodes lie in the bands of its rows, and not in those of the nodes they come from. */
export const rowsLead = (shape: Shape, layer: number): boolean =>
  layer > 0 && numRows(shape, layer) >= (shape.widths[layer - 1] ?? 0);

/** One line of boxes in the middle of a layer: its wider side, sources or rows, has its edges together, in its band. */
export function placeLinks(
  shape: Shape,
  layer: number,
  sourceBands: readonly Band[],
  rowBands: readonly Band[],
  gap: number,
): Link[] {
  const sources = sourceBands.length;
  const targets = rowBands.length;
  const targetsLead = rowsLead(shape, layer + 1);
  const leaders = targetsLead ? rowBands : sourceBands;
  const slots = new Map<string, { band: Band; live: boolean }>();
  leaders.forEach((band, leader) => {
    const others = Array.from({ length: targetsLead ? sources : targets }, (_, other) =>
      targetsLead ? { source: other, target: leader } : { source: leader, target: other },
    );
    const live = others.map(({ source, target }) => isLive(shape, layer, source, target));
    const parts = share(
      band,
      live.map((acts) => (acts ? 1 : GHOST)),
    );
    others.forEach(({ source, target }, index) => {
      const part = parts[index];
      if (part !== undefined) slots.set(`${target} ${source}`, { band: part, live: live[index] ?? true });
    });
  });
  const lengths = (live: boolean): number[] =>
    [...slots.values()].filter((slot) => slot.live === live).map((slot) => slot.band.length);
  const largest = Math.max(SMALLEST * 0.86, Math.min(LARGEST, gap * 0.5));
  const liveSize = Math.min(largest, 0.86 * Math.min(...lengths(true), largest / 0.86));
  const ghostSize = Math.min(0.6 * liveSize, 0.86 * Math.min(...lengths(false), largest));
  const links: Link[] = [];
  for (let target = 0; target < targets; target++) {
    for (let source = 0; source < sources; source++) {
      const slot = slots.get(`${target} ${source}`);
      if (slot === undefined) continue;
      const size = slot.live ? liveSize : ghostSize;
      links.push({ source, target, size, room: slot.band.length, across: middle(slot.band) });
    }
  }
  return links;
}
