import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readyProblem } from '../protocol/data-source';
import { FakeSocket, fakeBrowser, restoreBrowser, SNAPSHOT } from '../protocol/fake-server';
import type { PerceptronSettings } from '../protocol/messages';
import { Lanes } from './lanes.svelte';

const KEYS = [
  { id: 'one', key: 'k1' },
  { id: 'two', key: 'k2' },
];
const MLP: PerceptronSettings = {
  model: 'mlp',
  widths: [2, 3, 1],
  activation: 'silu',
  output_tanh: false,
};

let browser: ReturnType<typeof fakeBrowser>;
let lanes: Lanes;
beforeEach(() => {
  browser = fakeBrowser();
  lanes = new Lanes(KEYS);
});
afterEach(() => {
  lanes.close();
  restoreBrowser();
});

/** Lets every socket carry out what it was asked, with a status of its own. */
async function answer(steps: readonly number[] = []): Promise<void> {
  for (const [index, socket] of FakeSocket.all.entries()) {
    for (const asked of socket.sent.splice(0)) {
      const request_id = typeof asked['request_id'] === 'number' ? asked['request_id'] : null;
      const step = steps[index];
      const numbered = { epoch: 0, seq: 5, request_id: null };
      if (asked['type'] === 'pause' && step !== undefined)
        socket.deliver({ ...numbered, type: 'status', status: { state: 'paused', step, sentence: '' } });
      socket.deliver({ ...numbered, request_id, type: 'done' });
    }
  }
  await vi.advanceTimersByTimeAsync(0);
}

const sent = (): unknown[][] =>
  FakeSocket.all.map((socket) => socket.sent.map(({ type }) => type).filter((type) => type !== 'ack'));

describe('lanes', () => {
  it('open each session with its own key', () => {
    expect(FakeSocket.all.map(({ url }) => url)).toEqual([
      'ws://here/ws/sessions/one?key=k1',
      'ws://here/ws/sessions/two?key=k2',
    ]);
    expect(lanes.keys).toEqual(KEYS);
  });

  it('can be run once all of them can', () => {
    const [first, second] = FakeSocket.all;
    first?.accept();
    expect(lanes.canAct).toBe(false);
    second?.accept({ can_edit: false });
    expect(lanes.canAct).toBe(false);
    second?.accept();
    expect(lanes.canAct).toBe(true);
  });

  it('are all run, stepped and reset by one command', async () => {
    for (const socket of FakeSocket.all) socket.accept();
    void lanes.run();
    expect(sent()).toEqual([['run'], ['run']]);
    await answer();
    void lanes.stepOnce();
    void lanes.reset(true);
    expect(FakeSocket.all.map((socket) => socket.sentOf('reset')[0]?.['new_seed'])).toEqual([true, true]);
    expect(sent()).toEqual([
      ['step', 'reset'],
      ['step', 'reset'],
    ]);
  });

  it('begin anew all at rest or all under way', async () => {
    const states = async (...all: ('running' | 'paused' | 'converged')[]): Promise<unknown[][]> => {
      for (const [index, state] of all.entries())
        FakeSocket.all[index]?.accept({ status: { state, step: 3, sentence: '' } });
      const began = lanes.reset(false);
      const told = sent();
      for (let turn = 0; turn < 3; turn++) {
        await answer();
        for (const [index, types] of sent().entries()) told[index]?.push(...types);
      }
      await began;
      return told;
    };
    expect(await states('paused', 'converged')).toEqual([['reset'], ['pause', 'reset']]);
    expect(await states('running', 'paused')).toEqual([['reset'], ['reset', 'run']]);
    expect(await states('running', 'converged')).toEqual([['reset'], ['reset']]);
    expect(await states('converged', 'converged')).toEqual([['reset'], ['reset']]);
  });

  it('learn another problem together, each with the layers that it has', () => {
    for (const socket of FakeSocket.all) socket.accept();
    void lanes.learn('j0');
    for (const socket of FakeSocket.all) {
      expect(socket.sentOf('set_data')[0]).toMatchObject({
        source: readyProblem('j0'),
        hidden: null,
      });
    }
  });

  it('keep no pictures while there is only one', () => {
    const alone = new Lanes([{ id: 'alone', key: null }]);
    FakeSocket.last.accept();
    FakeSocket.last.deliverFrame(4, { edges: 2, revision: 1 });
    browser.paint();
    expect([alone.lanes[0]?.step, alone.lanes[0]?.track.length]).toEqual([4, 0]);
    alone.close();
  });

  it('stop at the same step', async () => {
    for (const socket of FakeSocket.all) socket.accept();
    const paused = lanes.pause();
    await answer([12, 9]);
    expect(sent()).toEqual([[], ['step']]);
    expect(FakeSocket.all[1]?.sentOf('step')[0]).toMatchObject({ count: 3 });
    await answer();
    await paused;
  });

  it('show how they were at a step, each as near as it is kept, and live again', () => {
    for (const socket of FakeSocket.all)
      socket.accept({ status: { state: 'running', step: 0, sentence: '' } });
    const [first, second] = FakeSocket.all;
    for (const step of [1, 2, 5]) {
      first?.deliverFrame(step, { edges: 2, revision: 1, importance: step / 10 });
      second?.deliverFrame(2 * step, { edges: 2, revision: 1 });
      browser.paint();
    }
    expect(lanes.lastStep).toBe(10);
    lanes.look(4);
    expect(lanes.lanes.map(({ step }) => step)).toEqual([2, 4]);
    expect(lanes.lanes[0]?.frame?.importance[0]).toBeCloseTo(0.2);
    first?.deliverFrame(6, { edges: 2, revision: 1 });
    browser.paint();
    expect(lanes.lanes[0]?.step).toBe(2);
    lanes.look(null);
    expect(lanes.lanes.map(({ step }) => step)).toEqual([6, 10]);
  });

  it('keep no picture of another structure', () => {
    FakeSocket.all[0]?.accept();
    FakeSocket.all[0]?.deliverFrame(4, { edges: 2, revision: 2 });
    browser.paint();
    expect(lanes.lanes[0]?.track.length).toBe(0);
  });

  it('say when their samples or seeds differ', () => {
    const [first, second] = FakeSocket.all;
    first?.accept();
    second?.accept({ structure: { ...SNAPSHOT.structure, network: MLP, seed: 3 } });
    expect([lanes.sharesData, lanes.sharesSeed]).toEqual([true, false]);
    second?.accept({ data: { ...SNAPSHOT.data, seed: 1 } });
    expect([lanes.sharesData, lanes.sharesSeed]).toEqual([false, true]);
  });

  it('tell which of them carry a penalty', () => {
    const [first, second] = FakeSocket.all;
    first?.accept();
    second?.accept({ structure: { ...SNAPSHOT.structure, network: MLP } });
    expect(lanes.penalised).toEqual([lanes.lanes[0]]);
  });

  it('gain one that learns the same, and start again together', async () => {
    for (const socket of FakeSocket.all) socket.accept({ data: { ...SNAPSHOT.data, seed: 7 } });
    const created = { session_id: 'three', edit_key: 'k3' };
    const fetched = vi.fn<(path: string, init: { body: string }) => Promise<unknown>>(() =>
      Promise.resolve({ ok: true, json: () => Promise.resolve(created) }),
    );
    vi.stubGlobal('fetch', fetched);
    const added = lanes.add({ network: MLP, optimizer: 'lbfgs' });
    await vi.advanceTimersByTimeAsync(0);
    expect(JSON.parse(fetched.mock.calls[0]?.[1].body ?? '')).toEqual({
      data: SNAPSHOT.data.source,
      data_seed: 7,
      seed: 0,
      network: MLP,
      training: { ...SNAPSHOT.training, optimizer: 'lbfgs' },
      paused: true,
    });
    FakeSocket.all[2]?.accept({ session_id: 'three' });
    FakeSocket.all[2]?.deliverFrame(1, { step: 0, edges: 2, revision: 1 });
    browser.paint();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent()).toEqual([['pause'], ['pause'], []]);
    await answer();
    expect(sent()).toEqual([['reset'], ['reset'], []]);
    await answer();
    expect(sent()).toEqual([['run'], ['run'], ['run']]);
    await answer();
    expect(await added).toBeNull();
    expect(lanes.keys[2]).toEqual({ id: 'three', key: 'k3' });
    expect(lanes.lanes.map(({ colour }) => colour)).toEqual([0, 1, 2]);
    expect(lanes.lanes[2]?.firstStep).toBe(0);
  });

  it('stay as they are when one is refused', async () => {
    for (const socket of FakeSocket.all) socket.accept();
    const body = { code: 'too_many_edges', sentence: 'Use fewer units.' };
    vi.stubGlobal('fetch', () =>
      Promise.resolve({ ok: false, status: 400, json: () => Promise.resolve(body) }),
    );
    const added = lanes.add({ network: MLP, optimizer: 'lm' });
    await vi.advanceTimersByTimeAsync(0);
    expect(await added).toBe('Use fewer units.');
    expect(sent()).toEqual([[], []]);
    expect(lanes.lanes.length).toBe(2);
  });

  it('lose one without a word to the others, and its colour is free again', () => {
    const [first] = lanes.lanes;
    if (first === undefined) throw new Error('no lane');
    lanes.remove(first);
    expect(FakeSocket.all[0]?.readyState).toBe(3);
    expect(lanes.lanes.map(({ session, colour }) => [session.sessionId, colour])).toEqual([['two', 1]]);
    expect(sent()[1]).toEqual([]);
  });

  it('are four at most', () => {
    const many = new Lanes(['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, key: null })));
    expect([many.lanes.length, many.isFull]).toEqual([4, true]);
    many.close();
  });
});
