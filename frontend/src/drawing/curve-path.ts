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

/** The path of `count` values from `start`, scaled to fill a box of UNITS × UNITS; a flat curve runs in the middle. */
export function curvePath(values: Float32Array, start: number, count: number): string {
  const [low, high] = extent(values, start, count);
  const scale = high > low ? UNITS / (high - low) : 0;
  const toY = (index: number): number =>
    scale === 0 ? UNITS / 2 : Math.round(UNITS - ((values[start + index] ?? 0) - low) * scale);
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
