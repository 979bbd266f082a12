/** The grid size that refining leads to. */

/** The typed size where it is a larger whole multiple of the present one, as curves are kept by no other; else twice the present. */
export function refinedSize(present: number, typed: number | null): number {
  return typed !== null && typed > present && typed % present === 0 ? typed : 2 * present;
}
