/** Figures that the server made, as charts of the page: what they show stays, what they wear is the page's. */

import type { Chart } from '../components/plotly';
import type { Figure } from '../protocol/lab-rest';

/** what a figure made for a report brings and the page has of its own */
const WORN = new Set([
  'template',
  'width',
  'height',
  'font',
  'autosize',
  'paper_bgcolor',
  'plot_bgcolor',
  'margin',
]);

/** Keys of points, as a figure carries them at a marker: one, or those of all seeds that a median stands for. */
export function keysOf(customdata: unknown): string[] {
  if (typeof customdata === 'string') return [customdata];
  return Array.isArray(customdata) ? [...new Set(customdata.flatMap(keysOf))] : [];
}

/** The chart of a figure, its legend under it where there is little room beside it. */
export function figureChart(figure: Figure, isNarrow: boolean): Chart {
  const own = Object.entries(figure.layout).filter(([name]) => !WORN.has(name));
  const layout: Record<string, unknown> = Object.fromEntries(own);
  return {
    traces: figure.data,
    layout: {
      showlegend: true,
      hovermode: 'closest',
      ...layout,
      hoverlabel: { align: 'left' },
      margin: { l: 56, r: 12, t: hasTitles(layout) ? 30 : 10, b: 46 },
      ...(isNarrow ? { legend: { orientation: 'h', y: -0.18, yanchor: 'top', x: 0 } } : {}),
    },
  };
}

/** Whether there are titles over the plots, as over those of several problems. */
function hasTitles(layout: Record<string, unknown>): boolean {
  const { annotations } = layout;
  return Array.isArray(annotations) && annotations.length > 0;
}
