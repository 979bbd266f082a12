/** A network as it is drawn: now, or as it was at an earlier step. */

import type { Frame } from '../protocol/frame';
import type { Structure } from '../protocol/messages';

export interface Pictured {
  readonly structure: Structure | null;
  /** the newest picture, or that of the step that is looked at */
  readonly frame: Frame | null;
  /** whether a cut at the present threshold would take each edge; empty where nothing is to be cut */
  readonly isWeak: readonly boolean[];
}
