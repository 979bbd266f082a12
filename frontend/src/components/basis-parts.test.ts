import { describe, expect, it } from 'vitest';
import { texts } from '../texts';
import { outgrow, partsOf, total } from './basis-parts';

const curves = [
  [1, 0, 0],
  [0, 2, 1],
  [0.5, 0.5, 0.5],
];

describe('partsOf', () => {
  it('names each weighted function, the base function last', () => {
    expect(partsOf(curves).map(({ name, colour }) => [name, colour])).toEqual([
      ['c₀B₀', 0],
      ['c₁B₁', 1],
      ['w·b', null],
    ]);
  });

  it('leaves out a base function that is nothing, and takes colours in turn', () => {
    const many = [...Array.from({ length: 13 }, () => [1]), [0]];
    const parts = partsOf(many);
    expect(parts.map((part) => part.colour)).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0]);
    expect(parts.at(-1)?.name).toBe('c₁₂B₁₂');
    expect(partsOf([])).toEqual([]);
  });
});

describe('outgrow', () => {
  const [small = [], large = []] = [curves[0], [100, -100, 300]];

  it('tells parts that would flatten their curve from those that lie beside it', () => {
    expect(outgrow(partsOf(curves), small)).toBe(false);
    expect(outgrow(partsOf([large, ...curves]), small)).toBe(true);
    expect(outgrow(partsOf([large, ...curves]), large)).toBe(false);
    expect(outgrow(partsOf(curves), [0.2, 0.2, 0.2])).toBe(true);
    expect(outgrow([], small)).toBe(false);
  });
});

describe('total', () => {
  it('adds up the parts', () => {
    expect(total(partsOf(curves), 3)).toEqual([1.5, 2.5, 1.5]);
    expect(total(partsOf(curves), 3, 2)).toEqual([1.5, 1.5]);
    expect(total([], 2)).toEqual([0, 0]);
  });
});

describe('texts of parts', () => {
  it('write the sum, short where it is long', () => {
    expect(texts.inspector.parts(8, true)).toContain('φ(x) = c₀B₀(x) + … + c₇B₇(x) + w·b(x):');
    expect(texts.inspector.parts(2, false)).toContain('φ(x) = c₀B₀(x) + c₁B₁(x):');
  });

  it('write ranges with as many digits as one reads', () => {
    expect(texts.inspector.domain([-1.1, 1.10004])).toBe('on [−1.1, 1.1]');
    expect(texts.inspector.domain([0, 12345.6])).toBe('on [0, 12350]');
  });
});
