/** The spec that is being written: the form's fields and its text, each of which fills the other, and what the server says to it. */

import { checkSpec } from '../protocol/lab-rest';
import type { LabCheck } from '../protocol/messages';
import { RefusedError } from '../protocol/run-socket';
import { texts } from '../texts';
import { firstRace, type LabDraft } from './lab-draft';
import { readDraft } from './lab-draft-reader';
import { writeToml } from './lab-toml';
import { WrongFields } from './wrong-fields.svelte';

const PAUSE = 250;

/** A text that was written by hand stands until the form changes what it was read into. */
interface Hand {
  text: string;
  /** what the form writes as long as nobody touches it */
  stands: string;
  /** whether the server refused it, or the form has no field for all of it */
  isWrong: boolean;
}

export class SpecState {
  draft = $state<LabDraft>(firstRace());
  /** the newest answer; while another is asked for it is that to an older text */
  check = $state.raw<LabCheck | null>(null);
  isChecking = $state(true);
  private hand = $state.raw<Hand | null>(null);

  private readonly written: string = $derived(writeToml(this.draft));
  readonly text: string = $derived(
    this.hand !== null && this.hand.stands === this.written ? this.hand.text : this.written,
  );
  /** whether the form does not show what the text says */
  readonly isLocked: boolean = $derived(
    this.hand !== null && this.hand.stands === this.written && this.hand.isWrong,
  );

  /** fields of the form whose text the draft has not taken */
  readonly wrongFields = new WrongFields();
  /** what the first of them is called, null where the form takes all or is locked, so that only the text counts */
  readonly wrongField: string | null = $derived(this.isLocked ? null : this.wrongFields.first);

  /** Fills the form with a spec of its own making. */
  fill(draft: LabDraft): void {
    this.hand = null;
    this.draft = draft;
  }

  /** Takes a text as somebody writes it; the form follows once the server finds it right. */
  write(text: string): void {
    this.hand = { text, stands: this.written, isWrong: this.isLocked };
  }

  /** Gives up a text that the form cannot follow. */
  rewrite(): void {
    this.hand = null;
  }

  /** Asks the server about a text when it has rested for a moment; returns how to give it up. */
  schedule(text: string): () => void {
    let isCurrent = true;
    this.isChecking = true;
    const timer = setTimeout(() => {
      void ask(text).then((check) => {
        if (isCurrent) this.hear(text, check);
      });
    }, PAUSE);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }

  private hear(text: string, check: LabCheck): void {
    const hand = this.hand;
    if (hand?.text === text) {
      const read = check.ok ? (readDraft(text) ?? readDraft(check.toml ?? '')) : null;
      if (read !== null) this.draft = read;
      this.hand = { text, stands: this.written, isWrong: read === null };
    }
    this.check = check;
    this.isChecking = false;
  }
}

/** What the server says; that it says nothing is an answer too. */
async function ask(text: string): Promise<LabCheck> {
  try {
    return await checkSpec(text);
  } catch (error) {
    const sentence = error instanceof RefusedError ? error.message : texts.lab.unreachable;
    return {
      ok: false,
      sentence,
      digest: null,
      title: null,
      kind: null,
      num_points: 0,
      processes: 1,
      expected_seconds: 0,
      takes: '',
      is_long: false,
      contestants: [],
      problems: [],
      seeds: [],
      variable: null,
      toml: null,
    };
  }
}
