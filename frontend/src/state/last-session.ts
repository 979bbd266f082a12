/** The session that this window showed last, for the way back from the lab. */

const PLACE = 'kanoscope-last-session';

export function rememberSession(address: string): void {
  try {
    sessionStorage.setItem(PLACE, address);
  } catch {
    // a browser that keeps nothing leads back to a fresh session
  }
}

/** Its address within this server, of a fresh one when there was none. */
export function recallSession(): string {
  try {
    const kept = sessionStorage.getItem(PLACE) ?? '';
    return /^\/s\/[\w-]+(#edit=[\w-]+)?$/.test(kept) ? kept : '/';
  } catch {
    return '/';
  }
}
