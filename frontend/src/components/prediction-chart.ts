/** What the network predicts as a Plotly figure: a line over one input, a plane over two, regions for classes. */

import type { PredictionEvent } from '../protocol/messages';
import { texts } from '../texts';
import { colour, HOVER, type Chart } from './plotly';

type Trace = Record<string, unknown>;

/** The names of the inputs across and up. */
export interface AxisNames {
  x: string;
  y: string;
}

/** Network and truth over one input, with the samples. */
export function lineChart(event: PredictionEvent, names: AxisNames): Chart {
  const curve = (name: string, y: number[], tone: string, dash: string): Trace => ({
    type: 'scatter',
    mode: 'lines',
    name,
    x: event.x,
    y,
    line: { color: colour(tone), width: 2, dash },
  });
  const samples: Trace = {
    type: 'scatter',
    mode: 'markers',
    name: texts.inspector.data,
    x: event.sample_x,
    y: event.sample_targets,
    marker: { size: 3, color: colour('muted'), opacity: 0.5 },
  };
  return {
    traces: [
      samples,
      ...(event.truth === null ? [] : [curve(texts.panels.truth, event.truth[0] ?? [], 'truth', 'dot')]),
      curve(texts.panels.network, event.network[0] ?? [], 'curve', 'solid'),
    ],
    layout: { showlegend: true, xaxis: { title: { text: names.x } } },
  };
}

/**
 * Network beside truth over two inputs, on one scale of colours; where the truth is not known, the data over the network.
 * A narrow room leaves the scale out.
 */
export function planeChart(event: PredictionEvent, names: AxisNames, isNarrow: boolean): Chart {
  const both = [...event.network.flat(), ...(event.truth?.flat() ?? event.sample_targets)];
  const [low, high] = [Math.min(...both), Math.max(...both)];
  const contour = (z: number[][], axis: string, hasScale: boolean): Trace => ({
    type: 'contour',
    x: event.x,
    y: event.y,
    z,
    zmin: low,
    zmax: high,
    colorscale: 'Viridis',
    showscale: hasScale,
    colorbar: { thickness: 14, outlinewidth: 0, nticks: 6, exponentformat: 'power' },
    zhoverformat: HOVER,
    xaxis: `x${axis}`,
    yaxis: `y${axis}`,
    // levels of our own: Plotly forgets the ones it chose when it draws the same values again
    autocontour: false,
    contours: { start: low, end: high, size: (high - low) / 14 || 1, showlines: false },
  });
  const margin = { l: 48, r: 12, t: 26, b: 36 };
  const [xaxis, yaxis] = [{ title: { text: names.x } }, { title: { text: names.y } }];
  if (event.truth === null) {
    return {
      traces: [contour(event.network, '', !isNarrow), points(event, low, high)],
      layout: {
        margin,
        xaxis: { ...xaxis, showgrid: false, zeroline: false },
        yaxis: { ...yaxis, showgrid: false, zeroline: false },
      },
    };
  }
  return {
    traces: [contour(event.network, '', !isNarrow), contour(event.truth, '2', false)],
    layout: {
      margin,
      xaxis: { ...xaxis, domain: [0, 0.47] },
      yaxis,
      xaxis2: { ...xaxis, domain: [0.53, 1], anchor: 'y2' },
      yaxis2: { anchor: 'x2', showticklabels: !isNarrow },
      annotations: [title(texts.panels.network, 0.235), title(texts.panels.truth, 0.765)],
    },
  };
}

/** The data over two inputs, in the colours of their targets. */
function points(event: PredictionEvent, low: number, high: number): Trace {
  return {
    type: 'scatter',
    mode: 'markers',
    name: texts.inspector.data,
    x: event.sample_x,
    y: event.sample_y,
    text: event.sample_targets.map((target) => texts.number(target, 4)),
    marker: {
      size: 7,
      color: event.sample_targets,
      cmin: low,
      cmax: high,
      colorscale: 'Viridis',
      line: { color: colour('panel'), width: 1 },
    },
  };
}

const title = (text: string, x: number): Trace => ({
  text: `<b>${text}</b>`,
  x,
  y: 1.02,
  xref: 'paper',
  yref: 'paper',
  xanchor: 'center',
  yanchor: 'bottom',
  showarrow: false,
});

/** Classes differ by colour and by shape. */
export const CLASSES = [
  { tone: 'truth', symbol: 'diamond' },
  { tone: 'curve', symbol: 'circle' },
] as const;

/** The probability of class 1 over two inputs, the boundary where it is a half, and the samples. */
export function regionsChart(event: PredictionEvent, names: AxisNames): Chart {
  const [first, second] = CLASSES;
  const regions: Trace = {
    type: 'heatmap',
    x: event.x,
    y: event.y,
    z: event.network,
    zmin: 0,
    zmax: 1,
    zsmooth: 'best',
    zhoverformat: HOVER,
    opacity: 0.55,
    colorscale: [
      [0, colour(first.tone)],
      [0.5, colour('panel')],
      [1, colour(second.tone)],
    ],
    colorbar: { thickness: 14, outlinewidth: 0, title: { text: texts.panels.probability, side: 'right' } },
    showlegend: false,
  };
  const boundary: Trace = {
    type: 'contour',
    x: event.x,
    y: event.y,
    z: event.network,
    autocontour: false,
    contours: { start: 0.5, end: 0.5, size: 1, coloring: 'none' },
    line: { color: colour('text'), width: 1.5 },
    showscale: false,
    showlegend: false,
    hoverinfo: 'skip',
  };
  const samples = CLASSES.map(({ tone, symbol }, value): Trace => {
    const own = event.sample_targets.flatMap((target, index) =>
      target > 0.5 === (value === 1) ? [index] : [],
    );
    return {
      type: 'scatter',
      mode: 'markers',
      name: texts.panels.ofClass(value),
      x: own.map((index) => event.sample_x[index]),
      y: own.map((index) => event.sample_y[index]),
      marker: { size: 6, symbol, color: colour(tone), line: { color: colour('panel'), width: 1 } },
    };
  });
  return {
    traces: [regions, boundary, ...samples],
    layout: {
      margin: { l: 48, r: 12, t: 26, b: 36 },
      xaxis: { title: { text: names.x }, showgrid: false, zeroline: false },
      yaxis: { title: { text: names.y }, showgrid: false, zeroline: false },
      showlegend: true,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom' },
    },
  };
}
