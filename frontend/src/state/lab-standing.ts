/** How a contestant stands on a problem at this moment: what is done and what is under way together. */

import type { LabRunning } from '../protocol/messages';
import { doneError, errorSpread, type Cell, type Spread } from './lab-summary';

export interface SeedStanding {
  key: string;
  seed: number;
  /** null before the first error, and where there is none at the end */
  error: number | null;
  isRunning: boolean;
}

export interface Standing {
  cell: Cell;
  /** over the seeds that have an error yet */
  error: Spread | null;
  seeds: SeedStanding[];
  /** how far the seeds are together, 0 to 1 */
  progress: number;
  isRunning: boolean;
}

export function standingOf(cell: Cell, running: ReadonlyMap<string, LabRunning>): Standing {
  let progress = 0;
  const seeds = cell.points.map((point) => {
    const now = point.state === 'done' ? undefined : running.get(point.key);
    progress += point.state === 'done' ? 1 : (now?.progress ?? 0);
    return {
      key: point.key,
      seed: point.seed,
      error: point.state === 'done' ? doneError(point) : (now?.test_rmse ?? null),
      isRunning: now !== undefined,
    };
  });
  return {
    cell,
    // those that have none yet do not count
    error: errorSpread(
      seeds
        .filter((seed, index) => seed.error !== null || cell.points[index]?.state === 'done')
        .map((seed) => seed.error),
    ),
    seeds,
    progress: progress / Math.max(1, cell.points.length),
    isRunning: seeds.some((seed) => seed.isRunning),
  };
}
