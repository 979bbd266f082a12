/** Which formulas describe a curve best, for as much as simplicity counts. */

import type { Candidate, CandidateTriedEvent } from '../protocol/messages';

/** how many formulas are worth reading */
export const NUM_SHOWN = 10;
/** the slider runs over powers of two around the usual weight, and its left end is no weight at all */
export const POWERS = { low: -6, usual: 0, high: 6, step: 0.5 } as const;

/** How much simplicity counts at a place of the slider; 1 is usual. */
export const weightAt = (power: number): number => (power <= POWERS.low ? 0 : 2 ** power);

/** The best formulas first: the fewest bits, the poor ones after the others by how much they explain. */
export function sortedBy(candidates: readonly Candidate[], weight: number): Candidate[] {
  const bits = (one: Candidate): number => weight * one.formula_bits + one.residual_bits;
  const byPoorness = (one: Candidate, other: Candidate): number =>
    Number(one.is_poor) - Number(other.is_poor);
  return candidates
    .toSorted(
      (one, other) =>
        byPoorness(one, other) ||
        (one.is_poor ? other.r2 - one.r2 : bits(one) - bits(other)) ||
        one.complexity - other.complexity,
    )
    .slice(0, NUM_SHOWN);
}

/** The smallest error of the whole network on train samples first; those not tried come last, in their order. */
export function sortedInNetwork(
  candidates: readonly Candidate[],
  tried: ReadonlyMap<string, CandidateTriedEvent>,
): Candidate[] {
  const error = (one: Candidate): number => {
    const result = tried.get(one.name);
    if (result === undefined) return Infinity;
    // beyond all numbers is worse than any number, and better known than what was not tried
    return result.train_rmse ?? Number.MAX_VALUE;
  };
  return candidates.toSorted((one, other) => {
    const [left, right] = [error(one), error(other)];
    return left === right ? 0 : left - right;
  });
}
