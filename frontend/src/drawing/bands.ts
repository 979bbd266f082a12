/** Stretches of an axis, shared out by weights. */

export interface Band {
  start: number;
  length: number;
}

export const middle = (band: Band): number => band.start + band.length / 2;

/** The part of a band that is so long, in its middle. */
export const centred = (band: Band, length: number): Band => ({ start: middle(band) - length / 2, length });

/** The stretch that neighbouring bands take together. */
export function unite(bands: readonly Band[]): Band {
  const start = Math.min(...bands.map((band) => band.start));
  return { start, length: Math.max(...bands.map((band) => band.start + band.length)) - start };
}

/** Shares `whole` out: each band gets its own of `leasts`, if any, and of what is left a part by its weight. */
export function share(whole: Band, weights: readonly number[], leasts: readonly number[] = []): Band[] {
  const left = whole.length - leasts.reduce((sum, least) => sum + least, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let at = whole.start;
  return weights.map((weight, index) => {
    const band = { start: at, length: (leasts[index] ?? 0) + (left * weight) / total };
    at += band.length;
    return band;
  });
}
