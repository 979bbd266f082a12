import { describe, expect, it } from 'vitest';
import { SNAPSHOT } from '../protocol/fake-server';
import type { Frame } from '../protocol/frame';
import type { Structure } from '../protocol/messages';
import type { Pictured } from './pictured';
import { WeightPictures } from './weight-pictures.svelte';

const structure: Structure = {
  ...SNAPSHOT.structure,
  network: { model: 'mlp', widths: [2, 2, 1], activation: 'relu', output_tanh: true },
  edges: [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [0, 1, 1],
    [1, 0, 0],
    [1, 1, 0],
  ].map(([layer = 0, source = 0, target = 0]) => ({
    layer,
    source,
    target,
    kind: 'weight',
    basis: '',
    form: null,
    locked: false,
    label: null,
    label_mathml: null,
  })),
};
const weights = Float32Array.of(1, -2, 0.5, 0, 8, -4);
const frame: Frame = {
  epoch: 0,
  seq: 1,
  revision: 1,
  gridRevision: 1,
  step: 1,
  trainRmse: 1,
  testRmse: 1,
  objective: 1,
  stepsPerSecond: 0,
  seconds: 0,
  numEdges: 6,
  numPoints: 3,
  numCurves: 3,
  importance: new Float32Array(6),
  weights,
  values: Float32Array.of(0, 0, 2, 0, 0, 0, -1, 0, 1),
  grids: null,
};
const pictured: Pictured = { structure, frame, isWeak: [] };

describe('WeightPictures', () => {
  const pictures = new WeightPictures(pictured);

  it('draws weights by their size within the layer and their sign', () => {
    expect(structure.edges.map((_, index) => pictures.strength(index))).toEqual([0.5, 1, 0.25, 0, 1, 0.5]);
    expect(structure.edges.map((_, index) => pictures.isNegative(index))).toEqual([
      false,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(pictures.describe(1)).toBe('edge 0.1.0 weight −2.00');
  });

  it('has a function in every hidden node, and in outputs that pass through tanh', () => {
    expect([
      pictures.unitOf(0, 0),
      pictures.unitOf(1, 0),
      pictures.unitOf(1, 1),
      pictures.unitOf(2, 0),
    ]).toEqual([null, 0, 1, 2]);
    expect(pictures.describeNode(1, 1)).toContain('ReLU');
    expect(pictures.describeNode(2, 0)).toContain('tanh');
    expect(pictures.describeNode(0, 1)).toBe('y');
  });

  it('draws functions over what arrives, a dead one flat', () => {
    expect(pictures.path(0)).toBe('M0 100l50 0l50 -100');
    expect(pictures.path(1)).toBe('M0 50l50 0l50 0');
    expect(pictures.zero(2)).toBe(50);
  });

  it('waits for a frame of its own structure', () => {
    const other = new WeightPictures({ ...pictured, frame: { ...frame, weights: weights.slice(1) } });
    expect([other.frame, other.path(0), other.weight(0)]).toEqual([null, '', null]);
    const kan = new WeightPictures({ ...pictured, structure: SNAPSHOT.structure });
    expect([kan.edges, kan.units]).toEqual([[], []]);
  });
});
