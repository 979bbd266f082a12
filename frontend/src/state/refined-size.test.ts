import { expect, it } from 'vitest';
import { refinedSize } from './refined-size';

it.each([
  [5, null, 10],
  [5, 5, 10],
  [5, 3, 10],
  [5, 9, 10],
  [5, 7.5, 10],
  [5, 15, 15],
  [1, 4, 4],
])('refines a grid of %d where %j is typed to %d', (present, typed, expected) => {
  expect(refinedSize(present, typed, false)).toBe(expected);
});

it.each([
  [5, null, 10],
  [5, 5, 10],
  [5, 3, 10],
  [5, 7.5, 10],
  [5, 6, 6],
  [5, 7, 7],
  [5, 15, 15],
])('raises a degree of %d where %j is typed to %d', (present, typed, expected) => {
  expect(refinedSize(present, typed, true)).toBe(expected);
});
