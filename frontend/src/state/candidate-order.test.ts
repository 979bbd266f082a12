import { describe, expect, it } from 'vitest';
import type { Candidate, CandidateTriedEvent } from '../protocol/messages';
import { NUM_SHOWN, POWERS, sortedBy, sortedInNetwork, weightAt } from './candidate-order';

const candidate = (name: string, formulaBits: number, residualBits: number, r2 = 0.99): Candidate => ({
  form: { function: name, a: 1, b: 0, c: 1, d: 0 },
  name,
  mathml: '',
  text: name,
  r2,
  complexity: formulaBits,
  formula_bits: formulaBits,
  residual_bits: residualBits,
  is_poor: r2 < 0.9,
  curve: [],
});
const names = (sorted: Candidate[]): string[] => sorted.map((one) => one.name);

describe('sortedBy', () => {
  const all = [
    candidate('poor', 1, -10, 0.2),
    candidate('simple', 2, -20),
    candidate('exact', 9, -25),
    candidate('less poor', 3, -5, 0.5),
  ];

  it('weighs the formula against what it leaves', () => {
    expect(names(sortedBy(all, 0)).slice(0, 2)).toEqual(['exact', 'simple']);
    expect(names(sortedBy(all, 1)).slice(0, 2)).toEqual(['simple', 'exact']);
    expect(names(sortedBy(all, 0.7)).slice(0, 2)).toEqual(['exact', 'simple']);
  });

  it('never lets a poor formula come before one that is not, however simple', () => {
    expect(names(sortedBy(all, 1000)).slice(2)).toEqual(['less poor', 'poor']);
  });

  it('shows the best of many and leaves what it was given as it is', () => {
    const many = Array.from({ length: 30 }, (_, index) => candidate(`f${index}`, 1, index));
    const before = names(many);
    expect(names(sortedBy(many.toReversed(), 1))).toEqual(before.slice(0, NUM_SHOWN));
    expect(names(many)).toEqual(before);
  });
});

describe('weightAt', () => {
  it('is 1 in the middle and nothing at the left end', () => {
    expect([POWERS.usual, POWERS.low, 3].map(weightAt)).toEqual([1, 0, 8]);
  });
});

describe('sortedInNetwork', () => {
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => candidate(name, 1, 1));
  const tried = (name: string, error: number | null): [string, CandidateTriedEvent] => [
    name,
    {
      epoch: 0,
      seq: 0,
      request_id: 1,
      type: 'candidate_tried',
      edge: { layer: 0, source: 0, target: 0 },
      form: { function: name, a: 1, b: 0, c: 1, d: 0 },
      revision: 1,
      step: 1,
      train_rmse: error,
      test_rmse: error,
    },
  ];

  it('puts the smallest error first, what has none after it, and what was not tried last in its order', () => {
    const results = new Map([tried('b', 0.5), tried('d', null), tried('e', 0.1)]);
    expect(names(sortedInNetwork(all, results))).toEqual(['e', 'b', 'd', 'a', 'c']);
    expect(names(sortedInNetwork(all, new Map()))).toEqual(names(all));
  });
});
