/** Power laws as lines between two places, on axes that end somewhere. */

import type { LabFit } from '../protocol/messages';

export interface LawEnd {
  size: number;
  error: number;
}

/** where the slope of theory begins, as a share of the law's error: beside the law, as only the slope is promised */
const ASIDE = 0.4;

/** Both ends of a fitted law, and of the slope that theory promises beside it; null where there is none in sight. */
export function lawLines(
  fit: LabFit,
  [lowest, highest]: readonly [number, number],
): { law: LawEnd[] | null; theory: LawEnd[] | null } {
  const { exponent, intercept, first, last, theory } = fit;
  if (exponent == null || intercept == null || first == null || last == null)
    return { law: null, theory: null };
  const begin = Math.exp(intercept) * first ** -exponent;
  const line = (slope: number, error: number): LawEnd[] | null =>
    clipped({ size: first, error }, { size: last, error: error * (first / last) ** slope }, lowest, highest);
  return { law: line(exponent, begin), theory: theory == null ? null : line(theory, ASIDE * begin) };
}

/** The part of a falling line, straight on logarithmic axes, whose errors lie between two bounds. */
function clipped(from: LawEnd, to: LawEnd, lowest: number, highest: number): LawEnd[] | null {
  if (from.error < lowest || to.error > highest) return null;
  const at = (error: number): LawEnd => {
    const share = Math.log(error / from.error) / Math.log(to.error / from.error);
    return { size: from.size * (to.size / from.size) ** share, error };
  };
  return [from.error > highest ? at(highest) : from, to.error < lowest ? at(lowest) : to];
}
