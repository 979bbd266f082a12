/** Laws as a Plotly figure: their held-out errors over their complexities. */

import type { LawPoint } from '../protocol/messages';
import { texts } from '../texts';
import { colour, type Chart } from './plotly';

/** what an error of nothing at all is drawn as, where nothing has no place */
const SMALLEST = 1e-17;

/** A point for each law in their order, the chosen one larger, the best one a star. */
export function paretoChart(laws: readonly LawPoint[], chosen: number | null, best: number | null): Chart {
  return {
    traces: [
      {
        type: 'scatter',
        mode: 'lines+markers',
        x: laws.map((law) => law.complexity),
        y: laws.map((law) => Math.max(law.held_out_rmse, SMALLEST)),
        text: laws.map((law) => texts.explain.law(law.id, law.text)),
        hovertemplate: '%{text}<br>%{y:.3~g}<extra></extra>',
        line: { color: colour('line'), width: 2, shape: 'hv' },
        marker: {
          color: colour('formula'),
          symbol: laws.map((law) => (law.id === best ? 'star' : 'circle')),
          size: laws.map((law) => (law.id === chosen ? 15 : 9)),
          line: { color: colour('text'), width: laws.map((law) => (law.id === chosen ? 2 : 0)) },
        },
      },
    ],
    layout: {
      hovermode: 'closest',
      hoverlabel: { align: 'left' },
      xaxis: { title: { text: texts.explain.complexity }, tickformat: 'd', rangemode: 'tozero' },
      yaxis: { title: { text: texts.explain.error }, type: 'log' },
    },
  };
}
