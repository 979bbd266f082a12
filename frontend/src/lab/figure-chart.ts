/** Figures that the server made, as charts of the page: what they show stays, what they wear is the page's. */

import type { Chart } from '../components/plotly';
import type { Figure } from '../protocol/lab-rest';

/** what a figure made for a report brings and the page has of its own */
const WORN = new Set(['template', 'width', 'height', 'font', 'autosize', 'paper_bgcolor', 'plot_bgcolor']);

/** Keys of points, as a figure carries them at a marker: one, or those of all seeds that a median stands for. */
export function keysOf(customdata: unknown): string[] {
  if (typeof customdata === 'string') return [customdata];
  return Array.isArray(customdata) ? [...new Set(customdata.flatMap(keysOf))] : [];
}

export function figureChart(figure: Figure): Chart {
  const own = Object.entries(figure.layout).filter(([name]) => !WORN.has(name));
  return {
    traces: figure.data,
    layout: {
      showlegend: true,
      hovermode: 'closest',
      ...Object.fromEntries(own),
      hoverlabel: { align: 'left' },
    },
  };
}

/** How many plots lie side by side: their horizontal axes begin at so many different places. */
export function numColumns(figure: Figure): number {
  const starts = Object.entries(figure.layout)
    .filter(([name]) => /^xaxis\d*$/.test(name))
    .map(([, axis]) => startOf(axis));
  return Math.max(1, new Set(starts).size);
}

function startOf(axis: unknown): unknown {
  const isAxis = typeof axis === 'object' && axis !== null && 'domain' in axis;
  return isAxis && Array.isArray(axis.domain) ? axis.domain[0] : 0;
}
