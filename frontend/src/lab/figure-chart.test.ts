import { describe, expect, it } from 'vitest';
import { figureChart, keysOf, numColumns } from './figure-chart';

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
    const { traces, layout } = figureChart(figure);
    expect(traces).toBe(figure.data);
    expect(layout).toMatchObject({ xaxis: { type: 'log' }, showlegend: false });
    expect(['template', 'width', 'font'].filter((name) => name in layout)).toEqual([]);
  });

  it('tells how many plots lie side by side', () => {
    const axes = (...starts: number[]): Record<string, unknown> =>
      Object.fromEntries(
        starts.map((start, index) => [
          `xaxis${index === 0 ? '' : index + 1}`,
          { domain: [start, start + 0.3] },
        ]),
      );
    const columns = (layout: Record<string, unknown>): number => numColumns({ data: [], layout });
    expect([columns({}), columns({ xaxis: {} }), columns(axes(0, 0.5, 0, 0.5))]).toEqual([1, 1, 2]);
  });
});
