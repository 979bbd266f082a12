import { describe, expect, it } from 'vitest';
import type { CatalogueBasis, NetworkSettings } from '../protocol/messages';
import { texts } from '../texts';
import { draftOf, followed, settingsOf, wrongBasis, wrongLayers, type NetworkDraft } from './network-draft';

const network: NetworkSettings = {
  model: 'kan',
  widths: [2, 5, 3, 1],
  products: [0, 2, 0, 1],
  basis: 'bspline',
  grid_size: 5,
  order: 3,
  knots: 'uniform',
  alpha: 0,
  beta: 0.5,
  base: 'silu',
  initialization: 'standard',
};
const family: CatalogueBasis = {
  name: 'bspline',
  title: 'B-splines',
  sentence: '',
  size_word: 'intervals',
  has_order: true,
  has_knots: true,
  has_exponents: false,
  takes_any_size: false,
};
const draft = draftOf(network);

describe('draftOf', () => {
  it('shows nodes and how many of them multiply, layer by layer', () => {
    expect(draft.hidden).toEqual([
      { nodes: 5, products: 2 },
      { nodes: 3, products: 0 },
    ]);
    expect([draft.outputProducts, draft.gridSize, draft.beta]).toEqual([1, 5, 0.5]);
    const plain = draftOf({ ...network, products: [] });
    expect([plain.hidden[0]?.products, plain.outputProducts]).toEqual([0, 0]);
  });
});

describe('settingsOf', () => {
  it('asks for the network that is shown', () => {
    expect(settingsOf(draft, network)).toEqual(network);
  });

  it('writes no products as none', () => {
    const hidden = [{ nodes: 4, products: 0 }];
    expect(settingsOf({ ...draft, hidden, outputProducts: 0 }, network)).toMatchObject({
      widths: [2, 4, 1],
      products: [],
    });
  });

  it('keeps what the family has no field for', () => {
    const asked = settingsOf({ ...draft, basis: 'fourier', order: null, alpha: -3, beta: null }, network);
    expect(asked).toMatchObject({ basis: 'fourier', order: 3, alpha: 0, beta: 0.5 });
  });
});

describe('followed', () => {
  const finer = { ...network, grid_size: 10 };

  it('follows where nobody typed', () => {
    expect(followed(draft, network, finer)).toEqual(draftOf(finer));
    expect(followed(draft, null, network)).toEqual(draft);
  });

  it('keeps what is being typed, field by field', () => {
    const hidden = [
      { nodes: 7, products: 2 },
      { nodes: null, products: 0 },
    ];
    const typed: NetworkDraft = { ...draft, hidden, basis: 'fourier' };
    expect(followed(typed, network, finer)).toEqual({ ...typed, gridSize: 10 });
    expect(followed({ ...draft, gridSize: 15 }, network, finer).gridSize).toBe(15);
  });

  it('shows a network of other layers as it is', () => {
    const other = { ...network, widths: [4, 2, 1], products: [] };
    expect(followed({ ...draft, gridSize: 15 }, network, other)).toEqual(draftOf(other));
    expect(followed({ ...draft, order: 2 }, network, { ...network, products: [] }).order).toBe(3);
  });
});

describe('wrongLayers', () => {
  const about = (change: Partial<NetworkDraft>): string => wrongLayers({ ...draft, ...change }, network);

  it('has nothing to say of what can be built', () => {
    expect(about({})).toBe('');
    expect(about({ hidden: [{ nodes: 5, products: 5 }] })).toBe('');
  });

  it.each([
    [{ nodes: null, products: 0 }, texts.network.badWidth(32)],
    [{ nodes: 2.5, products: 0 }, texts.network.badWidth(32)],
    [{ nodes: 3, products: 4 }, texts.network.badProducts(3)],
    [{ nodes: 3, products: null }, texts.network.badProducts(3)],
    [{ nodes: 3, products: -1 }, texts.network.badProducts(3)],
  ])('says what is wrong with a layer of %j', (layer, sentence) => {
    expect(about({ hidden: [layer] })).toBe(sentence);
  });

  it('counts outputs that multiply and the edges of all factors', () => {
    expect(about({ outputProducts: 2 })).toBe('Of 1 node, 0 to 1 can multiply.');
    const wide = { nodes: 32, products: 0 };
    expect(
      about({
        hidden: [
          { ...wide, nodes: 31 },
          { ...wide, nodes: 28 },
        ],
        outputProducts: 0,
      }),
    ).toBe('');
    expect(
      about({
        hidden: [
          { ...wide, nodes: 31 },
          { nodes: 28, products: 5 },
        ],
        outputProducts: 0,
      }),
    ).toBe(texts.network.tooManyEdges(2 * 31 + 31 * 33 + 28, 1024));
  });
});

describe('wrongBasis', () => {
  const about = (change: Partial<NetworkDraft>, of = family): string =>
    wrongBasis({ ...draft, ...change }, of);

  it('asks only for what the family has', () => {
    expect(about({})).toBe('');
    expect(about({ gridSize: 0 })).toBe('Intervals: a whole number from 1 to 200, please.');
    expect(about({ order: 9 })).toBe(texts.network.badOrder(5));
    expect(about({ alpha: -1 })).toBe('');
    const jacobi = { ...family, size_word: 'degree', has_order: false, has_exponents: true };
    expect(about({ order: 9 }, jacobi)).toBe('');
    expect(about({ alpha: -1 }, jacobi)).toBe(texts.network.badExponents(10));
    expect(about({ gridSize: null }, jacobi)).toBe('Degree: a whole number from 1 to 200, please.');
  });
});
