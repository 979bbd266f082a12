/** Medians and ranges over the seeds of a run's points. */

import type { LabPointInfo } from '../protocol/messages';

export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** All seeds of one contestant on one problem at one value of what is swept. */
export interface Cell {
  problem: string;
  contestant: string;
  value: number | null;
  points: LabPointInfo[];
  numDone: number;
  numFailed: number;
  numDiverged: number;
  test: Spread | null;
  train: Spread | null;
  parameters: Spread | null;
  seconds: Spread | null;
}

const isNumber = (value: number | null): value is number => value !== null && Number.isFinite(value);

/** Median and range of the finite numbers; null when there are none. */
export const spread = (values: readonly (number | null)[]): Spread | null =>
  errorSpread(values.filter(isNumber));

/**
 * Median and range of errors, where null is that of a training that failed or diverged: worse than any other. Null when
 * the median is such an error, or there are none.
 */
export function errorSpread(errors: readonly (number | null)[]): Spread | null {
  const sorted = errors.filter(isNumber).sort((left, right) => left - right);
  const middle = (errors.length - 1) / 2;
  const [low, high] = [sorted[0], sorted.at(-1)];
  const [below, above] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  if (low === undefined || high === undefined || below === undefined || above === undefined) return null;
  return { median: (below + above) / 2, low, high };
}

/** The test error of a point that is done, null where training failed or diverged. */
export const doneError = (point: LabPointInfo): number | null =>
  point.outcome === 'failed' || point.outcome === 'diverged' ? null : point.test_rmse;

/** Those that are done and of which it is told what went wrong. */
export const wentWrong = (points: readonly LabPointInfo[]): LabPointInfo[] =>
  points.filter(
    ({ state, outcome, sentence }) =>
      state === 'done' && sentence !== '' && outcome !== 'ok' && outcome !== 'converged',
  );

/** How many trainings of the cells together diverged and failed. */
export const lossesOf = (cells: readonly Cell[]): Pick<Cell, 'numDiverged' | 'numFailed'> => ({
  numDiverged: cells.reduce((sum, { numDiverged }) => sum + numDiverged, 0),
  numFailed: cells.reduce((sum, { numFailed }) => sum + numFailed, 0),
});

const cellName = (problem: string, contestant: string, value: number | null): string =>
  JSON.stringify([problem, contestant, value]);

/** The cells in the order in which their first points come. */
export function summarise(points: readonly LabPointInfo[]): Cell[] {
  const groups = new Map<string, LabPointInfo[]>();
  for (const point of points) {
    const name = cellName(point.problem, point.contestant, point.value);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [point]);
    else group.push(point);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const done = group.filter((point) => point.state === 'done');
    const ran = done.filter((point) => point.outcome !== 'failed');
    return {
      problem: first.problem,
      contestant: first.contestant,
      value: first.value,
      points: group.toSorted((left, right) => left.seed - right.seed),
      numDone: done.length,
      numFailed: done.filter((point) => point.outcome === 'failed').length,
      numDiverged: done.filter((point) => point.outcome === 'diverged').length,
      test: errorSpread(done.map(doneError)),
      train: spread(done.map((point) => point.train_rmse)),
      parameters: spread(ran.map((point) => point.parameters)),
      seconds: spread(ran.map((point) => point.seconds)),
    };
  });
}

/** Where several contestants have a median error, at one value of what is swept or in a race, the smallest of theirs. */
export function bestOnes(cells: readonly Cell[]): ReadonlySet<Cell> {
  const median = ({ test }: Cell): number => test?.median ?? Infinity;
  const isBest = (cell: Cell): boolean => {
    const rivals = cells.filter(({ value, test }) => value === cell.value && test !== null);
    return rivals.length > 1 && rivals.toSorted((left, right) => median(left) - median(right))[0] === cell;
  };
  return new Set(cells.filter(isBest));
}
