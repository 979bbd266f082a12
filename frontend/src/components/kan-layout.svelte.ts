/** How a KAN is laid out in a room of the page: the views of its layers, room for names, labels of formulas. */

import { fitText, formulaLabel } from '../drawing/labels';
import { layoutNetwork, suitableView } from '../drawing/layout';
import type { LayerView, Layout } from '../drawing/places';
import { numEdgesAfter, numRows, type Nodes } from '../drawing/rows';
import type { EdgeInfo, Structure } from '../protocol/messages';
import type { EdgePictures } from '../state/edge-pictures.svelte';
import { kanOf } from '../state/networks';
import { measureIn } from './text-width';

const LONGEST_NAME = 124;
const MANY_LINKS = 40;
const HIGH = 420;
const NAME = 15;
const LABEL = 11;

export interface NameRoom {
  first: number;
  last: number;
}

/** Pixels that the longest name of an input, and of an output, takes. */
export function nameRoomOf(structure: Structure | null): NameRoom {
  const measure = measureIn('italic', NAME);
  const roomOf = (names: readonly string[]): number =>
    Math.min(LONGEST_NAME, 20 + Math.max(10, ...names.map(measure)));
  return { first: roomOf(structure?.input_names ?? []), last: roomOf(structure?.output_names ?? []) };
}

export class KanLayout {
  width = $state(0);
  height = $state(0);
  private readonly measureLabel = measureIn('600', LABEL);
  private wishes = $state.raw<Record<string, LayerView>>({});

  readonly nodes: Nodes = $derived.by(() => kanOf(this.structure()) ?? { widths: [1, 1], products: [] });
  readonly views: LayerView[] = $derived.by(() =>
    this.nodes.widths
      .slice(0, -1)
      .map((_, layer) => this.wishes[this.wishKey(layer)] ?? suitableView(numEdgesAfter(this.nodes, layer))),
  );
  readonly nameRoom: NameRoom = $derived.by(() => nameRoomOf(this.structure()));
  readonly goal: Layout = $derived.by(() => {
    const live = this.pictures.edges.map((edge) => edge.kind !== 'pruned');
    const shape = { ...this.nodes, views: this.views, live, nameRoom: this.nameRoom };
    return layoutNetwork(shape, this.width, this.height);
  });
  /** height at which the cells of the tallest matrix are easy to read, or much can be seen of a crowd of links */
  readonly wanted: number = $derived.by(() =>
    Math.max(
      0,
      ...this.views.map((one, layer) => {
        if (one === 'matrix') return 100 + 25 * numRows(this.nodes, layer + 1);
        return numEdgesAfter(this.nodes, layer) > MANY_LINKS ? HIGH : 0;
      }),
    ),
  );

  constructor(
    private readonly structure: () => Structure | null,
    private readonly pictures: EdgePictures,
  ) {}

  /** Shows a layer, or all, in another way. */
  view(layer: number | null, wish: LayerView): void {
    const layers = layer === null ? this.views.map((_, index) => index) : [layer];
    const wishes = layers.map((one): [string, LayerView] => [this.wishKey(one), wish]);
    this.wishes = { ...this.wishes, ...Object.fromEntries(wishes) };
  }

  /** A formula edge's words in the room beside or below its box, or its function's name inside a cell. */
  label(layout: Layout, edge: EdgeInfo, index: number): string {
    const place = layout.edges[index];
    if (edge.kind !== 'symbolic' || edge.label === null || place === undefined) return '';
    const name = edge.form?.function ?? '';
    if (layout.matrices.some((matrix) => matrix.layer === edge.layer))
      return fitText(name, place.size - 8, this.measureLabel);
    const gap = this.width / Math.max(1, this.nodes.widths.length - 1);
    const room = layout.flow === 'down' ? place.room - 6 : gap / 2 - place.size / 2 - 22;
    return formulaLabel(edge.label, name, room, this.measureLabel);
  }

  /** What a wish for another view of a layer belongs to: networks of other nodes have wishes of their own. */
  private wishKey(layer: number): string {
    return `${this.nodes.widths} ${this.nodes.products} ${layer}`;
  }
}
