/** A layer as boxes between its nodes: one row of boxes in the middle, each node's together. */

import { middle, share, type Band } from './bands';
import type { EdgePlace, Shape } from './places';

export const LARGEST = 72;
export const SMALLEST = 14;
/** what a cut edge, or a node without live edges, counts for when the room is shared out */
export const GHOST = 0.5;

/** Index of a layer's first edge in frames. */
export function firstEdge(widths: readonly number[], layer: number): number {
  let count = 0;
  for (let before = 0; before < layer; before++) count += (widths[before] ?? 0) * (widths[before + 1] ?? 0);
  return count;
}

/** Whether the edge still acts. */
export function isLive(shape: Shape, layer: number, source: number, target: number): boolean {
  const index = firstEdge(shape.widths, layer) + target * (shape.widths[layer] ?? 0) + source;
  return shape.live[index] ?? true;
}

export interface Link extends Omit<EdgePlace, 'layer' | 'at'> {
  across: number;
}

/** One row of boxes in the middle of a layer: every node of its wider side has its edges together, in its band. */
export function placeLinks(shape: Shape, layer: number, bands: readonly Band[][], gap: number): Link[] {
  const sources = shape.widths[layer] ?? 1;
  const targets = shape.widths[layer + 1] ?? 1;
  const targetsLead = targets >= sources;
  const leaders = bands[targetsLead ? layer + 1 : layer] ?? [];
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
