import { describe, expect, it } from 'vitest';
import { WrongFields } from './wrong-fields.svelte';

describe('the fields of a form that are wrong', () => {
  it('are told one after the other until all are right', () => {
    const fields = new WrongFields();
    expect(fields.first).toBeNull();
    const seeds = fields.add('1', 'Seeds');
    const noise = fields.add('2', 'Noise');
    // another field of the same name
    const otherSeeds = fields.add('3', 'Seeds');
    expect(fields.first).toBe('Seeds');
    seeds();
    expect(fields.first).toBe('Noise');
    noise();
    expect(fields.first).toBe('Seeds');
    otherSeeds();
    expect(fields.first).toBeNull();
  });
});
