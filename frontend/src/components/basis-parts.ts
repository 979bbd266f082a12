/** The parts that a curve is the sum of: its weighted basis functions and its base function. */

import { texts } from '../texts';

export interface Part {
  /** c₃B₃, or w·b */
  name: string;
  y: readonly number[];
  /** which of the colours in turn; null for the base function */
  colour: number | null;
}

export const NUM_COLOURS = 6;

/** Names the curves of an inspection, c_k B_k for each k and then w_b b; a base function that is 0 is left out. */
export function partsOf(basisCurves: readonly (readonly number[])[]): Part[] {
  return basisCurves.flatMap((y, index): Part[] => {
    const isBase = index === basisCurves.length - 1;
    if (!isBase) return [{ name: texts.inspector.part(index), y, colour: index % NUM_COLOURS }];
    return y.some((value) => value !== 0) ? [{ name: texts.inspector.basePart, y, colour: null }] : [];
  });
}

/** How many times the curve's own height its parts may take before it could no longer be read beside them. */
const MUCH = 5;

/** Whether parts reach so much further than their curve that each needs a scale of its own. */
export function outgrow(parts: readonly Part[], curve: readonly number[]): boolean {
  const reach = height([curve, ...parts.map((part) => part.y)]);
  return parts.length > 0 && reach > MUCH * height([curve]);
}

function height(curves: readonly (readonly number[])[]): number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of curves.flat()) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return high - low;
}

/** What the parts add up to, at every `step`-th point. */
export function total(parts: readonly Part[], numPoints: number, step = 1): number[] {
  return Array.from({ length: Math.ceil(numPoints / step) }, (_, index) =>
    parts.reduce((sum, part) => sum + (part.y[index * step] ?? 0), 0),
  );
}
