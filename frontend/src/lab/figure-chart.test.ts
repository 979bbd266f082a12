import { describe, expect, it } from 'vitest';
import { figureChart, keysOf } from './figure-chart';

describe('a figure of the server', () => {
  it('carries keys of points at its markers', () => {
    expect(keysOf('a')).toEqual(['a']);
    expect(keysOf(['a', ['b', 'a']])).toEqual(['a', 'b']);
    expect(keysOf(undefined)).toEqual([]);
  });

  it('keeps what it shows and takes off what it wears', () => {
    const figure = {
      data: [{ type: 'scatter' }],
      layout: { template: {}, width: 900, font: { color: 'red' }, xaxis: { type: 'log' }, showlegend: false },
    };
    const { traces, layout } = figureChart(figure, true);
    expect(traces).toBe(figure.data);
    expect(layout).toMatchObject({ xaxis: { type: 'log' }, showlegend: false, legend: { orientation: 'h' } });
    expect(['template', 'width', 'font'].filter((name) => name in layout)).toEqual([]);
    expect(figureChart(figure, false).layout).not.toHaveProperty('legend');
  });
});
