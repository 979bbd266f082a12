/** Axes on which powers of ten lie evenly. */

export interface LogAxis {
  /** where a value lies between the ends, 0 to 1; what lies outside is drawn at the end */
  place(value: number): number;
  /** the values at both ends */
  ends: [number, number];
  /** powers of ten to be written at the axis */
  ticks: { exponent: number; at: number }[];
}

/** what an error of nothing at all is drawn as, where nothing has no place */
const SMALLEST = 1e-17;
const MAX_TICKS = 5;

/** An axis from power to power of ten around the values; of none of them from 0.001 to 1. */
export function logAxis(values: readonly number[]): LogAxis {
  const logs = values.filter(Number.isFinite).map((value) => Math.log10(Math.max(value, SMALLEST)));
  const low = logs.length === 0 ? -3 : Math.floor(Math.min(...logs));
  const high = logs.length === 0 ? 0 : Math.max(Math.ceil(Math.max(...logs)), low + 1);
  const step = Math.ceil((high - low) / (MAX_TICKS - 1));
  const ticks = [];
  for (let exponent = Math.ceil(low / step) * step; exponent <= high; exponent += step) {
    ticks.push({ exponent, at: (exponent - low) / (high - low) });
  }
  return {
    place: (value) => {
      const log = Math.log10(Math.max(value, SMALLEST));
      return Math.min(1, Math.max(0, (log - low) / (high - low)));
    },
    ends: [10 ** low, 10 ** high],
    ticks,
  };
}

/** An axis that reaches a little beyond its values and has a tick at each of them, for the few values of a sweep. */
export function valueAxis(values: readonly number[]): { place(value: number): number } {
  const logs = values.map((value) => Math.log10(Math.max(value, SMALLEST)));
  const low = Math.min(...logs);
  const span = Math.max(...logs) - low;
  return {
    place: (value) =>
      span === 0 ? 0.5 : 0.05 + (0.9 * (Math.log10(Math.max(value, SMALLEST)) - low)) / span,
  };
}
