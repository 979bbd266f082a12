/** Curves as SVG paths: whole coordinates, relative steps, which browsers draw about twice as fast as decimals. */

/** Units a thumbnail's side is divided into, so that whole coordinates are fine enough. */
export const UNITS = 100;

/** Lowest and highest of `count` values from `start`; equal ends when the curve is flat or empty. */
export function extent(values: Float32Array, start: number, count: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let index = start; index < start + count; index++) {
    const value = values[index] ?? 0;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** How values become heights in a box of UNITS × UNITS. */
export interface Scale {
  middle: number;
  perUnit: number;
}

/** The scale that centres a curve and lets `span` fill the height; a curve that spans more fills it by itself. */
export function curveScale(values: Float32Array, start: number, count: number, span = 0): Scale {
  const [low, high] = extent(values, start, count);
  const height = Math.max(high - low, span);
  return { middle: (low + high) / 2, perUnit: height > 0 ? UNITS / height : 0 };
}

/** Where a value lies in the box, counted from its top in whole units. */
export const toHeight = (scale: Scale, value: number): number =>
  Math.round(UNITS / 2 - (value - scale.middle) * scale.perUnit);

/** The height of φ = 0, which tells a curve's sign, or null when it lies outside the box. */
export function zeroHeight(scale: Scale): number | null {
  if (scale.perUnit === 0) return null;
  const height = toHeight(scale, 0);
  return height >= 0 && height <= UNITS ? height : null;
}

/** The path of `count` values from `start` in a box of UNITS × UNITS. */
export function curvePath(
  values: Float32Array,
  start: number,
  count: number,
  scale: Scale = curveScale(values, start, count),
): string {
  let x = 0;
  let y = toHeight(scale, values[start] ?? 0);
  let path = `M0 ${y}`;
  for (let index = 1; index < count; index++) {
    const nextX = Math.round((index * UNITS) / (count - 1));
    const nextY = toHeight(scale, values[start + index] ?? 0);
    path += `l${nextX - x} ${nextY - y}`;
    x = nextX;
    y = nextY;
  }
  return path;
}

/** Share of the largest span at a node below which a curve is drawn as flat as it is. */
const FLATTEST = 0.2;

/**
 * The least span to draw each edge with, so that edges into one node can be compared and a dead one looks flat. `targets`
 * names each edge's target node.
 */
export function comparableSpans(values: Float32Array, count: number, targets: readonly string[]): number[] {
  const largest = new Map<string, number>();
  targets.forEach((target, edge) => {
    const [low, high] = extent(values, edge * count, count);
    largest.set(target, Math.max(largest.get(target) ?? 0, high - low));
  });
  return targets.map((target) => FLATTEST * (largest.get(target) ?? 0));
}
