/** What all lanes predict along one input, with the truth over it and, where there is no other input, the samples. */

import type { PredictionEvent } from '../protocol/messages';
import { colour, type Chart } from './plotly';

type Trace = Record<string, unknown>;

export interface LanePrediction {
  name: string;
  /** which of the colours of lanes */
  colour: number;
  event: PredictionEvent;
}

/** The names of the input and of what is predicted, and of what else is drawn. */
export interface PredictionNames {
  input: string;
  output: string;
  truth: string;
}

export function lanesPredictionChart(
  predictions: readonly LanePrediction[],
  names: PredictionNames,
  hasSamples: boolean,
): Chart {
  const [first] = predictions;
  if (first === undefined) return { traces: [], layout: {} };
  const { truth, x, sample_x, sample_targets } = first.event;
  const line = (name: string, y: number[], tone: string, width: number, dash: string): Trace => ({
    type: 'scatter',
    mode: 'lines',
    name,
    x,
    y,
    line: { color: colour(tone), width, dash },
    hoverinfo: 'x+y+name',
  });
  const samples: Trace = {
    type: 'scatter',
    mode: 'markers',
    x: sample_x,
    y: sample_targets,
    marker: { size: 3, color: colour('muted'), opacity: 0.45 },
    hoverinfo: 'skip',
  };
  return {
    traces: [
      ...(hasSamples ? [samples] : []),
      ...predictions.map(({ name, colour: tone, event }) =>
        line(name, event.network[0] ?? [], `lane-${tone}`, 2, 'solid'),
      ),
      ...(truth === null ? [] : [line(names.truth, truth[0] ?? [], 'text', 1.2, 'dash')]),
    ],
    layout: { xaxis: { title: { text: names.input } }, yaxis: { title: { text: names.output } } },
  };
}
