import { describe, expect, it } from 'vitest';
import { done, point } from './lab-fakes';
import { texts } from '../texts';
import { standingOf } from './lab-standing';
import { bestOnes, errorSpread, lossesOf, spread, summarise, wentWrong, type Cell } from './lab-summary';

describe('the spread over seeds', () => {
  it('is median and range of what is a number', () => {
    expect(spread([3, null, 1, 2, NaN])).toEqual({ median: 2, low: 1, high: 3 });
    expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, low: 1, high: 4 });
    expect(spread([null, Infinity])).toBeNull();
  });

  it('counts an error that there is none of as worse than any other', () => {
    expect(errorSpread([3, null, 1])).toEqual({ median: 3, low: 1, high: 3 });
    expect(errorSpread([3, null, null])).toBeNull();
    expect(errorSpread([3, 1])).toEqual({ median: 2, low: 1, high: 3 });
    expect(errorSpread([])).toBeNull();
  });
});

describe('a summary', () => {
  const points = [
    done(0.1, { key: '1', seed: 1 }),
    done(0.3, { key: '2', seed: 0 }),
    done(null, { key: '3', seed: 2, parameters: 0, seconds: 0 }),
    done(0.01, { key: '4', contestant: 'B', outcome: 'diverged' }),
    point({ key: '5', contestant: 'B', seed: 1 }),
    done(0.001, { key: '6', problem: 'kink' }),
    done(0.5, { key: '7', contestant: 'A', value: 5 }),
  ];

  it('takes seeds together and keeps all else apart', () => {
    const cells = summarise(points);
    expect(cells.map(({ problem, contestant, value }) => [problem, contestant, value])).toEqual([
      ['j0', 'A', null],
      ['j0', 'B', null],
      ['kink', 'A', null],
      ['j0', 'A', 5],
    ]);
    expect(cells[0]).toMatchObject({
      numDone: 3,
      numFailed: 1,
      numDiverged: 0,
      test: { median: 0.3, low: 0.1, high: 0.3 },
      // what failed took nothing
      parameters: { median: 10, low: 10, high: 10 },
      seconds: { median: 1, low: 1, high: 1 },
    });
    expect(cells[0]?.points.map(({ seed }) => seed)).toEqual([0, 1, 2]);
    expect(cells[1]).toMatchObject({ numDone: 1, numDiverged: 1, numFailed: 0 });
  });

  it('counts what was lost, and names what went wrong', () => {
    expect(lossesOf(summarise(points))).toEqual({ numDiverged: 1, numFailed: 1 });
    expect(texts.lab.run.losses({ numDiverged: 1, numFailed: 2 })).toBe('1 diverged, 2 failed');
    expect(texts.lab.run.losses(lossesOf([]))).toBe('');
    const told = points.map((one) => ({ ...one, sentence: 'So it ended.' }));
    expect(wentWrong(told).map(({ key }) => key)).toEqual(['3', '4']);
    expect(wentWrong(points)).toEqual([]);
  });

  it('knows who is best of several, if anyone is', () => {
    const named = (cells: readonly Cell[]): unknown[] =>
      [...bestOnes(cells)].map(({ contestant, value }) => [contestant, value]);
    const rivals = [...points.slice(0, 3), done(0.01, { key: '4', contestant: 'B' })];
    expect(named(summarise(rivals))).toEqual([['B', null]]);
    // B diverged, so that there is nobody to be better than
    expect(named(summarise(points.slice(0, 5)))).toEqual([]);
    expect(named(summarise([point(), done(null, { seed: 1 })]))).toEqual([]);
    expect(named(summarise(points.slice(0, 1)))).toEqual([]);
  });

  it('knows who is best at each value of a sweep, where several are measured', () => {
    const swept = [
      done(0.1, { key: '1', value: 5 }),
      done(0.2, { key: '2', value: 5, contestant: 'B' }),
      done(0.02, { key: '3', value: 10 }),
      done(0.01, { key: '4', value: 10, contestant: 'B' }),
      done(0.001, { key: '5', value: 20 }),
    ];
    expect([...bestOnes(summarise(swept))].map(({ contestant, value }) => [contestant, value])).toEqual([
      ['A', 5],
      ['B', 10],
    ]);
  });
});

describe('a standing', () => {
  it('counts what is done and what is under way together', () => {
    const [cell] = summarise([
      done(0.1, { key: 'a', seed: 0 }),
      point({ key: 'b', seed: 1 }),
      point({ key: 'c', seed: 2 }),
      point({ key: 'd', seed: 3 }),
    ]);
    if (cell === undefined) throw new Error('there is no cell');
    const running = new Map([
      ['b', { key: 'b', progress: 0.5, step: 9, seconds: 1, test_rmse: 0.3 }],
      ['c', { key: 'c', progress: 0.1, step: 1, seconds: 0, test_rmse: null }],
      // news of a point that is done came late
      ['a', { key: 'a', progress: 0.9, step: 9, seconds: 1, test_rmse: 7 }],
    ]);
    const standing = standingOf(cell, running);
    expect(standing.error).toEqual({ median: 0.2, low: 0.1, high: 0.3 });
    expect(standing.seeds.map(({ error, isRunning }) => [error, isRunning])).toEqual([
      [0.1, false],
      [0.3, true],
      [null, true],
      [null, false],
    ]);
    expect(standing.progress).toBeCloseTo(0.4);
  });
});
