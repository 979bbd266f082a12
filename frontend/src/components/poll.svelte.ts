/** Asks again and again while a panel is open: at once, then at a bounded rate while the session trains. */

import type { SessionState } from '../state/session.svelte';

const INTERVAL = 1000;

/** Calls `ask` now and after every interval in which the session moved on; returns how to stop. */
export function poll(session: SessionState, ask: () => Promise<unknown>, interval = INTERVAL): () => void {
  let stopped = false;
  let busy = false;
  let seen = '';
  async function tick(): Promise<void> {
    const state = `${session.status.step} ${session.structure?.revision} ${session.connection}`;
    if (busy || stopped || state === seen || session.connection !== 'live') return;
    busy = true;
    seen = state;
    await ask();
    busy = false;
  }
  void tick();
  const timer = setInterval(() => void tick(), interval);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
