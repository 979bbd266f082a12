import { describe, expect, it } from 'vitest';
import { contestant, firstRace, type LabDraft, type Variable } from './lab-draft';
import { effective } from './lab-effect';

const swept = (variable: Variable): LabDraft => ({
  ...firstRace(),
  problems: ['j0', { name: 'mine', expression: 'x^2', ranges: [{ name: 'x', low: 0, high: 1 }], hidden: [] }],
  contestants: [
    contestant({
      name: 'A',
      hidden: [8, 4],
      grid_size: 7,
      optimizer: 'lm',
      learning_rate: 0.1,
      batch_size: 9,
    }),
    contestant({ name: 'B', hidden: [], optimizer: 'adam', learning_rate: 0.1, batch_size: 9 }),
  ],
  sweep: { variable, values: [5, 10, 20] },
});

const told = (draft: LabDraft): unknown => {
  const { num_train, problems, contestants } = effective(draft);
  return [
    num_train,
    problems.map((one) => (typeof one === 'string' ? one : one.hidden)),
    contestants.map((one) => [one.hidden, one.grid_size, one.learning_rate, one.batch_size]),
  ];
};

describe('what has an effect', () => {
  it('is not what is swept', () => {
    const adam = [0.1, 9];
    expect(told(swept('grid_size'))).toEqual([
      1000,
      ['j0', []],
      [
        [[8, 4], null, null, null],
        [[], null, ...adam],
      ],
    ]);
    expect(told(swept('width'))).toEqual([
      1000,
      ['j0', null],
      [
        [[1, 1], 7, null, null],
        [null, null, ...adam],
      ],
    ]);
    expect(told(swept('depth'))).toEqual([
      1000,
      ['j0', null],
      [
        [[8], 7, null, null],
        [null, null, ...adam],
      ],
    ]);
    expect(told(swept('samples'))).toEqual([
      null,
      ['j0', []],
      [
        [[8, 4], 7, null, null],
        [[], null, ...adam],
      ],
    ]);
  });

  it('is all that is set where nothing is in its way', () => {
    expect(effective(firstRace())).toEqual(firstRace());
  });
});
