/** Networks of either kind: KANs, with functions on edges, and perceptrons, with weights on edges and functions in nodes. */

import type { Nodes } from '../drawing/rows';
import type { NetworkSettings, PerceptronSettings, Structure } from '../protocol/messages';
import { texts } from '../texts';
import { familyOf } from './families';
import type { CatalogueBasis } from '../protocol/messages';

export type AnyNetwork = NetworkSettings | PerceptronSettings;
export type Activation = Exclude<PerceptronSettings['activation'], readonly unknown[]>;

export const isKan = (network: AnyNetwork): network is NetworkSettings => network.model === 'kan';

/** The settings of a structure's KAN, null where there is none. */
export function kanOf(structure: Structure | null): NetworkSettings | null {
  return structure !== null && isKan(structure.network) ? structure.network : null;
}

/** The settings of a structure's perceptron, null where there is none. */
export function perceptronOf(structure: Structure | null): PerceptronSettings | null {
  return structure !== null && !isKan(structure.network) ? structure.network : null;
}

/** How many nodes there are and which multiply: those of a perceptron all add. */
export const nodesOf = (network: AnyNetwork): Nodes =>
  isKan(network) ? network : { widths: network.widths, products: [] };

/** The σ of each hidden layer. */
export function activationsOf(network: PerceptronSettings): Activation[] {
  const { activation, widths } = network;
  return typeof activation === 'string' ? widths.slice(1, -1).map(() => activation) : activation;
}

/** How many weights and biases a perceptron of these widths has. */
export const numWeightsAndBiases = (widths: readonly number[]): number =>
  widths.slice(1).reduce((sum, units, index) => sum + ((widths[index] ?? 0) + 1) * units, 0);

/** The width of `layers` equal hidden layers with which a perceptron comes nearest to so many parameters. */
export function matchedWidth(
  inputs: number,
  outputs: number,
  layers: number,
  parameters: number,
  most: number,
): number {
  const miss = (width: number): number =>
    Math.abs(numWeightsAndBiases([inputs, ...Array<number>(layers).fill(width), outputs]) - parameters);
  let best = 1;
  for (let width = 2; width <= most; width++) if (miss(width) < miss(best)) best = width;
  return best;
}

/** A network in a few words: what it is made of, and its widths. */
export function networkName(network: AnyNetwork, families: readonly CatalogueBasis[]): string {
  const shape = network.widths.join('–');
  if (isKan(network)) return texts.lanes.kan(familyOf(families, network.basis).title, shape);
  const names = [...new Set(activationsOf(network))].map((name) => texts.perceptron.activations[name]);
  if (network.output_tanh) names.push(texts.perceptron.outputTanh);
  return texts.lanes.perceptron(names.join(', '), shape);
}
