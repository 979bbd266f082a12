import { describe, expect, it, vi } from 'vitest';
import type { PredictionEvent } from '../protocol/messages';
import { lanesChart } from './lanes-chart';
import { lanesPredictionChart } from './lanes-prediction-chart';

vi.mock('./plotly', () => ({ colour: (name: string) => name, HOVER: '.4~g' }));

const LOSSES = [
  { step: 1, train: 0.5, test: 0.6, seconds: 0.1 },
  { step: 2, train: 0.2, test: 0.3, seconds: 0.25 },
];
const curves = (first: number | null, second: number | null): Parameters<typeof lanesChart>[0] => [
  { name: '1  KAN', colour: 0, losses: LOSSES, at: first },
  { name: '2  MLP', colour: 3, losses: LOSSES.slice(0, 1), at: second },
];

function predictionOf(values: number[], truth: number[] | null): PredictionEvent {
  return {
    epoch: 0,
    seq: 0,
    request_id: null,
    type: 'prediction',
    x_input: 0,
    y_input: null,
    x: [0, 1],
    y: [],
    network: [values],
    truth: truth === null ? null : [truth],
    sample_x: [0.5],
    sample_y: [],
    sample_targets: [7],
  };
}

describe('the errors of all lanes', () => {
  it('are a dotted and a full line for each lane in its colour, over steps or over time', () => {
    const over = (axis: 'step' | 'seconds'): unknown[] =>
      lanesChart(curves(null, null), axis, 'RMSE').traces.map(({ x, y, line }) => [x, y, line]);
    const thin = (color: string): unknown => ({ color, width: 1.2, dash: 'dot' });
    const full = (color: string): unknown => ({ color, width: 2, dash: 'solid' });
    expect(over('step')).toEqual([
      [[1, 2], [0.5, 0.2], thin('lane-0')],
      [[1, 2], [0.6, 0.3], full('lane-0')],
      [[1], [0.5], thin('lane-3')],
      [[1], [0.6], full('lane-3')],
    ]);
    expect(over('seconds')[0]).toEqual([[0.1, 0.25], [0.5, 0.2], thin('lane-0')]);
  });

  it('are marked at the place that is looked at, once where it is the same for all', () => {
    const marked = (...at: [number | null, number | null]): unknown =>
      lanesChart(curves(...at), 'step', 'RMSE').layout['shapes'];
    expect(marked(null, null)).toEqual([]);
    expect(marked(2, 2)).toMatchObject([{ x0: 2, x1: 2, line: { color: 'muted' } }]);
    expect(marked(2, 1)).toMatchObject([
      { x0: 2, line: { color: 'lane-0' } },
      { x0: 1, line: { color: 'lane-3' } },
    ]);
  });
});

describe('what all lanes predict', () => {
  const names = { input: 'x', output: 'f', truth: 'truth' };
  const lanes = [
    { name: '1  KAN', colour: 0, event: predictionOf([1, 2], [3, 4]) },
    { name: '2  MLP', colour: 3, event: predictionOf([5, 6], [3, 4]) },
  ];

  it('is a line for each in its colour, with the truth over them', () => {
    const { traces, layout } = lanesPredictionChart(lanes, names, false);
    expect(traces.map(({ name, y }) => [name, y])).toEqual([
      ['1  KAN', [1, 2]],
      ['2  MLP', [5, 6]],
      ['truth', [3, 4]],
    ]);
    expect(traces.map(({ line }) => line)).toMatchObject([
      { color: 'lane-0', dash: 'solid' },
      { color: 'lane-3', dash: 'solid' },
      { color: 'text', dash: 'dash' },
    ]);
    expect(layout).toMatchObject({ xaxis: { title: { text: 'x' } }, yaxis: { title: { text: 'f' } } });
  });

  it('has samples where they lie on the line, and a truth where it is known', () => {
    const one = [{ name: '1  KAN', colour: 0, event: predictionOf([1, 2], null) }];
    const { traces } = lanesPredictionChart(one, names, true);
    expect(traces.map(({ mode, y }) => [mode, y])).toEqual([
      ['markers', [7]],
      ['lines', [1, 2]],
    ]);
    expect(lanesPredictionChart([], names, true).traces).toEqual([]);
  });
});
