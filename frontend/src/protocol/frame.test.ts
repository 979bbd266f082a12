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
      importance: Float32Array.of(0, 1),
      values: Float32Array.of(2, 3, 4, 5, 6, 7),
      grids: Float32Array.of(8, 9, 10),
    });
  });

  it('leaves out grids the page already has', () => {
    expect(decodeFrame(bytes({ grids: false }))?.grids).toBeNull();
  });

  it('refuses what is no frame or was cut short', () => {
    expect(decodeFrame(new ArrayBuffer(10))).toBeNull();
    expect(decodeFrame(new ArrayBuffer(100))).toBeNull();
    expect(decodeFrame(bytes({ grids: true }).slice(0, -4))).toBeNull();
  });
});
