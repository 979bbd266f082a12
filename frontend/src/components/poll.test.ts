import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fakeBrowser, FakeSocket, restoreBrowser } from '../protocol/fake-server';
import { SessionState } from '../state/session.svelte';
import { poll } from './poll.svelte';

let browser: ReturnType<typeof fakeBrowser>;
let session: SessionState;

beforeEach(() => {
  browser = fakeBrowser();
  session = new SessionState('one', null);
  FakeSocket.last.accept();
});

afterEach(() => {
  session.close();
  restoreBrowser();
});

function train(step: number): void {
  FakeSocket.last.deliverFrame(step);
  browser.paint();
}

it('asks at once, then once an interval in which the session moved on', async () => {
  const ask = vi.fn(() => Promise.resolve());
  const stop = poll(session, ask, 500);
  expect(ask).toHaveBeenCalledTimes(1);
  for (let step = 10; step < 20; step++) {
    train(step);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(ask).toHaveBeenCalledTimes(3);
  await vi.advanceTimersByTimeAsync(5000);
  expect(ask).toHaveBeenCalledTimes(3);
  stop();
  train(30);
  await vi.advanceTimersByTimeAsync(5000);
  expect(ask).toHaveBeenCalledTimes(3);
});

it('waits for an answer before it asks again', async () => {
  let answer = (): void => undefined;
  const ask = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
  const stop = poll(session, ask, 500);
  train(10);
  await vi.advanceTimersByTimeAsync(5000);
  expect(ask).toHaveBeenCalledTimes(1);
  answer();
  await vi.advanceTimersByTimeAsync(500);
  expect(ask).toHaveBeenCalledTimes(2);
  stop();
});
