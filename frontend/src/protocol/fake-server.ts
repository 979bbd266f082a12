/** A websocket that tests hold the other end of. */

import { vi } from 'vitest';
import { readyProblem } from './data-source';
import type { ServerEvent, SnapshotEvent } from './messages';

export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  /** the newest connection */
  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (socket === undefined) throw new Error('nothing was opened');
    return socket;
  }

  readyState = 0;
  binaryType = '';
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    const message: Record<string, unknown> = JSON.parse(text);
    this.sent.push(message);
  }

  close(code = 1000): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** The server accepts and sends what it has. */
  accept(snapshot: Partial<SnapshotEvent> = {}): void {
    this.readyState = FakeSocket.OPEN;
    this.deliver({ ...SNAPSHOT, ...snapshot });
  }

  deliver(event: ServerEvent): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  deliverFrame(seq: number, { step = seq, edges = 0, importance = 0, revision = 0 } = {}): void {
    const points = 2;
    const buffer = new ArrayBuffer(64 + 4 * edges * (1 + points));
    const view = new DataView(buffer);
    view.setUint32(0, 0x3146534b, true);
    view.setUint32(12, seq, true);
    view.setUint32(16, revision, true);
    view.setUint32(24, step, true);
    view.setUint32(28, edges, true);
    view.setUint32(32, points, true);
    new Float32Array(buffer, 64, edges).fill(importance);
    this.onmessage?.({ data: buffer });
  }

  sentOf(type: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message['type'] === type);
  }
}

export const SNAPSHOT: SnapshotEvent = {
  epoch: 0,
  seq: 5,
  request_id: null,
  type: 'snapshot',
  session_id: 'one',
  can_edit: true,
  viewers: 1,
  structure: {
    revision: 1,
    network: {
      model: 'kan',
      widths: [2, 1],
      products: [],
      basis: 'bspline',
      grid_size: 5,
      order: 3,
      knots: 'uniform',
      alpha: 0,
      beta: 0,
      base: 'silu',
      initialization: 'power_law',
    },
    seed: 0,
    input_names: ['x', 'y'],
    output_names: ['f'],
    num_parameters: 18,
    num_bytes: 96_000,
    edges: [0, 1].map((source) => ({
      layer: 0,
      source,
      target: 0,
      kind: 'spline',
      basis: 'bspline',
      form: null,
      locked: false,
      label: null,
      label_mathml: null,
    })),
  },
  training: {
    optimizer: 'lm',
    learning_rate: 0.02,
    l1: 0.006,
    entropy: 0.03,
    batch_size: null,
    steps_per_second: 6,
    grids: null,
  },
  data: {
    source: readyProblem('exp_sin'),
    seed: 0,
    title: 'exp(sin(πx) + y²)',
    task: 'regression',
    truth: null,
    truth_mathml: null,
    input_names: ['x', 'y'],
    input_lows: [-1, -1],
    input_highs: [1, 1],
    output_names: ['f'],
    num_train: 1000,
    num_test: 1000,
  },
  status: { state: 'running', step: 3, sentence: '' },
  history: { undo: null, redo: null },
  formula: {
    mathml: '<math></math>',
    text: 'f = φ(x) + φ(y)',
    latex: '',
    sympy: '',
    numpy: '',
    pytorch: '',
    is_closed_form: false,
    num_curves: 2,
    caution: null,
  },
  losses: [{ step: 1, train: 1, test: 2, seconds: 0 }],
  functions: [],
  explanation: null,
};

/** Puts fakes in the places of the browser's socket, clock and animation frames; returns how to paint one frame. */
export function fakeBrowser(): { paint: () => void } {
  vi.useFakeTimers();
  FakeSocket.all = [];
  let waiting: (() => void)[] = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => waiting.push(callback));
  vi.stubGlobal('location', { protocol: 'http:', host: 'here' });
  vi.stubGlobal('document', new EventTarget());
  vi.stubGlobal('addEventListener', vi.fn());
  vi.stubGlobal('removeEventListener', vi.fn());
  // the spread of delays is not what is tested
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  return {
    paint: () => {
      const now = waiting;
      waiting = [];
      for (const callback of now) callback();
    },
  };
}

export function restoreBrowser(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}
