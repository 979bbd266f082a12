/** What of the form's fields has an effect: a spec says nothing else, and is refused where it does. */

import type { ContestantDraft, LabDraft, ProblemDraft, SweepDraft, Variable } from './lab-draft';

/** The fields without those that their neighbours make idle. */
export function effective(draft: LabDraft): LabDraft {
  const variable = variableOf(draft.sweep);
  return {
    ...draft,
    num_train: variable === 'samples' ? null : draft.num_train,
    problems: draft.problems.map((one) => effectiveProblem(one, variable)),
    contestants: draft.contestants.map((one) => effectiveContestant(one, variable)),
  };
}

export const variableOf = (sweep: SweepDraft | null): Variable | null => sweep?.variable ?? null;

/** A contestant beside a sweep of this variable: what is swept is not its own, and only Adam has a rate and batches. */
export function effectiveContestant(one: ContestantDraft, variable: Variable | null): ContestantDraft {
  const isAdam = one.optimizer === 'adam';
  return {
    ...one,
    hidden: effectiveHidden(one.hidden, variable),
    grid_size: variable === 'grid_size' ? null : one.grid_size,
    learning_rate: isAdam ? one.learning_rate : null,
    batch_size: isAdam ? one.batch_size : null,
  };
}

const effectiveProblem = (one: ProblemDraft, variable: Variable | null): ProblemDraft =>
  typeof one === 'string' ? one : { ...one, hidden: effectiveHidden(one.hidden, variable) };

/** Widths beside a sweep of widths, which leaves their number, or of depth, which repeats the first of them. */
export function effectiveHidden(
  hidden: readonly number[] | null,
  variable: Variable | null,
): number[] | null {
  if (hidden === null) return null;
  const [first] = hidden;
  if (variable === 'width') return first === undefined ? null : hidden.map(() => 1);
  if (variable === 'depth') return first === undefined ? null : [first];
  return [...hidden];
}
