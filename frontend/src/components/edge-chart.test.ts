import { expect, it, vi } from 'vitest';
import type { InspectionEvent } from '../protocol/messages';
import { edgeChart } from './edge-chart';

vi.mock('./plotly', () => ({ colour: (name: string) => name, HOVER: '.4~g' }));

function inspectionOf(y: number[], parts: number[][]): InspectionEvent {
  return {
    epoch: 0,
    seq: 0,
    request_id: null,
    type: 'inspection',
    edge: { layer: 0, source: 0, target: 0 },
    revision: 1,
    kind: 'spline',
    basis: 'bspline',
    domain: [-1, 1],
    x: y.map((_, index) => index),
    y,
    basis_curves: parts,
    grid: [-1, 1],
    histogram_edges: [-1, 1],
    histogram_counts: [3],
    importance: 0.5,
    form: null,
    label: null,
    label_mathml: null,
    locked: false,
  };
}

const axes = (inspection: InspectionEvent, basis: boolean): [string, unknown][] =>
  edgeChart(inspection, basis, null).traces.map((trace) => [String(trace['name']), trace['yaxis'] ?? 'y']);

const CURVE = [0, 0.1, 0];
const LARGE = [
  [50, 60, 70],
  [-50, -59.9, -70],
];

it('draws parts on the scale of their curve while both can be read there', () => {
  const inspection = inspectionOf(CURVE, [
    [0, 0.2, 0.1],
    [0, -0.1, -0.1],
  ]);
  expect(axes(inspection, true)).toEqual([
    ['data', 'y2'],
    ['c₀B₀', 'y'],
    ['w·b', 'y'],
    ['φ', 'y'],
    ['Σ of the parts', 'y'],
  ]);
  expect(edgeChart(inspection, true, null).layout).not.toHaveProperty('yaxis3');
});

it('gives parts that would flatten their curve a scale of their own', () => {
  const inspection = inspectionOf(CURVE, LARGE);
  expect(axes(inspection, true)).toEqual([
    ['data', 'y2'],
    ['c₀B₀', 'y3'],
    ['w·b', 'y3'],
    ['φ', 'y'],
    ['Σ of the parts', 'y'],
  ]);
  expect(edgeChart(inspection, true, null).layout).toHaveProperty('yaxis3.side', 'right');
  expect(edgeChart(inspection, false, null).layout).not.toHaveProperty('yaxis3');
});
