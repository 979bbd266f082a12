/** The trainings under way, and the courses that they have taken while the page looked on. */

import type { LabCurvePoint, LabRunning } from '../protocol/messages';

export type Running = ReadonlyMap<string, LabRunning>;
export type Trails = ReadonlyMap<string, LabCurvePoint[]>;

/** what is kept of a course; beyond it every other place is left out */
const MAX_TRAIL = 200;

export const nobody = (): Running => new Map();
export const noTrails = (): Trails => new Map();

export const byKey = (running: readonly LabRunning[]): Running =>
  new Map(running.map((one) => [one.key, one]));

export function without<Kept>(all: ReadonlyMap<string, Kept>, key: string): ReadonlyMap<string, Kept> {
  return new Map([...all].filter(([other]) => other !== key));
}

/** The courses of what is under way now, each with its newest place at the end. */
export const followed = (trails: Trails, running: readonly LabRunning[]): Trails =>
  new Map(running.map((one) => [one.key, extended(trails.get(one.key) ?? [], one)]));

function extended(trail: LabCurvePoint[], { step, seconds, test_rmse }: LabRunning): LabCurvePoint[] {
  const last = trail.at(-1);
  // it began anew, as after the server was killed
  if (last !== undefined && step < last.step) return [{ step, seconds, test_rmse }];
  if (step === last?.step) return trail;
  const kept = trail.length < MAX_TRAIL ? trail : trail.filter((_, index) => index % 2 === 0);
  return [...kept, { step, seconds, test_rmse }];
}
