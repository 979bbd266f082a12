import { describe, expect, it } from 'vitest';
import { SNAPSHOT } from '../protocol/fake-server';
import type { PerceptronSettings, Structure } from '../protocol/messages';
import {
  draftBeside,
  draftOfPerceptron,
  endsOf,
  numParameters,
  settingsOfLane,
  wrongLane,
  type LaneDraft,
} from './lane-draft';
import { kanOf, matchedWidth, networkName, numWeightsAndBiases } from './networks';

const kan: Structure = {
  ...SNAPSHOT.structure,
  network: { ...SNAPSHOT.structure.network, widths: [2, 5, 1] },
  num_parameters: 150,
};
const perceptron: PerceptronSettings = {
  model: 'mlp',
  widths: [2, 6, 4, 1],
  activation: ['tanh', 'relu'],
  output_tanh: true,
};
const ends = endsOf(kan);

describe('a draft beside a KAN', () => {
  it('is a perceptron of about as many parameters', () => {
    const draft = draftBeside(kan, 'mlp', 'lm');
    expect(draft.hidden.map(({ size }) => size)).toEqual([10, 10]);
    expect(numParameters(draft, ends)).toBe(151);
    expect(settingsOfLane(draft, ends, kanOf(kan))).toEqual({
      model: 'mlp',
      widths: [2, 10, 10, 1],
      activation: 'silu',
      output_tanh: false,
    });
  });

  it('is not trained by the recipe of KANs', () => {
    expect(draftBeside(kan, 'mlp', 'auto').optimizer).toBe('lm');
    expect(draftBeside(kan, 'kan', 'auto').optimizer).toBe('auto');
  });

  it('takes over what it does not ask for', () => {
    const draft = { ...draftBeside(kan, 'kan', 'lm'), basis: 'fourier', gridSize: 7 };
    expect(settingsOfLane(draft, ends, kanOf(kan))).toEqual({
      ...kan.network,
      widths: [2, 5, 1],
      basis: 'fourier',
      grid_size: 7,
    });
  });

  it('is a KAN of its own beside a perceptron', () => {
    const beside: Structure = { ...kan, network: perceptron };
    const settings = settingsOfLane(draftBeside(beside, 'kan', 'lm'), ends, kanOf(beside));
    expect(settings).toMatchObject({ model: 'kan', widths: [2, 5, 1], basis: 'bspline', products: [] });
  });
});

describe('a draft of a perceptron', () => {
  it('asks for the one that it shows', () => {
    expect(settingsOfLane(draftOfPerceptron(perceptron, 'lm'), ends, null)).toEqual(perceptron);
    const plain: PerceptronSettings = { ...perceptron, activation: 'gelu', output_tanh: false };
    expect(settingsOfLane(draftOfPerceptron(plain, 'lm'), ends, null)).toEqual(plain);
  });

  it('says what is wrong', () => {
    const draft = draftOfPerceptron(perceptron, 'lm');
    const of = (sizes: (number | null)[]): LaneDraft => ({
      ...draft,
      hidden: sizes.map((size) => ({ size, activation: 'tanh' })),
    });
    expect(wrongLane(draft, ends, '')).toBe('');
    expect(wrongLane(of([null]), ends, '')).toBe('A hidden layer has 1 to 64 units.');
    expect(wrongLane(of([65]), ends, '')).toBe('A hidden layer has 1 to 64 units.');
    expect(wrongLane(of([64, 64]), ends, '')).toBe('');
    expect(wrongLane(of([64, 64, 64]), ends, '')).toContain('8384 weights are more than the 4500');
    expect(wrongLane({ ...of([33]), model: 'kan' }, ends, '')).toBe('A hidden layer has 1 to 32 nodes.');
    expect(wrongLane({ ...of([5]), model: 'kan', gridSize: null }, ends, 'degree')).toContain('Degree');
  });
});

describe('parameters', () => {
  it('are weights and biases', () => {
    expect(numWeightsAndBiases([2, 3, 1])).toBe(3 * 3 + 4);
    expect(numWeightsAndBiases([4, 2])).toBe(10);
  });

  it('are matched as well as a width allows', () => {
    for (const count of [1, 50, 173, 900]) {
      const width = matchedWidth(2, 1, 2, count, 64);
      const miss = (one: number): number => Math.abs(numWeightsAndBiases([2, one, one, 1]) - count);
      expect(miss(width)).toBeLessThanOrEqual(
        Math.min(miss(width + 1), width > 1 ? miss(width - 1) : Infinity),
      );
    }
  });
});

describe('the name of a perceptron', () => {
  it('tells its functions, and tanh at the end from tanh in between', () => {
    const name = (change: Partial<PerceptronSettings>): string =>
      networkName({ ...perceptron, ...change }, []);
    expect(name({})).toBe('MLP 2–6–4–1, tanh, ReLU, tanh at the end');
    expect(name({ activation: 'silu', output_tanh: false })).toBe('MLP 2–6–4–1, SiLU');
    expect(name({ widths: [2, 1], activation: [] })).toBe('MLP 2–1, tanh at the end');
  });
});
