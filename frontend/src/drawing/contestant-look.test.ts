import { describe, expect, it } from 'vitest';
import { lookAt, lookOf } from './contestant-look';

describe('the look of contestants', () => {
  const looks = Array.from({ length: 24 }, (_, index) => lookAt(index));

  it('tells 24 of them apart by symbols and by lines', () => {
    expect(new Set(looks.map(({ colour, symbol }) => `${colour} ${symbol}`)).size).toBe(24);
    expect(new Set(looks.map(({ colour, dash }) => `${colour} ${dash}`)).size).toBe(24);
  });

  it('tells those of one colour apart by symbols, and those of one symbol by colours', () => {
    expect(lookAt(8).colour).toBe(lookAt(0).colour);
    expect(lookAt(8).symbol).not.toBe(lookAt(0).symbol);
    expect(lookAt(7).symbol).toBe(lookAt(0).symbol);
    expect(lookAt(7).colour).not.toBe(lookAt(0).colour);
  });

  it('goes by the place among all', () => {
    expect(lookOf('b', ['a', 'b'])).toEqual(lookAt(1));
    expect(lookOf('nobody', ['a', 'b'])).toEqual(lookAt(0));
  });
});
