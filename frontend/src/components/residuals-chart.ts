/** What the network leaves over as a Plotly figure: residuals over targets, or how sure it is of either class. */

import type { ResidualsEvent } from '../protocol/messages';
import { texts } from '../texts';
import { CLASSES } from './prediction-chart';
import { colour, type Chart } from './plotly';

/** Predictions less targets, a dot for each test sample. */
export function residualsChart({ targets, predictions }: ResidualsEvent): Chart {
  return {
    traces: [
      {
        type: 'scatter',
        mode: 'markers',
        x: targets,
        y: predictions.map((value, index) => value - (targets[index] ?? 0)),
        marker: { size: 4, color: colour('curve'), opacity: 0.6 },
      },
    ],
    layout: {
      xaxis: { title: { text: texts.panels.target } },
      yaxis: { title: { text: texts.inspector.residual }, zeroline: true, zerolinecolor: colour('text') },
    },
  };
}

/** How often each probability of class 1 was predicted, for the test samples of either class. */
export function probabilitiesChart({ targets, predictions }: ResidualsEvent): Chart {
  return {
    traces: CLASSES.map(({ tone }, value) => ({
      type: 'histogram',
      name: texts.panels.ofClass(value),
      x: predictions.filter((_, index) => (targets[index] ?? 0) > 0.5 === (value === 1)),
      autobinx: false,
      xbins: { start: 0, end: 1.0001, size: 0.05 },
      marker: { color: colour(tone) },
    })),
    layout: {
      barmode: 'group',
      bargap: 0.1,
      margin: { l: 48, r: 12, t: 26, b: 36 },
      xaxis: { title: { text: texts.panels.probability }, range: [-0.01, 1.01] },
      yaxis: { title: { text: texts.panels.samples } },
      showlegend: true,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom' },
    },
  };
}
