/** Runs of the lab as tests need them. */

import type { LabPointInfo, LabRunInfo } from '../protocol/messages';

export const point = (change: Partial<LabPointInfo> = {}): LabPointInfo => ({
  key: 'j0/A/0',
  problem: 'j0',
  contestant: 'A',
  seed: 0,
  value: null,
  state: 'waiting',
  outcome: null,
  sentence: '',
  parameters: null,
  steps: null,
  seconds: null,
  train_rmse: null,
  test_rmse: null,
  curve: [],
  ...change,
});

export const done = (error: number | null, change: Partial<LabPointInfo> = {}): LabPointInfo =>
  point({
    state: 'done',
    outcome: error === null ? 'failed' : 'ok',
    parameters: 10,
    seconds: 1,
    train_rmse: error,
    test_rmse: error,
    ...change,
  });

export const runInfo = (points: LabPointInfo[], change: Partial<LabRunInfo> = {}): LabRunInfo => ({
  run_id: 'r',
  title: 'A race',
  question: '',
  kind: 'race',
  variable: null,
  digest: 'abc',
  toml: '',
  state: 'running',
  sentence: '',
  created: 0,
  can_edit: true,
  num_points: points.length,
  num_done: 0,
  num_failed: 0,
  processes: 2,
  expected_seconds: 10,
  seconds_left: 10,
  contestants: ['A'],
  problems: ['j0'],
  titles: { j0: 'J₀(20x)' },
  seeds: [0, 1],
  points,
  fits: [],
  ...change,
});
