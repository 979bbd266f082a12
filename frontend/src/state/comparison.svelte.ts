/** What the whole network makes of the formulas of one edge, asked for one at a time so that nothing else waits. */

import { SvelteMap } from 'svelte/reactivity';
import type { Candidate, CandidatesEvent, CandidateTriedEvent } from '../protocol/messages';
import type { SessionState } from './session.svelte';

export class Comparison {
  /** results by the formula's name */
  readonly tried = new SvelteMap<string, CandidateTriedEvent>();
  isBusy = $state(false);
  private event: CandidatesEvent | null = null;

  constructor(private readonly session: SessionState) {}

  /** Forgets results that belong to other formulas. */
  follow(event: CandidatesEvent | null): void {
    if (event === this.event) return;
    this.event = event;
    this.tried.clear();
    this.isBusy = false;
  }

  /** Tries those of the formulas that were not yet, in their order, until one is refused or others are looked at. */
  async run(candidates: readonly Candidate[]): Promise<void> {
    const event = this.event;
    if (event === null || this.isBusy) return;
    this.isBusy = true;
    const { edge, revision, step } = event;
    for (const { name, form } of candidates) {
      if (this.tried.has(name)) continue;
      const answer = await this.session.query({ type: 'try_candidate', edge, form, revision, step });
      if (this.event !== event) return;
      if (answer?.type !== 'candidate_tried') break;
      this.tried.set(name, answer);
    }
    this.isBusy = false;
  }
}
