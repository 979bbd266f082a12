/** Stretches of an axis, shared out by weights. */

export interface Band {
  start: number;
  length: number;
}

export const middle = (band: Band): number => band.start + band.length / 2;

/** Shares `whole` out by weights. */
export function share(whole: Band, weights: readonly number[]): Band[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let at = whole.start;
  return weights.map((weight) => {
    const band = { start: at, length: (whole.length * weight) / total };
    at += band.length;
    return band;
  });
}
