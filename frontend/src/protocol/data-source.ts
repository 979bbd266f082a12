import type { SetData } from './messages';

/** Where a session's samples come from. */
export type DataSource = SetData['source'];
