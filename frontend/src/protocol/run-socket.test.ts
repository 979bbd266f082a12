import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeBrowser, FakeSocket, restoreBrowser } from './fake-server';
import { RefusedError, RunSocket, type Connection } from './run-socket';

let browser: ReturnType<typeof fakeBrowser>;
let painted: number[];
let seen: string[];
let states: { connection: Connection; wait: number | null }[];
let socket: RunSocket;

beforeEach(() => {
  browser = fakeBrowser();
  painted = [];
  seen = [];
  states = [];
  socket = new RunSocket('ws://here/ws/sessions/one', {
    onFrame: (frame) => painted.push(frame.seq),
    onEvent: (event) => seen.push(event.type),
    onConnection: (connection, retryAt) =>
      states.push({ connection, wait: retryAt === null ? null : retryAt - Date.now() }),
  });
});

afterEach(() => {
  socket.close();
  restoreBrowser();
});

const VIEWERS = { epoch: 0, seq: 6, request_id: null, type: 'viewers', count: 2 } as const;

describe('frames', () => {
  it('paints only the newest and gives credit for it after painting', () => {
    FakeSocket.last.accept();
    [1, 2, 3].forEach((seq) => FakeSocket.last.deliverFrame(seq));
    expect(painted).toEqual([]);
    browser.paint();
    expect(painted).toEqual([3]);
    expect(FakeSocket.last.sentOf('ack')).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.last.sentOf('ack')).toEqual([{ type: 'ack', seq: 3 }]);
    FakeSocket.last.deliverFrame(4);
    browser.paint();
    expect(painted).toEqual([3, 4]);
  });

  it('are not acknowledged on a connection that is gone', () => {
    const first = FakeSocket.last;
    first.accept();
    first.deliverFrame(1);
    browser.paint();
    first.close(1006);
    vi.advanceTimersByTime(1);
    expect(first.sentOf('ack')).toEqual([]);
  });

  it('that are none are passed over', () => {
    FakeSocket.last.accept();
    FakeSocket.last.onmessage?.({ data: new ArrayBuffer(8) });
    browser.paint();
    expect(painted).toEqual([]);
  });
});

describe('reconnecting', () => {
  it('waits longer each time, up to a bound, and starts small again after a snapshot', () => {
    const waits: (number | null | undefined)[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      FakeSocket.last.close(1006);
      waits.push(states.at(-1)?.wait);
      expect(states.at(-1)?.connection).toBe('lost');
      vi.advanceTimersByTime(states.at(-1)?.wait ?? 0);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(FakeSocket.all).toHaveLength(9);
    FakeSocket.last.accept();
    FakeSocket.last.close(1006);
    expect(states.at(-1)?.wait).toBe(500);
  });

  it('tries at once when asked to, and only once', () => {
    FakeSocket.last.close(1006);
    socket.retry();
    socket.retry();
    expect(FakeSocket.all).toHaveLength(2);
    expect(states.at(-1)?.connection).toBe('connecting');
  });

  it.each([4404, 4403, 4410])('gives up for good after close code %i', (code) => {
    FakeSocket.last.close(code);
    vi.advanceTimersByTime(60_000);
    expect(states.at(-1)).toEqual({ connection: 'gone', wait: null });
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('does not come back after it was closed, and may be closed twice', () => {
    FakeSocket.last.accept();
    socket.close();
    socket.close();
    socket.probe();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('gives up a connection that never answers', () => {
    vi.advanceTimersByTime(10_000);
    expect(states.map((state) => state.connection)).toEqual(['connecting', 'lost']);
  });

  it('asks a connection after sleep whether it lives, and replaces it when it does not', () => {
    FakeSocket.last.accept();
    socket.probe();
    expect(FakeSocket.last.sentOf('resync')).toHaveLength(1);
    FakeSocket.last.accept();
    vi.advanceTimersByTime(10_000);
    expect(FakeSocket.all).toHaveLength(1);
    socket.probe();
    vi.advanceTimersByTime(10_500);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe('events', () => {
  it('arrive in order', () => {
    FakeSocket.last.accept();
    FakeSocket.last.deliver(VIEWERS);
    expect(seen).toEqual(['snapshot', 'viewers']);
    expect(FakeSocket.last.sentOf('resync')).toEqual([]);
  });

  it.each([
    ['a gap', { ...VIEWERS, seq: 8 }],
    ['another epoch', { ...VIEWERS, epoch: 1, seq: 1 }],
  ])('after %s ask for a snapshot, once', (_, event) => {
    FakeSocket.last.accept();
    FakeSocket.last.deliver(event);
    FakeSocket.last.deliver({ ...event, seq: event.seq + 5 });
    expect(FakeSocket.last.sentOf('resync')).toHaveLength(1);
    FakeSocket.last.accept({ epoch: 1, seq: 20 });
    FakeSocket.last.deliver({ ...VIEWERS, epoch: 1, seq: 21 });
    expect(FakeSocket.last.sentOf('resync')).toHaveLength(1);
  });
});

describe('questions', () => {
  const DONE = { epoch: 0, seq: 5, request_id: 1, type: 'done' } as const;

  it('are answered by number', async () => {
    FakeSocket.last.accept();
    const answer = socket.ask({ type: 'run' });
    expect(FakeSocket.last.sent).toEqual([{ type: 'run', request_id: 1 }]);
    FakeSocket.last.deliver(DONE);
    await expect(answer).resolves.toEqual(DONE);
  });

  it('are refused with the sentence of the server', async () => {
    FakeSocket.last.accept();
    const answer = socket.ask({ type: 'undo' });
    FakeSocket.last.deliver({ ...DONE, type: 'error', code: 'nothing', sentence: 'Nothing to undo.' });
    await expect(answer).rejects.toEqual(new RefusedError('nothing', 'Nothing to undo.'));
  });

  it('fail at once while there is no connection, and when it is lost', async () => {
    await expect(socket.ask({ type: 'run' })).rejects.toThrow('offline');
    FakeSocket.last.accept();
    const answer = socket.ask({ type: 'run' });
    FakeSocket.last.close(1006);
    await expect(answer).rejects.toThrow('offline');
  });
});
