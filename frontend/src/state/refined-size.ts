/** The grid size that refining leads to. */

/**
 * The typed size where it is a larger one that keeps the curves, of most families a whole multiple of the present one;
 * else twice the present.
 */
export function refinedSize(present: number, typed: number | null, takesAny: boolean): number {
  if (typed === null || !Number.isInteger(typed) || typed <= present) return 2 * present;
  return takesAny || typed % present === 0 ? typed : 2 * present;
}
