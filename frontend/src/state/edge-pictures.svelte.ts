/** What the diagram draws of each edge: its curve, its weight, its words, from the newest frame. */

import { comparableSpans, curvePath, curveScale, zeroHeight, type Scale } from '../drawing/curve-path';
import type { Frame } from '../protocol/frame';
import type { CatalogueBasis, EdgeInfo } from '../protocol/messages';
import { texts } from '../texts';
import { factorWords } from './factors';
import { familyOf } from './families';
import { kanOf } from './networks';
import type { Pictured } from './pictured';
import { edgeName } from './session.svelte';

/** Edges above which one canvas draws the curves and only boxes stay in the SVG. */
export const CANVAS_ABOVE = 300;

/** How strong an edge is drawn before its importance is known. */
const UNKNOWN = 0.3;

export class EdgePictures {
  readonly edges: EdgeInfo[] = $derived.by(() => this.session.structure?.edges ?? []);
  /** the newest frame, unless it shows another structure */
  readonly frame: Frame | null = $derived.by(() => {
    const newest = this.session.frame;
    return newest !== null && newest.numEdges === this.edges.length ? newest : null;
  });
  readonly isOnCanvas: boolean = $derived.by(() => this.edges.length > CANVAS_ABOVE);
  private readonly targets: string[] = $derived.by(() =>
    this.edges.map((edge) => `${edge.layer}.${edge.target}`),
  );
  readonly spans: number[] = $derived.by(() =>
    this.frame === null ? [] : comparableSpans(this.frame.values, this.frame.numPoints, this.targets),
  );
  private readonly scales: Scale[] = $derived.by(() => {
    const frame = this.frame;
    if (frame === null || this.isOnCanvas) return [];
    return this.edges.map((_, index) =>
      curveScale(frame.values, index * frame.numPoints, frame.numPoints, this.spans[index]),
    );
  });
  constructor(
    private readonly session: Pictured,
    private readonly families: () => readonly CatalogueBasis[] = () => [],
  ) {}

  /** The curve as an SVG path; empty where a canvas draws it or nothing came yet. */
  path(index: number): string {
    const { frame } = this;
    if (frame === null || this.isOnCanvas) return '';
    return curvePath(frame.values, index * frame.numPoints, frame.numPoints, this.scales[index]);
  }

  /** Where φ = 0 lies in the box, or null. */
  zero(index: number): number | null {
    const scale = this.scales[index];
    return scale === undefined ? null : zeroHeight(scale);
  }

  /** How strong the edge is drawn, from 0 to 1. */
  strength(index: number): number {
    if (this.edges[index]?.kind === 'pruned') return 0;
    return Math.min(this.frame?.importance[index] ?? UNKNOWN, 1);
  }

  /** Whether a cut at the present threshold would take the edge. */
  isWeak(index: number): boolean {
    return this.session.isWeak[index] ?? false;
  }

  /** The title of the curve's family where it is another than the network's, else empty. */
  otherFamily(index: number): string {
    const edge = this.edges[index];
    if (edge?.kind !== 'spline' || edge.basis === kanOf(this.session.structure)?.basis) return '';
    return familyOf(this.families(), edge.basis).title;
  }

  /** The edge's accessible name: which it is and what it shows. */
  describe(index: number): string {
    const edge = this.edges[index];
    if (edge === undefined) return '';
    const words = [
      this.shows(edge, index),
      this.otherFamily(index),
      this.session.structure === null ? '' : factorWords(this.session.structure, edge),
      this.isWeak(index) ? texts.diagram.weak : '',
    ];
    return texts.diagram.edge(edgeName(edge), words.filter((word) => word !== '').join(', '));
  }

  private shows(edge: EdgeInfo, index: number): string {
    if (edge.kind === 'pruned') return texts.diagram.cut;
    if (edge.kind === 'symbolic') return texts.diagram.formula(edge.label ?? '');
    return texts.diagram.learned(this.frame?.importance[index] ?? 0);
  }
}
