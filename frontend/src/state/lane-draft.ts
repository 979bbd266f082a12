/** What stands in the fields of a network that is to be made: a KAN of some family, or a perceptron. */

import type { NetworkSettings, PerceptronSettings, Structure, TrainingSettings } from '../protocol/messages';
import { texts } from '../texts';
import { isWhole, MAX } from './network-draft';
import {
  activationsOf,
  isKan,
  matchedWidth,
  numWeightsAndBiases,
  type Activation,
  type AnyNetwork,
} from './networks';

export const MOST = { units: 64, weights: 4500 };
export const ACTIVATIONS = ['relu', 'leaky_relu', 'gelu', 'silu', 'tanh', 'sigmoid'] as const;
export const OPTIMIZERS = { kan: ['auto', 'lm', 'lbfgs', 'adam'], mlp: ['lm', 'lbfgs', 'adam'] } as const;

/** hidden layers that a perceptron begins with */
const LAYERS = 2;
const PLAIN_KAN: Omit<NetworkSettings, 'widths'> = {
  model: 'kan',
  products: [],
  basis: 'bspline',
  grid_size: 5,
  order: 3,
  knots: 'uniform',
  alpha: 0,
  beta: 0,
  base: 'silu',
  initialization: 'standard',
};

export interface HiddenDraft {
  /** nodes or units; null while the field is empty */
  size: number | null;
  /** σ of a perceptron's layer */
  activation: Activation;
}

export interface LaneDraft {
  model: 'kan' | 'mlp';
  hidden: HiddenDraft[];
  outputTanh: boolean;
  basis: string;
  gridSize: number | null;
  optimizer: TrainingSettings['optimizer'];
}

/** Numbers of inputs and outputs that every lane has. */
export interface Ends {
  inputs: number;
  outputs: number;
}

export const endsOf = ({ network: { widths } }: Structure): Ends => ({
  inputs: widths[0] ?? 1,
  outputs: widths.at(-1) ?? 1,
});

/** A perceptron with as many parameters as the structure, or a KAN of its hidden layers. */
export function draftBeside(
  structure: Structure,
  model: LaneDraft['model'],
  optimizer: TrainingSettings['optimizer'],
): LaneDraft {
  const { network } = structure;
  const own = network.widths.slice(1, -1).map((size) => ({ size, activation: 'silu' as const }));
  const kan = isKan(network) ? network : null;
  const draft: LaneDraft = {
    model,
    hidden: model === 'kan' && kan !== null ? own : [{ size: 5, activation: 'silu' }],
    outputTanh: false,
    basis: kan?.basis ?? PLAIN_KAN.basis,
    gridSize: kan?.grid_size ?? PLAIN_KAN.grid_size,
    optimizer: model === 'mlp' && optimizer === 'auto' ? 'lm' : optimizer,
  };
  if (model === 'kan') return draft;
  const layers = Array.from({ length: LAYERS }, () => ({ size: 1, activation: 'silu' as const }));
  return matched({ ...draft, hidden: layers }, endsOf(structure), structure.num_parameters);
}

/** The fields as they show a perceptron. */
export const draftOfPerceptron = (
  network: PerceptronSettings,
  optimizer: TrainingSettings['optimizer'],
): LaneDraft => ({
  model: 'mlp',
  hidden: activationsOf(network).map((activation, index) => ({
    size: network.widths[index + 1] ?? 1,
    activation,
  })),
  outputTanh: network.output_tanh,
  basis: PLAIN_KAN.basis,
  gridSize: PLAIN_KAN.grid_size,
  optimizer,
});

/** The same perceptron with its layers so wide that it comes nearest to so many parameters. */
export function matched(draft: LaneDraft, { inputs, outputs }: Ends, parameters: number): LaneDraft {
  const size = matchedWidth(inputs, outputs, draft.hidden.length, parameters, MOST.units);
  return { ...draft, hidden: draft.hidden.map((layer) => ({ ...layer, size })) };
}

const widthsOf = (draft: LaneDraft, { inputs, outputs }: Ends): number[] => [
  inputs,
  ...draft.hidden.map(({ size }) => size ?? 0),
  outputs,
];

/** The network that the fields ask for; `like` is the KAN whose other settings a KAN takes over. */
export function settingsOfLane(draft: LaneDraft, ends: Ends, like: NetworkSettings | null): AnyNetwork {
  const widths = widthsOf(draft, ends);
  if (draft.model === 'mlp') {
    const names = draft.hidden.map(({ activation }) => activation);
    const isOne = new Set(names).size <= 1;
    const activation = isOne ? (names[0] ?? 'silu') : names;
    return { model: 'mlp', widths, activation, output_tanh: draft.outputTanh };
  }
  const grid_size = draft.gridSize ?? PLAIN_KAN.grid_size;
  return { ...(like ?? PLAIN_KAN), widths, products: [], basis: draft.basis, grid_size };
}

/** How many parameters the perceptron of the fields has. */
export const numParameters = (draft: LaneDraft, ends: Ends): number =>
  numWeightsAndBiases(widthsOf(draft, ends));

/** What is wrong with the fields, in one sentence; empty when nothing is. */
export function wrongLane(draft: LaneDraft, ends: Ends, sizeWord: string): string {
  const isKanDraft = draft.model === 'kan';
  const most = isKanDraft ? MAX.width : MOST.units;
  if (!draft.hidden.every(({ size }) => isWhole(size, 1, most)))
    return isKanDraft ? texts.network.badWidth(most) : texts.perceptron.badWidth(most);
  const widths = widthsOf(draft, ends);
  const count = widths.slice(1).reduce((sum, units, index) => sum + units * (widths[index] ?? 0), 0);
  if (isKanDraft) {
    if (!isWhole(draft.gridSize, 1, MAX.size)) return texts.network.badSize(sizeWord, MAX.size);
    return count > MAX.edges ? texts.network.tooManyEdges(count, MAX.edges) : '';
  }
  return count > MOST.weights ? texts.perceptron.tooManyWeights(count, MOST.weights) : '';
}
