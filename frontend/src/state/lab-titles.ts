/** What people call the problems of a run. */

import type { LabRunInfo } from '../protocol/messages';

/** A problem's title; its name where none is known, as of runs from before titles were kept. */
export const titleOf = ({ titles }: Pick<LabRunInfo, 'titles'>, problem: string): string =>
  titles[problem] ?? problem;
