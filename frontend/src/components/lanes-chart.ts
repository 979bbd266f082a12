/** The errors of all lanes over steps or over time, on the same axes. */

import type { LossPoint } from '../protocol/messages';
import { texts } from '../texts';
import { colour, type Chart } from './plotly';

export type LaneAxis = 'step' | 'seconds';

export interface LaneCurve {
  name: string;
  /** which of the colours of lanes */
  colour: number;
  losses: readonly LossPoint[];
  /** the place on the axis that is looked at, null while the lane is live */
  at: number | null;
}

export function lanesChart(curves: readonly LaneCurve[], axis: LaneAxis, rmse: string): Chart {
  const traces = curves.flatMap((curve) => {
    const tone = colour(`lane-${curve.colour}`);
    const line = (y: number[], isTest: boolean): Record<string, unknown> => ({
      type: 'scatter',
      mode: 'lines',
      name: curve.name,
      x: curve.losses.map((point) => point[axis]),
      y,
      line: { color: tone, width: isTest ? 2 : 1.2, dash: isTest ? 'solid' : 'dot' },
      opacity: isTest ? 1 : 0.75,
      hoverinfo: isTest ? 'x+y+name' : 'skip',
    });
    return [
      line(
        curve.losses.map((point) => point.train),
        false,
      ),
      line(
        curve.losses.map((point) => point.test),
        true,
      ),
    ];
  });
  // one line where all lanes are looked at in one place, which on the axis of time is each lane's own
  const places = new Map<number, string>();
  for (const curve of curves) {
    if (curve.at === null) continue;
    places.set(curve.at, places.has(curve.at) ? colour('muted') : colour(`lane-${curve.colour}`));
  }
  return {
    traces,
    layout: {
      xaxis: { title: { text: texts.lanes.axisTitles[axis] }, rangemode: 'tozero' },
      yaxis: { type: 'log', title: { text: rmse } },
      shapes: [...places].map(([x, tone]) => ({
        type: 'line',
        x0: x,
        x1: x,
        y0: 0,
        y1: 1,
        yref: 'paper',
        line: { color: tone, width: 1.2, dash: 'dash' },
      })),
    },
  };
}
