import { describe, expect, it } from 'vitest';
import { contestant, freeName, plainName, readNumbers } from './lab-draft';
import { recallKey, rememberKey } from './lab-keys';

describe('numbers as people type them', () => {
  it('are read with commas, blanks and ranges', () => {
    expect(readNumbers('0, 1,2 7')).toEqual([0, 1, 2, 7]);
    expect(readNumbers('0–3, 10-11')).toEqual([0, 1, 2, 3, 10, 11]);
    expect(readNumbers(' ')).toEqual([]);
  });

  it('are nothing when one of them is none', () => {
    expect(['1, x', '3-1', '0-5000'].map(readNumbers)).toEqual([null, null, null]);
  });
});

describe('names of contestants', () => {
  it('are what they are', () => {
    const title = (basis: string): string => `${basis}!`;
    expect(plainName(contestant({ basis: 'fourier' }), title)).toBe('fourier!');
    expect(plainName(contestant({ model: 'mlp', activation: ['relu', 'relu', 'tanh'] }), title)).toBe(
      'MLP ReLU, tanh',
    );
  });

  it('are never those of others', () => {
    expect([freeName('A', []), freeName('A', ['A', 'A 2'])]).toEqual(['A', 'A 3']);
  });
});

describe('keys of runs', () => {
  const store = (): {
    kept: string | null;
    getItem(): string | null;
    setItem(name: string, text: string): void;
  } => ({
    kept: null,
    getItem() {
      return this.kept;
    },
    setItem(_, text) {
      this.kept = text;
    },
  });

  it('are found again, the newest of each run', () => {
    const place = store();
    rememberKey('a', '1', place);
    rememberKey('b', '2', place);
    rememberKey('a', '3', place);
    expect(['a', 'b', 'c'].map((id) => recallKey(id, place))).toEqual(['3', '2', null]);
  });

  it('are forgotten where the browser keeps nothing or something else', () => {
    const full = {
      getItem: () => '{"a": 1}',
      setItem: () => {
        throw new Error('full');
      },
    };
    expect(() => rememberKey('a', '1', full)).not.toThrow();
    expect(recallKey('a', full)).toBeNull();
    expect(recallKey('a', { ...full, getItem: () => 'no JSON' })).toBeNull();
  });
});
