/** The pictures of the steps gone by, thinned so that a lane of any length stays small. */

import type { Frame } from '../protocol/frame';
import type { Structure } from '../protocol/messages';

/** A network as it was drawn at one step. */
export interface Moment {
  frame: Frame;
  structure: Structure;
}

/** Pictures that a lane keeps at most, and bytes that they take together at most. */
export const MAX_MOMENTS = 400;
export const MAX_BYTES = 16_000_000;

/**
 * Moments by growing steps. When there are too many, every second of them goes, the first and the newest never; what
 * comes closer together than those that are left takes the place of the newest.
 */
export class FrameTrack {
  private moments: Moment[] = [];
  private stride = 1;

  constructor(
    private readonly most = MAX_MOMENTS,
    private readonly mostBytes = MAX_BYTES,
  ) {}

  get length(): number {
    return this.moments.length;
  }

  get firstStep(): number | null {
    return this.moments[0]?.frame.step ?? null;
  }

  get lastStep(): number | null {
    return this.moments.at(-1)?.frame.step ?? null;
  }

  /** Keeps a picture; one of an earlier step than the newest begins a new track. */
  add(frame: Frame, structure: Structure): void {
    const newest = this.lastStep;
    if (newest !== null && frame.step < newest) this.clear();
    // x grids are of no use for drawing, and the newest of them may come later
    const moment = { frame: { ...frame, grids: null }, structure };
    const before = this.moments.at(-2)?.frame.step;
    const isClose = before !== undefined && (newest ?? 0) - before < this.stride;
    if (newest === frame.step || isClose) this.moments.pop();
    this.moments.push(moment);
    const bytes = frame.values.buffer.byteLength;
    const most = Math.max(2, Math.min(this.most, Math.floor(this.mostBytes / bytes)));
    while (this.moments.length > most) this.thin();
  }

  /** The newest picture of a step up to this one, or the first there is. */
  at(step: number): Moment | null {
    let [low, high] = [0, this.moments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.moments[middle]?.frame.step ?? 0) <= step) low = middle + 1;
      else high = middle;
    }
    return this.moments[Math.max(0, low - 1)] ?? null;
  }

  clear(): void {
    this.moments = [];
    this.stride = 1;
  }

  private thin(): void {
    const last = this.moments.length - 1;
    this.moments = this.moments.filter((_, index) => index % 2 === 0 || index === last);
    const span = (this.lastStep ?? 0) - (this.firstStep ?? 0);
    this.stride = Math.max(1, Math.floor(span / Math.max(1, this.moments.length - 1)));
  }
}
