/** Which edge an arrow key leads to. */

import type { EdgePlace, Flow } from './places';

const DIRECTIONS: Record<string, { x: number; y: number }> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/**
 * The index of the edge that lies next in the direction of an arrow key: in the same layer first, and where that ends in
 * the next layer of that side. Null for another key or at the rim.
 */
export function neighbour(
  edges: readonly EdgePlace[],
  flow: Flow,
  index: number,
  key: string,
): number | null {
  const direction = DIRECTIONS[key];
  const from = edges[index];
  if (direction === undefined || from === undefined) return null;
  const away = (to: EdgePlace): { along: number; aside: number } => {
    const [x, y] = [to.at.x - from.at.x, to.at.y - from.at.y];
    return {
      along: x * direction.x + y * direction.y,
      aside: Math.abs(x * direction.y) + Math.abs(y * direction.x),
    };
  };
  const inLayer = nearest(edges, (to) => {
    const { along, aside } = away(to);
    return to.layer === from.layer && along > 0.5 ? along + 3 * aside : null;
  });
  if (inLayer !== null) return inLayer;
  const onward = flow === 'right' ? direction.x : direction.y;
  if (onward === 0) return null;
  return nearest(edges, (to) => {
    const { along, aside } = away(to);
    return to.layer === from.layer + onward ? 3 * aside + along : null;
  });
}

function nearest(edges: readonly EdgePlace[], cost: (edge: EdgePlace) => number | null): number | null {
  let best: number | null = null;
  let least = Infinity;
  edges.forEach((edge, index) => {
    const its = cost(edge);
    if (its !== null && its < least) {
      least = its;
      best = index;
    }
  });
  return best;
}
