import { describe, expect, it } from 'vitest';
import { readAddress, writeAddress } from './address';

describe('addresses', () => {
  it('name one session or several, with their keys', () => {
    expect(readAddress('/s/a-B_1', '')).toEqual([{ id: 'a-B_1', key: null }]);
    expect(readAddress('/s/a', '#edit=k-1_')).toEqual([{ id: 'a', key: 'k-1_' }]);
    expect(readAddress('/s/a+b+c', '#edit=x++z')).toEqual([
      { id: 'a', key: 'x' },
      { id: 'b', key: null },
      { id: 'c', key: 'z' },
    ]);
    expect(readAddress('/s/a+b', '#other=1&edit=x+y')[1]).toEqual({ id: 'b', key: 'y' });
  });

  it('that name no session name none', () => {
    expect(['/', '/s/', '/lab', '/s/a/b'].map((path) => readAddress(path, '#edit=x'))).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });

  it('are written as they are read', () => {
    for (const [path, hash] of [
      ['/s/a', ''],
      ['/s/a', '#edit=k'],
      ['/s/a+b', ''],
      ['/s/a+b+c', '#edit=x++z'],
    ] as const) {
      expect(writeAddress(readAddress(path, hash))).toBe(path + hash);
    }
  });
});
