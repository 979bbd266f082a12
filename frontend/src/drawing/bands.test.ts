import { describe, expect, it } from 'vitest';
import { centred, share, unite } from './bands';

const whole = { start: 10, length: 100 };

describe('share', () => {
  it('follows the weights, end to end', () => {
    expect(share(whole, [1, 3])).toEqual([
      { start: 10, length: 25 },
      { start: 35, length: 75 },
    ]);
  });

  it('gives each its least before the rest is shared out', () => {
    const lengths = (leasts: number[]): number[] =>
      share(whole, [1, 1, 2], leasts).map((band) => band.length);
    expect(lengths([])).toEqual([25, 25, 50]);
    expect(lengths([40, 0, 0])).toEqual([55, 15, 30]);
    expect(lengths([10, 30, 60])).toEqual([10, 30, 60]);
  });
});

describe('centred', () => {
  it('lies in the middle', () => {
    expect(centred(whole, 20)).toEqual({ start: 50, length: 20 });
  });
});

describe('unite', () => {
  it('covers bands that follow each other', () => {
    expect(unite(share(whole, [1, 3]))).toEqual(whole);
    expect(unite([whole])).toEqual(whole);
  });
});
