import { describe, expect, it } from 'vitest';
import { choices, familyOf } from './families';

const family = {
  name: 'chebyshev',
  title: 'Chebyshev polynomials',
  sentence: 'Polynomials that ripple evenly.',
  size_word: 'degree',
  has_order: false,
  has_knots: false,
  has_exponents: false,
  takes_any_size: false,
};

describe('families', () => {
  it('are those of the catalogue', () => {
    expect(familyOf([family], 'chebyshev')).toBe(family);
    expect(choices([family], 'chebyshev')).toEqual([family]);
  });

  it('are known by name alone where the catalogue has not come', () => {
    expect(familyOf([], 'chebyshev')).toMatchObject({ title: 'chebyshev', sentence: '', has_order: false });
    expect(choices([family], 'new').map((one) => one.title)).toEqual(['new', 'Chebyshev polynomials']);
  });
});
