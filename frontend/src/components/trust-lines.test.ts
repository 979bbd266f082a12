import { describe, expect, it } from 'vitest';
import type { FormulaJudgedEvent } from '../protocol/messages';
import { trustLines } from './trust-lines';

const REPORT: FormulaJudgedEvent = {
  type: 'formula_judged',
  epoch: 0,
  seq: 0,
  request_id: 1,
  revision: 1,
  units: 'original',
  mathml: '',
  text: '',
  against_network: { maximum: 0.00123, rmse: 4.56e-10, num_rows: 100, num_undefined: 0 },
  held_out: { maximum: 0.2, rmse: 0.1, num_rows: 50, num_undefined: 0 },
  target_spread: 3,
  ranges: [{ name: 'x', low: -1, high: 0.98765, num_outside: 0 }],
  singular: [],
};
const EDGE = { layer: 1, source: 0, target: 2 };

describe('how far to trust a formula', () => {
  it('says the errors and the ranges', () => {
    expect(trustLines(REPORT).map((line) => line.text)).toEqual([
      'Error against the network: RMSE 4.6·10⁻¹⁰, at most 0.0012.',
      'Held-out error: RMSE 0.1, at most 0.2; the targets spread by 3.',
      'Fitted for x in [−1, 0.9877].',
    ]);
  });

  it('warns of places without a value where data lie', () => {
    const lines = trustLines({
      ...REPORT,
      against_network: { maximum: null, rmse: null, num_rows: 100, num_undefined: 100 },
      ranges: [{ name: 'x', low: 0, high: 1, num_outside: 1 }],
      singular: [
        { edge: EDGE, input_name: 'x', function: '1/x', is_pole: true, low: 0.5, high: 0.5, is_inside: true },
        { edge: EDGE, input_name: null, function: 'log', is_pole: false, low: -1, high: 0, is_inside: false },
      ],
    });
    expect(lines.map((line) => [line.text, line.isWarning])).toEqual([
      ['It has no finite value on the data.', false],
      ['Held-out error: RMSE 0.1, at most 0.2; the targets spread by 3.', false],
      ['No finite value at 100 of 100 training samples.', true],
      ['Singular at x = 0.5, within the data.', true],
      ['No value for what enters edge 1.0.2 in [−1, 0], near the data.', false],
      ['Fitted for x in [0, 1]; 1 held-out sample lies outside.', false],
    ]);
  });
});
