/** What the diagram draws of a perceptron: its weights and the functions of its nodes, from the newest frame. */

import { comparableSpans, curvePath, curveScale, zeroHeight, type Scale } from '../drawing/curve-path';
import { nodeName } from '../drawing/labels';
import type { Frame } from '../protocol/frame';
import type { EdgeInfo } from '../protocol/messages';
import { texts } from '../texts';
import { CANVAS_ABOVE } from './edge-pictures.svelte';
import { activationsOf, perceptronOf, type Activation } from './networks';
import type { Pictured } from './pictured';
import { edgeName } from './session.svelte';

/** How strong an edge is drawn before its weight is known. */
const UNKNOWN = 0.3;

/** The function of a node: σ, or the tanh of an output. */
interface Unit {
  layer: number;
  node: number;
  activation: Activation;
}

export class WeightPictures {
  readonly edges: EdgeInfo[] = $derived.by(() =>
    perceptronOf(this.pictured.structure) === null ? [] : (this.pictured.structure?.edges ?? []),
  );
  /** the newest frame, unless it shows another structure */
  readonly frame: Frame | null = $derived.by(() => {
    const newest = this.pictured.frame;
    const isOwn = newest?.weights?.length === this.edges.length && newest.numCurves === this.units.length;
    return isOwn ? newest : null;
  });
  readonly isOnCanvas: boolean = $derived.by(() => this.edges.length > CANVAS_ABOVE);
  /** the nodes that have a function, in the order of frames */
  readonly units: Unit[] = $derived.by(() => {
    const network = perceptronOf(this.pictured.structure);
    if (network === null) return [];
    const all = activationsOf(network).map((activation, index) => ({ layer: index + 1, activation }));
    if (network.output_tanh) all.push({ layer: network.widths.length - 1, activation: 'tanh' });
    return all.flatMap(({ layer, activation }) =>
      Array.from({ length: network.widths[layer] ?? 0 }, (_, node) => ({ layer, node, activation })),
    );
  });
  /** where the functions of each layer begin in frames, by layer; null for a layer without */
  private readonly begins: (number | null)[] = $derived.by(() => {
    const widths = this.pictured.structure?.network.widths ?? [];
    return widths.map((_, layer) => {
      const first = this.units.findIndex((unit) => unit.layer === layer);
      return first < 0 ? null : first;
    });
  });
  /** the largest size of a weight in each layer */
  private readonly largest: number[] = $derived.by(() => {
    const found: number[] = [];
    this.edges.forEach(({ layer }, index) => {
      found[layer] = Math.max(found[layer] ?? 0, Math.abs(this.frame?.weights?.[index] ?? 0));
    });
    return found;
  });
  private readonly scales: Scale[] = $derived.by(() => {
    const { frame } = this;
    if (frame === null) return [];
    const layers = this.units.map(({ layer }) => String(layer));
    const spans = comparableSpans(frame.values, frame.numPoints, layers);
    return spans.map((span, unit) => curveScale(frame.values, unit * frame.numPoints, frame.numPoints, span));
  });

  constructor(private readonly pictured: Pictured) {}

  weight(index: number): number | null {
    return this.frame?.weights?.[index] ?? null;
  }

  /** The size of the weight as a share of the largest in its layer. */
  strength(index: number): number {
    const weight = this.weight(index);
    const largest = this.largest[this.edges[index]?.layer ?? 0] ?? 0;
    if (weight === null) return UNKNOWN;
    return largest > 0 ? Math.abs(weight) / largest : 0;
  }

  isNegative(index: number): boolean {
    return (this.weight(index) ?? 0) < 0;
  }

  /** Where a node's function stands in frames, null for a node that has none. */
  unitOf(layer: number, node: number): number | null {
    const first = this.begins[layer] ?? null;
    return first === null ? null : first + node;
  }

  /** The function as an SVG path over what arrives; empty while nothing came yet. */
  path(unit: number): string {
    const { frame } = this;
    if (frame === null) return '';
    return curvePath(frame.values, unit * frame.numPoints, frame.numPoints, this.scales[unit]);
  }

  /** Where σ = 0 lies in the box, or null. */
  zero(unit: number): number | null {
    const scale = this.scales[unit];
    return scale === undefined ? null : zeroHeight(scale);
  }

  /** The edge's accessible name: which it is and what it weighs. */
  describe(index: number): string {
    const edge = this.edges[index];
    if (edge === undefined) return '';
    return texts.diagram.edge(edgeName(edge), texts.perceptron.weight(this.weight(index) ?? NaN));
  }

  /** A node's name and what it does with what arrives. */
  describeNode(layer: number, node: number): string {
    const structure = this.pictured.structure;
    if (structure === null) return '';
    const { input_names, output_names, network } = structure;
    const name = nodeName(input_names, output_names, network.widths, layer, node);
    const unit = this.units[this.unitOf(layer, node) ?? -1];
    if (layer === 0) return name;
    return unit === undefined
      ? texts.perceptron.sum(name)
      : texts.perceptron.unit(name, texts.perceptron.activations[unit.activation]);
  }
}
