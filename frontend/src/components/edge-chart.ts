/** The inspected edge as a Plotly figure: its curve, the data on its input, its grid, and a formula laid over it. */

import type { Candidate, CandidatesEvent, InspectionEvent } from '../protocol/messages';
import { texts } from '../texts';
import { outgrow, partsOf, total, type Part } from './basis-parts';
import { colour, HOVER, type Chart } from './plotly';

type Trace = Record<string, unknown>;

/** Points from one ring to the next. */
const RING_STEP = 7;
const MOST_LINES = 24;

/** Where parts that outgrow their curve are drawn. */
const PARTS_AXIS: Trace = {
  overlaying: 'y2',
  side: 'right',
  tickmode: 'auto',
  nticks: 6,
  showgrid: false,
  zeroline: false,
};

/** A formula that is compared with the curve it was found for. */
export interface Comparison {
  candidate: Candidate;
  event: CandidatesEvent;
}

/** Draws one edge; `basis` adds the curve's parts, `comparison` a candidate and what it leaves over. */
export function edgeChart(inspection: InspectionEvent, basis: boolean, comparison: Comparison | null): Chart {
  const parts = basis ? partsOf(inspection.basis_curves) : [];
  const ownScale = outgrow(parts, inspection.y);
  return {
    traces: [
      histogram(inspection),
      ...parts.map((part) => drawPart(inspection.x, part, ownScale ? 'y3' : 'y')),
      line(
        inspection.x,
        inspection.y,
        inspection.kind === 'symbolic' ? 'formula' : 'curve',
        { width: 2.5 },
        texts.inspector.curve,
      ),
      ...(parts.length === 0 ? [] : [rings(inspection.x, parts)]),
      ...(comparison === null ? [] : overlaid(comparison)),
    ],
    layout: {
      margin: { l: 44, r: ownScale ? 44 : 10, t: comparison === null ? 8 : 28, b: 28 },
      bargap: 0,
      xaxis: { zeroline: false, nticks: 7 },
      yaxis: {
        overlaying: 'y2',
        side: 'left',
        tickmode: 'auto',
        nticks: 6,
        zeroline: true,
      },
      yaxis2: {
        visible: false,
        fixedrange: true,
        range: [0, 3 * Math.max(1, ...inspection.histogram_counts)],
      },
      ...(ownScale ? { yaxis3: PARTS_AXIS } : {}),
      shapes: inspection.grid.map((at) => gridMark(at, parts.length > 0 && hasLines(inspection))),
      showlegend: comparison !== null,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { size: 11 } },
    },
  };
}

function histogram(inspection: InspectionEvent): Trace {
  const edges = inspection.histogram_edges;
  return {
    type: 'bar',
    name: texts.inspector.data,
    x: inspection.histogram_counts.map((_, bin) => ((edges[bin] ?? 0) + (edges[bin + 1] ?? 0)) / 2),
    y: inspection.histogram_counts,
    yaxis: 'y2',
    marker: { color: colour('line') },
    hoverinfo: 'skip',
    showlegend: false,
  };
}

function line(x: number[], y: number[], tone: string, style: Trace, name?: string): Trace {
  return {
    type: 'scatter',
    mode: 'lines',
    x,
    y,
    line: { color: colour(tone), ...style },
    ...(name === undefined ? { hoverinfo: 'skip', showlegend: false } : { name }),
  };
}

function overlaid({ candidate, event }: Comparison): Trace[] {
  const residual = candidate.curve.map((value, index) => (event.y[index] ?? 0) - value);
  return [
    line(event.x, candidate.curve, 'formula', { width: 2.5, dash: 'dash' }, candidate.name),
    line(event.x, residual, 'weak', { width: 1, dash: 'dot' }, texts.inspector.residual),
  ];
}

function drawPart(x: number[], part: Part, axis: 'y' | 'y3'): Trace {
  const style =
    part.colour === null
      ? { color: colour('muted'), width: 1.2, dash: 'dash' }
      : { color: colour(`part-${part.colour}`), width: 1.2 };
  return {
    type: 'scatter',
    mode: 'lines',
    name: part.name,
    x,
    y: part.y,
    yaxis: axis,
    line: style,
    hovertemplate: `${part.name} = %{y:${HOVER}}<extra></extra>`,
    showlegend: false,
  };
}

/** Rings where the parts add up: they lie on the curve. */
function rings(x: number[], parts: readonly Part[]): Trace {
  return {
    type: 'scatter',
    mode: 'markers',
    name: texts.inspector.total,
    x: x.filter((_, index) => index % RING_STEP === 0),
    y: total(parts, x.length, RING_STEP),
    marker: { symbol: 'circle-open', size: 7, color: colour('text'), line: { width: 1.2 } },
    hovertemplate: `${texts.inspector.total} = %{y:${HOVER}}<extra></extra>`,
    showlegend: false,
  };
}

/** Whether the grid is marked by lines across the chart where the parts are shown; so many would hide them. */
export const hasLines = (inspection: InspectionEvent): boolean => inspection.grid.length <= MOST_LINES;

function gridMark(at: number, isFull: boolean): Trace {
  const ink = { color: colour('muted'), width: 1, ...(isFull ? { dash: 'dot' } : {}) };
  return {
    type: 'line',
    x0: at,
    x1: at,
    yref: 'paper',
    y0: 0,
    y1: isFull ? 1 : 0.03,
    line: ink,
    opacity: isFull ? 0.5 : 1,
    layer: 'below',
  };
}
