/** Decodes the binary frames of the server; the layout stands in server/frames.py. */

const MAGIC = 0x3146534b;
const HEADER_BYTES = 64;
const FLAG_GRIDS = 1;
const FLAG_NODES = 2;

/** One picture of the network: arrays are views of the received buffer. */
export interface Frame {
  epoch: number;
  seq: number;
  revision: number;
  gridRevision: number;
  step: number;
  trainRmse: number;
  testRmse: number;
  objective: number;
  stepsPerSecond: number;
  /** processor time that training took */
  seconds: number;
  numEdges: number;
  numPoints: number;
  /** (numEdges) between 0 and 1, edges by layer, then target, then source */
  importance: Float32Array;
  /** (numEdges) of a perceptron, whose curves stand in its nodes; null where edges have the curves */
  weights: Float32Array | null;
  /** (numCurves × numPoints), a curve for each edge, or for each node that has a function */
  values: Float32Array;
  numCurves: number;
  /** (numNodes × numPoints), null when the page has them from an earlier frame */
  grids: Float32Array | null;
}

/** Returns the frame in `buffer`, or null when it is none or was cut short. */
export function decodeFrame(buffer: ArrayBuffer): Frame | null {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) return null;
  const numEdges = view.getUint32(28, true);
  const numPoints = view.getUint32(32, true);
  const hasGrids = (view.getUint32(4, true) & FLAG_GRIDS) !== 0;
  const hasWeights = (view.getUint32(4, true) & FLAG_NODES) !== 0;
  const numNodes = view.getUint32(36, true);
  const gridSize = hasGrids ? numNodes * numPoints : 0;
  const numCurves = hasWeights ? numNodes : numEdges;
  const weightsAt = HEADER_BYTES + 4 * numEdges;
  const valuesAt = weightsAt + (hasWeights ? 4 * numEdges : 0);
  const gridsAt = valuesAt + 4 * numCurves * numPoints;
  if (buffer.byteLength < gridsAt + 4 * gridSize) return null;
  return {
    epoch: view.getUint32(8, true),
    seq: view.getUint32(12, true),
    revision: view.getUint32(16, true),
    gridRevision: view.getUint32(20, true),
    step: view.getUint32(24, true),
    numEdges,
    numPoints,
    trainRmse: view.getFloat32(40, true),
    testRmse: view.getFloat32(44, true),
    objective: view.getFloat32(48, true),
    stepsPerSecond: view.getFloat32(52, true),
    seconds: view.getFloat32(60, true),
    numCurves,
    importance: new Float32Array(buffer, HEADER_BYTES, numEdges),
    weights: hasWeights ? new Float32Array(buffer, weightsAt, numEdges) : null,
    values: new Float32Array(buffer, valuesAt, numCurves * numPoints),
    grids: hasGrids ? new Float32Array(buffer, gridsAt, gridSize) : null,
  };
}
