/** What stands in the fields of the network's form, and what becomes of it when the network changes meanwhile. */

import { numEdges } from '../drawing/rows';
import type { CatalogueBasis, NetworkSettings } from '../protocol/messages';
import { texts } from '../texts';

export const MAX = { width: 32, hidden: 5, size: 200, order: 5, exponent: 10, edges: 1024 };

/** A field that was emptied holds null. */
type Typed = number | null;

export interface LayerDraft {
  nodes: Typed;
  /** how many of the nodes multiply */
  products: Typed;
}

export interface NetworkDraft {
  hidden: LayerDraft[];
  /** how many of the outputs multiply */
  outputProducts: Typed;
  basis: string;
  gridSize: Typed;
  order: Typed;
  knots: NetworkSettings['knots'];
  alpha: Typed;
  beta: Typed;
  base: NetworkSettings['base'];
}

/** The fields as they show a network. */
export function draftOf(network: NetworkSettings): NetworkDraft {
  const { widths, products } = network;
  return {
    hidden: widths.slice(1, -1).map((nodes, index) => ({ nodes, products: products[index + 1] ?? 0 })),
    outputProducts: products[widths.length - 1] ?? 0,
    basis: network.basis,
    gridSize: network.grid_size,
    order: network.order,
    knots: network.knots,
    alpha: network.alpha,
    beta: network.beta,
    base: network.base,
  };
}

/**
 * The fields when the network changed from `before` to `now`: what nobody typed into follows, what is being typed stays.
 * A network of other layers takes the place of all.
 */
export function followed(
  draft: NetworkDraft,
  before: NetworkSettings | null,
  now: NetworkSettings,
): NetworkDraft {
  const next = draftOf(now);
  if (before === null || !same([before.widths, before.products], [now.widths, now.products])) return next;
  const shown = draftOf(before);
  const keep = <Key extends keyof NetworkDraft>(key: Key): NetworkDraft[Key] =>
    same(draft[key], shown[key]) ? next[key] : draft[key];
  return {
    hidden: keep('hidden'),
    outputProducts: keep('outputProducts'),
    basis: keep('basis'),
    gridSize: keep('gridSize'),
    order: keep('order'),
    knots: keep('knots'),
    alpha: keep('alpha'),
    beta: keep('beta'),
    base: keep('base'),
  };
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

export const isWhole = (value: Typed, low: number, high: number): value is number =>
  value !== null && Number.isInteger(value) && value >= low && value <= high;

export const isExponent = (value: Typed): value is number =>
  value !== null && value > -1 && value <= MAX.exponent;

/** Whether so many of a layer's nodes can multiply. */
export const canMultiply = (products: Typed, nodes: Typed): boolean =>
  isWhole(products, 0, nodes === null ? 0 : nodes);

/** The network that the fields ask for; what the family has no field for stays as it was. */
export function settingsOf(draft: NetworkDraft, current: NetworkSettings): NetworkSettings {
  const products = [0, ...draft.hidden.map((layer) => layer.products ?? 0), draft.outputProducts ?? 0];
  return {
    ...current,
    widths: [
      current.widths[0] ?? 1,
      ...draft.hidden.map((layer) => layer.nodes ?? 0),
      current.widths.at(-1) ?? 1,
    ],
    products: products.some((count) => count > 0) ? products : [],
    basis: draft.basis,
    grid_size: draft.gridSize ?? current.grid_size,
    order: isWhole(draft.order, 0, MAX.order) ? draft.order : current.order,
    knots: draft.knots,
    alpha: isExponent(draft.alpha) ? draft.alpha : current.alpha,
    beta: isExponent(draft.beta) ? draft.beta : current.beta,
    base: draft.base,
  };
}

/** What is wrong with the layers, in one sentence; empty when nothing is. */
export function wrongLayers(draft: NetworkDraft, current: NetworkSettings): string {
  const words = texts.network;
  if (!draft.hidden.every((layer) => isWhole(layer.nodes, 1, MAX.width))) return words.badWidth(MAX.width);
  const layers = [...draft.hidden, { nodes: current.widths.at(-1) ?? 1, products: draft.outputProducts }];
  const crowded = layers.find((layer) => !canMultiply(layer.products, layer.nodes));
  if (crowded !== undefined) return words.badProducts(crowded.nodes ?? 0);
  const edges = numEdges(settingsOf(draft, current));
  return edges > MAX.edges ? words.tooManyEdges(edges, MAX.edges) : '';
}

/** What is wrong with the settings of the family, in one sentence; empty when nothing is. */
export function wrongBasis(draft: NetworkDraft, family: CatalogueBasis): string {
  const words = texts.network;
  if (!isWhole(draft.gridSize, 1, MAX.size)) return words.badSize(family.size_word, MAX.size);
  if (family.has_order && !isWhole(draft.order, 0, MAX.order)) return words.badOrder(MAX.order);
  const hasExponents = isExponent(draft.alpha) && isExponent(draft.beta);
  return family.has_exponents && !hasExponents ? words.badExponents(MAX.exponent) : '';
}
