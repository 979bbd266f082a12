import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refresher } from './refresher';

describe('what is asked for again and again', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for at once, then after a rest, and never left behind', async () => {
    const ask = vi.fn(async () => undefined);
    const refresher = new Refresher(ask, 1000);
    for (let wish = 0; wish < 5; wish += 1) refresher.want();
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(999);
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(ask).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(2);
    refresher.want();
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it('waits for an answer that takes longer than the rest', async () => {
    const answers: (() => void)[] = [];
    const ask = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
    const refresher = new Refresher(ask, 10);
    refresher.want();
    refresher.want();
    await vi.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(1);
    answers[0]?.();
    await vi.advanceTimersByTimeAsync(10);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is asked for without a rest when it is urgent, once', async () => {
    const answers: (() => void)[] = [];
    const ask = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
    const refresher = new Refresher(ask, 1000);
    refresher.want();
    // while an answer is waited for
    refresher.hurry();
    refresher.hurry();
    expect(ask).toHaveBeenCalledTimes(1);
    answers[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(ask).toHaveBeenCalledTimes(2);
    answers[1]?.();
    await vi.advanceTimersByTimeAsync(500);
    // during the rest
    refresher.hurry();
    expect(ask).toHaveBeenCalledTimes(3);
    answers[2]?.();
    refresher.want();
    await vi.advanceTimersByTimeAsync(999);
    expect(ask).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(ask).toHaveBeenCalledTimes(4);
  });

  it('is asked for again after a failure, until it is stopped', async () => {
    const ask = vi.fn(async () => Promise.reject(new Error('away')));
    const refresher = new Refresher(ask, 100);
    refresher.want();
    await vi.advanceTimersByTimeAsync(250);
    expect(ask).toHaveBeenCalledTimes(3);
    refresher.stop();
    refresher.stop();
    refresher.want();
    await vi.advanceTimersByTimeAsync(1000);
    expect(ask).toHaveBeenCalledTimes(3);
  });
});
