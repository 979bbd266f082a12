/** The courses of trainings as paths: errors on a logarithmic axis over steps or seconds. */

import type { LogAxis } from './log-axis';

export interface Place {
  at: number;
  error: number;
}

/** Round numbers from 0 to about `high`, at most six. */
export function linearTicks(high: number): number[] {
  if (!(high > 0)) return [0];
  const rough = high / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const count = Math.floor(high / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** A path through the places in a box of this size, whose left end is 0 and whose right end is `last`. */
export function coursePath(
  places: readonly Place[],
  axis: LogAxis,
  last: number,
  box: { left: number; top: number; width: number; height: number },
): string {
  const points = places.map(({ at, error }) => {
    const x = box.left + (last > 0 ? Math.min(1, at / last) : 0) * box.width;
    const y = box.top + (1 - axis.place(error)) * box.height;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return points.length === 0 ? '' : `M${points.join('L')}`;
}
