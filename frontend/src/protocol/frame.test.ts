import { describe, expect, it } from 'vitest';
import { decodeFrame } from './frame';

function bytes(options: { grids: boolean }): ArrayBuffer {
  const [edges, points, nodes] = [2, 3, 1];
  const buffer = new ArrayBuffer(64 + 4 * (edges + edges * points + (options.grids ? nodes * points : 0)));
  const view = new DataView(buffer);
  'KSF1'.split('').forEach((letter, at) => view.setUint8(at, letter.charCodeAt(0)));
  [options.grids ? 1 : 0, 7, 8, 9, 10, 11, edges, points, nodes].forEach((value, at) =>
    view.setUint32(4 + 4 * at, value, true),
  );
  [0.5, 0.25, 2, 60].forEach((value, at) => view.setFloat32(40 + 4 * at, value, true));
  view.setFloat32(60, 1.5, true);
  new Float32Array(buffer, 64).forEach((_, at, all) => (all[at] = at));
  return buffer;
}

describe('decodeFrame', () => {
  it('reads header and arrays', () => {
    expect(decodeFrame(bytes({ grids: true }))).toEqual({
      epoch: 7,
      seq: 8,
      revision: 9,
      gridRevision: 10,
      step: 11,
      numEdges: 2,
      numPoints: 3,
      trainRmse: 0.5,
      testRmse: 0.25,
      objective: 2,
      stepsPerSecond: 60,
      seconds: 1.5,
      numCurves: 2,
      weights: null,
      importance: Float32Array.of(0, 1),
      values: Float32Array.of(2, 3, 4, 5, 6, 7),
      grids: Float32Array.of(8, 9, 10),
    });
  });

  it('leaves out grids the page already has', () => {
    expect(decodeFrame(bytes({ grids: false }))?.grids).toBeNull();
  });

  it('reads the weights of a perceptron, and curves that stand in nodes', () => {
    const buffer = new ArrayBuffer(64 + 4 * (2 + 2 + 9 + 9));
    const view = new DataView(buffer);
    view.setUint32(0, 0x3146534b, true);
    [3, 0, 0, 0, 0, 0, 2, 3, 3].forEach((value, at) => view.setUint32(4 + 4 * at, value, true));
    new Float32Array(buffer, 64).forEach((_, at, all) => (all[at] = at));
    const frame = decodeFrame(buffer);
    expect([frame?.numEdges, frame?.numCurves]).toEqual([2, 3]);
    expect(frame?.importance).toEqual(Float32Array.of(0, 1));
    expect(frame?.weights).toEqual(Float32Array.of(2, 3));
    expect(frame?.values).toEqual(Float32Array.from({ length: 9 }, (_, at) => 4 + at));
    expect(frame?.grids).toEqual(Float32Array.from({ length: 9 }, (_, at) => 13 + at));
    expect(decodeFrame(buffer.slice(0, -4))).toBeNull();
    view.setUint32(4, 2, true);
    expect(decodeFrame(buffer.slice(0, -36))?.grids).toBeNull();
  });

  it('refuses what is no frame or was cut short', () => {
    expect(decodeFrame(new ArrayBuffer(10))).toBeNull();
    expect(decodeFrame(new ArrayBuffer(100))).toBeNull();
    expect(decodeFrame(bytes({ grids: true }).slice(0, -4))).toBeNull();
  });
});
