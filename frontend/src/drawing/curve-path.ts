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

/**
 * The path of `count` values from `start` in a box of UNITS × UNITS, centred and scaled so that `span` fills the height;
 * a curve that spans more fills it by itself.
 */
export function curvePath(values: Float32Array, start: number, count: number, span = 0): string {
  const [low, high] = extent(values, start, count);
  const height = Math.max(high - low, span);
  const scale = height > 0 ? UNITS / height : 0;
  const middle = (low + high) / 2;
  const toY = (index: number): number =>
    Math.round(UNITS / 2 - ((values[start + index] ?? 0) - middle) * scale);
  let x = 0;
  let y = toY(0);
  let path = `M0 ${y}`;
  for (let index = 1; index < count; index++) {
    const nextX = Math.round((index * UNITS) / (count - 1));
    const nextY = toY(index);
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
