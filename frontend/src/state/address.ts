/** The address of a page: the sessions that it shows side by side, and the keys to edit them. */

import type { Key } from './lanes.svelte';

/** The sessions that an address names; a session without a key is only watched. */
export function readAddress(path: string, hash: string): Key[] {
  const names = /^\/s\/([\w+-]+)$/.exec(path)?.[1];
  if (names === undefined) return [];
  // a + stands for itself here, and not for a space as in a query
  const keys = (/(?:^#|&)edit=([^&]*)/.exec(hash)?.[1] ?? '').split('+').map(decodeURIComponent);
  const ids = names.split('+').filter((id) => id !== '');
  return ids.map((id, index) => ({
    id,
    key: keys[index] === undefined || keys[index] === '' ? null : keys[index],
  }));
}

/** The address that shows these sessions. */
export function writeAddress(sessions: readonly Key[]): string {
  const hasKeys = sessions.some(({ key }) => key !== null);
  const keys = sessions.map(({ key }) => (key === null ? '' : encodeURIComponent(key))).join('+');
  return `/s/${sessions.map(({ id }) => id).join('+')}${hasKeys ? `#edit=${keys}` : ''}`;
}
