/** The little of Plotly that the page uses, loaded when the first chart is drawn. */

import { MediaQuery } from 'svelte/reactivity';

export interface Chart {
  traces: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

interface Plotly {
  react(
    room: HTMLElement,
    traces: Record<string, unknown>[],
    layout: Record<string, unknown>,
    config: Record<string, unknown>,
  ): Promise<unknown>;
  purge(room: HTMLElement): void;
}

interface ClickedPoint {
  pointIndex: number;
  customdata?: unknown;
}

/** an element after Plotly has drawn in it */
interface DrawnRoom extends HTMLElement {
  on(name: 'plotly_click', listener: (event: { points: ClickedPoint[] }) => void): void;
}

const isDrawn = (room: HTMLElement): room is DrawnRoom => 'on' in room;

let loading: Promise<Plotly> | null = null;

function load(): Promise<Plotly> {
  loading ??= import('plotly.js-cartesian-dist-min').then((module) => module.default);
  return loading;
}

/** How numbers are written where the pointer is: four digits, and powers of ten where they are needed. */
export const HOVER = '.4~g';

/**
 * Pixels around a chart. Labels of ticks at its upper and right ends have room in them: where they have not, Plotly makes
 * room, draws smaller, finds that the labels moved inwards, takes the room away again, and so on without end.
 */
const MARGIN = { l: 48, r: 20, t: 18, b: 36 };

const dark = new MediaQuery('(prefers-color-scheme: dark)');

/** Reads a colour of the house from the page, as Plotly takes no custom properties; it follows the colour scheme. */
export function colour(name: string): string {
  void dark.current;
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Draws or updates a chart in a room that is on the page, else does nothing; a reader's zoom stays. */
export async function drawChart(
  room: HTMLElement,
  chart: Chart,
  size: { width: number; height: number },
): Promise<void> {
  const plotly = await load();
  if (!room.isConnected) return;
  const text = colour('text');
  const line = colour('line');
  const axis = {
    gridcolor: line,
    zerolinecolor: line,
    linecolor: line,
    automargin: true,
    exponentformat: 'power',
    hoverformat: HOVER,
  };
  const { xaxis, yaxis, ...rest } = chart.layout;
  const others = Object.entries(rest)
    .filter(([name]) => /^[xy]axis\d+$/.test(name))
    .map(([name, own]) => [name, { ...axis, ...Object(own) }]);
  const layout = {
    ...size,
    margin: MARGIN,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: text, size: 11 },
    uirevision: 'kept',
    showlegend: false,
    xaxis: { ...axis, ...Object(xaxis) },
    yaxis: { ...axis, ...Object(yaxis) },
    ...rest,
    ...Object.fromEntries(others),
  };
  await plotly.react(room, chart.traces, layout, {
    displaylogo: false,
    displayModeBar: false,
    responsive: false,
  });
}

/** Tells the index of every point that is clicked in a chart that was drawn, and what its trace carries for it. */
export function onPointClick(
  room: HTMLElement,
  listener: (index: number, customdata: unknown) => void,
): void {
  if (!isDrawn(room)) return;
  room.on('plotly_click', ({ points: [point] }) => {
    if (point !== undefined) listener(point.pointIndex, point.customdata);
  });
}

export function dropChart(room: HTMLElement): void {
  void loading?.then((plotly) => plotly.purge(room));
}
