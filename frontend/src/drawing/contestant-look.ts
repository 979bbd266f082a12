/**
 * How a contestant looks on the page, as in the figures of reports: its colour, its symbol, and how its lines are broken.
 * There is one colour more than symbols, so that their pairs repeat only after 56 contestants.
 */

export interface Look {
  colour: string;
  /** a path around the origin, about as large as a circle of radius 1 */
  symbol: string;
  /** for stroke-dasharray, in pixels */
  dash: string;
}

const NUM_COLOURS = 8;
const SYMBOLS = {
  circle: 'M-1,0A1,1 0 1 1 1,0A1,1 0 1 1 -1,0Z',
  square: 'M-.9,-.9H.9V.9H-.9Z',
  diamond: 'M0,-1.25L1.25,0L0,1.25L-1.25,0Z',
  cross: 'M-.4,-1.15H.4V-.4H1.15V.4H.4V1.15H-.4V.4H-1.15V-.4H-.4Z',
  x: 'M0,-.5L.6,-1.1L1.1,-.6L.5,0L1.1,.6L.6,1.1L0,.5L-.6,1.1L-1.1,.6L-.5,0L-1.1,-.6L-.6,-1.1Z',
  'triangle-up': 'M0,-1.2L1.15,.8H-1.15Z',
  star: 'M0,-1.3L.3,-.4L1.24,-.4L.48,.15L.76,1.05L0,.5L-.76,1.05L-.48,.15L-1.24,-.4L-.3,-.4Z',
};
const PATHS = Object.values(SYMBOLS);
const DASHES = ['', '7 4', '2 3', '8 3 2 3'];

/** The look of the contestant at this place, counted from 0. */
export const lookAt = (index: number): Look => ({
  colour: `var(--race-${index % NUM_COLOURS})`,
  symbol: PATHS[index % PATHS.length] ?? '',
  dash: DASHES[Math.floor(index / NUM_COLOURS) % DASHES.length] ?? '',
});

/** The look of a contestant among all of them. */
export const lookOf = (contestant: string, contestants: readonly string[]): Look =>
  lookAt(Math.max(0, contestants.indexOf(contestant)));

/** Where a symbol of this size, in pixels of its radius, stands. */
export const placed = (x: number, y: number, size: number): string =>
  `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${size})`;
