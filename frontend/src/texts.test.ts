import { describe, expect, it } from 'vitest';
import { texts } from './texts';

describe('texts', () => {
  it('writes no minus before a zero', () => {
    expect([-0.0001, -0, 0.9994, -0.25].map((value) => texts.fixed(value, 3))).toEqual([
      '0.000',
      '0.000',
      '0.999',
      '-0.250',
    ]);
  });

  it('writes large and small numbers as powers of ten', () => {
    expect([1.7e18, -1.2345e-12, 0, 0.00012346, 123456, 1e6, -2.5].map(texts.formula.trust.number)).toEqual([
      '1.7·10¹⁸',
      '−1.235·10⁻¹²',
      '0',
      '0.0001235',
      '123500',
      '10⁶',
      '−2.5',
    ]);
    expect(texts.explain.errors(1.7e18, 3.14159e-7, 12)).toBe(
      'RMSE: held out 1.7·10¹⁸, train 3.1·10⁻⁷, test 12',
    );
  });

  it('counts who is here without those who are not', () => {
    expect([1, 2].map(texts.run.here)).toEqual(['only you', '2 here']);
  });

  it('tells memory in the unit that suits it', () => {
    expect([0, 999, 1000, 51_234, 999_000, 2_340_000, 5e9].map(texts.bytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '1 kB',
      '51 kB',
      '999 kB',
      '2.3 MB',
      '5 GB',
    ]);
  });

  it('asks for a size in the words of the family', () => {
    expect(texts.network.refine('degree', 5, 10)).toBe('Refine degree 5 → 10');
    expect(texts.network.refine('', 5, 10)).toBe('Refine 5 → 10');
    expect(texts.network.size('harmonics')).toBe('Harmonics');
  });

  it('says which sizes keep the curves', () => {
    const ends = (size: number, word: string, takesAny: boolean): string | undefined =>
      texts.network.note(size, word, takesAny).split('it takes ')[1];
    expect(ends(5, 'intervals', false)).toBe('a whole multiple of 5.');
    expect(ends(5, 'degree', true)).toBe('any larger degree.');
    expect(ends(5, 'harmonics', true)).toBe('any larger number of harmonics.');
    expect(ends(5, '', true)).toBe('any larger size.');
  });

  it('says of which step formulas are', () => {
    expect(texts.inspector.stale(120, 480)).toBe('They are of step 120; training is at 480.');
  });

  it('writes large numbers by powers of ten', () => {
    const { fitted, number } = texts.formula.trust;
    expect([1.7e18, -1.23456e6, 1e21, 9.9996e5, 999_949, 299_792, -0.25].map(number)).toEqual([
      '1.7·10¹⁸',
      '−1.235·10⁶',
      '10²¹',
      '10⁶',
      '999900',
      '299800',
      '−0.25',
    ]);
    expect(fitted('x', number(0), number(4.2e10), 0)).toBe('Fitted for x in [0, 4.2·10¹⁰].');
    expect(texts.explain.errors(2.345e12, 1e-16, 0)).toBe('RMSE: held out 2.3·10¹², train 10⁻¹⁶, test 0');
  });

  it('names the inputs that are held, or counts them', () => {
    expect(texts.panels.held(['z', 'w'])).toBe('Held at their medians: z, w.');
    expect(texts.panels.held(['a', 'b', 'c', 'd', 'e'])).toBe(
      'The other 5 inputs are held at their medians.',
    );
  });
});
