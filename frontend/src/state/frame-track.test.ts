import { describe, expect, it } from 'vitest';
import { SNAPSHOT } from '../protocol/fake-server';
import type { Frame } from '../protocol/frame';
import { FrameTrack } from './frame-track';

const { structure } = SNAPSHOT;

function frameOf(step: number, numbers = 4): Frame {
  const buffer = new ArrayBuffer(4 * numbers);
  return {
    epoch: 0,
    seq: step,
    revision: 1,
    gridRevision: 1,
    step,
    trainRmse: 1,
    testRmse: 1,
    objective: 1,
    stepsPerSecond: 0,
    seconds: 0,
    numEdges: 0,
    numPoints: 2,
    numCurves: 0,
    importance: new Float32Array(buffer),
    weights: null,
    values: new Float32Array(buffer),
    grids: new Float32Array(2),
  };
}

function trackOf(steps: readonly number[], most?: number, bytes?: number): FrameTrack {
  const track = new FrameTrack(most, bytes);
  for (const step of steps) track.add(frameOf(step), structure);
  return track;
}

describe('FrameTrack', () => {
  it('finds the newest picture of a step or before it, else the first', () => {
    const track = trackOf([2, 4, 7]);
    expect([0, 2, 3, 6, 7, 99].map((step) => track.at(step)?.frame.step)).toEqual([2, 2, 2, 4, 7, 7]);
    expect(track.at(4)?.structure).toBe(structure);
    expect(new FrameTrack().at(3)).toBeNull();
  });

  it('keeps the newest picture of a step', () => {
    const track = trackOf([1, 2]);
    const again = { ...frameOf(2), testRmse: 0.5 };
    track.add(again, structure);
    expect([track.length, track.at(2)?.frame.testRmse]).toEqual([2, 0.5]);
  });

  it('begins anew with an earlier step', () => {
    const track = trackOf([5, 6, 0]);
    expect([track.length, track.firstStep, track.lastStep]).toEqual([1, 0, 0]);
  });

  it('stays small, keeps both ends and spreads the rest evenly', () => {
    const track = new FrameTrack(50);
    for (let step = 0; step <= 5000; step++) {
      track.add(frameOf(step), structure);
      expect(track.length).toBeLessThanOrEqual(50);
      expect([track.firstStep, track.lastStep]).toEqual([0, step]);
    }
    expect(track.length).toBeGreaterThanOrEqual(24);
    const gaps = Array.from({ length: 50 }, (_, part) => {
      const step = part * 100;
      return step - (track.at(step)?.frame.step ?? NaN);
    });
    expect(Math.max(...gaps)).toBeLessThanOrEqual(400);
  });

  it('keeps fewer of large pictures', () => {
    const track = new FrameTrack(400, 100_000);
    for (let step = 0; step < 200; step++) track.add(frameOf(step, 2500), structure);
    expect(track.length).toBeLessThanOrEqual(10);
    expect([track.firstStep, track.lastStep]).toEqual([0, 199]);
  });

  it('holds no x grids', () => {
    expect(trackOf([1]).at(1)?.frame.grids).toBeNull();
  });

  it('forgets all when it is cleared', () => {
    const track = trackOf([1, 2, 3]);
    track.clear();
    expect([track.length, track.firstStep]).toEqual([0, null]);
  });
});
