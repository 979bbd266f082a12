/** One of the networks that learn side by side: its session, and how it was at the steps gone by. */

import type { Frame } from '../protocol/frame';
import type { CatalogueBasis, LossPoint, Structure } from '../protocol/messages';
import { FrameTrack, type Moment } from './frame-track';
import { networkName } from './networks';
import type { Pictured } from './pictured';
import type { SessionState } from './session.svelte';

export class Lane implements Pictured {
  readonly track = new FrameTrack();
  /** the moment that is looked at, null for now */
  private past = $state.raw<Moment | null>(null);
  /** the first step of which there is a picture, null before there is any */
  firstStep = $state<number | null>(null);
  /** the edge whose words are read */
  selected = $state(-1);

  readonly isWeak: readonly boolean[] = [];
  readonly structure: Structure | null = $derived.by(() => this.past?.structure ?? this.session.structure);
  readonly frame: Frame | null = $derived.by(() => this.past?.frame ?? this.session.frame);
  /** the step of the picture, so that it and the errors beside it are of one moment */
  readonly step: number = $derived.by(() => this.frame?.step ?? this.session.status.step);
  readonly losses: LossPoint[] = $derived.by(() => this.session.losses);

  constructor(
    readonly session: SessionState,
    /** which of the colours of lanes is its own */
    readonly colour: number,
    /** whether anybody may want to look back */
    isKept: () => boolean,
  ) {
    session.onPicture = (frame, structure) => {
      if (isKept()) this.keep(frame, structure);
    };
  }

  /** The network in a few words. */
  name(families: readonly CatalogueBasis[]): string {
    return this.structure === null ? '' : networkName(this.structure.network, families);
  }

  /** Keeps the picture that there is now. */
  keepNow(): void {
    const { frame, structure } = this.session;
    if (frame !== null && structure?.revision === frame.revision) this.keep(frame, structure);
  }

  /** Shows the network as it was at this step, or as near before it as is kept; null shows it live. */
  look(step: number | null): void {
    this.past = step === null ? null : this.track.at(step);
  }

  /** Forgets what was. */
  forget(): void {
    this.track.clear();
    this.firstStep = null;
    this.past = null;
  }

  private keep(frame: Frame, structure: Structure): void {
    this.track.add(frame, structure);
    this.firstStep = this.track.firstStep;
  }

  /** Keeps no more pictures; the session goes on. */
  leave(): void {
    this.session.onPicture = null;
    this.forget();
  }
}
