/** The edit keys of runs that were started in this browser, so that they are found again with the right to steer them. */

const PLACE = 'kanoscope-lab-keys';
/** the oldest are forgotten beyond it */
const MOST = 200;

type Store = Pick<Storage, 'getItem' | 'setItem'>;

/** All that is kept, as pairs of run and key; nothing where the browser keeps nothing or it is not what was written. */
function pairs(store: Store): [string, string][] {
  try {
    const kept: unknown = JSON.parse(store.getItem(PLACE) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isPair) : [];
  } catch {
    return [];
  }
}

const isPair = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');

export function rememberKey(runId: string, key: string, store: Store = localStorage): void {
  const others = pairs(store).filter(([id]) => id !== runId);
  try {
    store.setItem(PLACE, JSON.stringify([...others, [runId, key]].slice(-MOST)));
  } catch {
    // a browser that keeps nothing still has the key in the address
  }
}

export function recallKey(runId: string, store: Store = localStorage): string | null {
  return pairs(store).find(([id]) => id === runId)?.[1] ?? null;
}
