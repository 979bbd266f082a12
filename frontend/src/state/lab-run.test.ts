import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket, fakeBrowser, restoreBrowser } from '../protocol/fake-server';
import type { LabEvent } from '../protocol/messages';
import { done, point, runInfo } from './lab-fakes';
import { LabRunState } from './lab-run.svelte';

const tell = (event: LabEvent): void => FakeSocket.last.onmessage?.({ data: JSON.stringify(event) });
const progress = (key: string, step: number, test_rmse = 1 / step): LabEvent => ({
  type: 'lab_progress',
  running: [{ key, progress: 0.1, step, seconds: step / 10, test_rmse }],
});

describe('a run on the page', () => {
  let run: LabRunState;
  beforeEach(() => {
    fakeBrowser();
    run = new LabRunState('r 1', 'k&');
  });
  afterEach(() => {
    run.close();
    restoreBrowser();
  });

  it('asks for its own events with its key', () => {
    expect(FakeSocket.last.url).toBe('ws://here/ws/lab/r%201?key=k%26');
  });

  it('follows points as they go on and finish', () => {
    tell({ type: 'lab_run', run: runInfo([point({ key: 'a' }), point({ key: 'b', seed: 1 })]) });
    expect([run.connection, run.canSteer, run.isOver]).toEqual(['live', true, false]);
    tell(progress('a', 1));
    tell(progress('a', 1));
    tell(progress('a', 2));
    expect(run.trails.get('a')?.map(({ step }) => step)).toEqual([1, 2]);
    const finished = done(0.25, { key: 'a' });
    tell({ type: 'lab_point', point: finished, num_done: 1, num_failed: 0, seconds_left: 3 });
    expect([run.running.size, run.trails.size]).toEqual([0, 0]);
    expect(run.points[0]).toEqual(finished);
    expect([run.info?.num_done, run.info?.seconds_left]).toEqual([1, 3]);
    expect(run.cells[0]?.test?.median).toBe(0.25);
    tell({ type: 'lab_fits', fits: [] });
    // a run whose process is gone may go on
    tell(progress('b', 1));
    tell({ type: 'lab_state', state: 'interrupted', sentence: 'Interrupted.' });
    expect([run.isOver, run.running.size, run.info?.sentence]).toEqual([false, 0, 'Interrupted.']);
    tell({ type: 'lab_state', state: 'done', sentence: 'All is done.' });
    expect([run.isOver, run.info?.sentence]).toEqual([true, 'All is done.']);
  });

  it('keeps no news of trainings once the run rests', () => {
    tell({ type: 'lab_run', run: runInfo([point({ key: 'a' })]) });
    tell(progress('a', 3));
    tell({ type: 'lab_state', state: 'paused', sentence: '' });
    expect(run.running.size).toBe(0);
  });

  it('thins long courses, and begins anew where the training does', () => {
    tell({ type: 'lab_run', run: runInfo([point({ key: 'a' })]) });
    for (let step = 1; step <= 1000; step += 1) tell(progress('a', step));
    const trail = run.trails.get('a') ?? [];
    expect(trail.length).toBeLessThanOrEqual(201);
    expect([trail[0]?.step, trail.at(-1)?.step]).toEqual([1, 1000]);
    tell(progress('a', 4));
    expect(run.trails.get('a')?.map(({ step }) => step)).toEqual([4]);
  });

  it('comes back by itself and takes up what it missed', () => {
    tell({ type: 'lab_run', run: runInfo([point({ key: 'a' })]) });
    FakeSocket.last.close(1006);
    expect(run.connection).toBe('lost');
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
    tell({ type: 'lab_run', run: runInfo([done(1, { key: 'a' })], { num_done: 1, state: 'done' }) });
    expect([run.connection, run.isOver]).toEqual(['live', true]);
  });

  it('tries no more where there is no such run, nor after it was closed', () => {
    FakeSocket.last.close(4404);
    expect(run.connection).toBe('gone');
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    run.close();
    run.close();
  });

  it('tells why an act was refused', async () => {
    const answer = {
      ok: false,
      statusText: '',
      status: 422,
      json: async () => ({ code: 'x', sentence: 'Not now.' }),
    };
    const fetched = vi.fn<(path: string, init?: RequestInit) => Promise<typeof answer>>(async () => answer);
    vi.stubGlobal('fetch', fetched);
    await run.steer('pause');
    expect(fetched.mock.calls[0]?.[0]).toBe('/api/lab/runs/r%201/pause?key=k%26');
    expect(run.refused).toBe('Not now.');
    fetched.mockResolvedValueOnce({ ...answer, ok: true, status: 204 });
    expect(await run.delete()).toBe(true);
    expect(run.refused).toBe('');
  });
});
