/** Networks that learn side by side on the same samples, run by one set of controls. */

import { readyProblem } from '../protocol/data-source';
import type { TrainingSettings } from '../protocol/messages';
import { createSession } from '../protocol/rest';
import type { Asked } from '../protocol/run-socket';
import { Lane } from './lane.svelte';
import { isKan, type AnyNetwork } from './networks';
import { SessionState } from './session.svelte';

export const MAX_LANES = 4;
/** steps by which lanes that were paused may be made to catch up with the one that was ahead */
const MOST_TO_CATCH_UP = 200;

/** What a new lane is to be. */
export interface LaneRequest {
  network: AnyNetwork;
  optimizer: TrainingSettings['optimizer'];
}

/** Who may do what with a session: its id, and the key to edit it where one has it. */
export interface Key {
  id: string;
  key: string | null;
}

export class Lanes {
  lanes = $state.raw<Lane[]>([]);
  /** the step that is looked at, null while the lanes are live */
  private lookedAt = $state<number | null>(null);

  readonly first: SessionState | null = $derived(this.lanes[0]?.session ?? null);
  readonly canAct: boolean = $derived(
    this.lanes.length > 0 && this.lanes.every(({ session }) => session.canAct),
  );
  readonly isRunning: boolean = $derived(
    this.lanes.some(({ session }) => session.connection === 'live' && session.status.state === 'running'),
  );
  readonly lastStep: number = $derived(Math.max(0, ...this.lanes.map(({ session }) => session.status.step)));
  /** the first step of which every lane has kept a picture */
  readonly firstStep: number = $derived(Math.max(0, ...this.lanes.map(({ firstStep }) => firstStep ?? 0)));
  readonly isFull: boolean = $derived(this.lanes.length >= MAX_LANES);
  readonly step: number | null = $derived(this.lookedAt);
  /** whether all learn the same samples */
  readonly sharesData: boolean = $derived(
    this.agree(({ data }) => data && JSON.stringify([data.source, data.seed])),
  );
  readonly sharesSeed: boolean = $derived(this.agree(({ structure }) => structure?.seed));
  /** KANs that are trained with a penalty beside networks without one */
  readonly penalised: Lane[] = $derived(
    this.lanes.filter(({ session: { structure, training } }) => {
      const isPenalised = training !== null && training.l1 + training.entropy > 0;
      return structure !== null && isKan(structure.network) && isPenalised;
    }),
  );

  constructor(keys: readonly Key[]) {
    this.lanes = keys
      .slice(0, MAX_LANES)
      .map(({ id, key }, colour) => this.open(new SessionState(id, key), colour));
  }

  /** Carries out a command in all lanes. */
  async act(command: Asked): Promise<void> {
    await Promise.all(this.lanes.map(({ session }) => session.act(command)));
  }

  async run(): Promise<void> {
    this.look(null);
    await this.act({ type: 'run' });
  }

  /** Stops all lanes at the same step: those that lie behind by a little do the steps that they lack. */
  async pause(): Promise<void> {
    await this.act({ type: 'pause' });
    const last = this.lastStep;
    await Promise.all(
      this.lanes.map(async ({ session }) => {
        const behind = last - session.status.step;
        if (session.status.state !== 'paused' || behind <= 0 || behind > MOST_TO_CATCH_UP) return;
        await session.act({ type: 'step', count: behind });
      }),
    );
  }

  async stepOnce(): Promise<void> {
    this.look(null);
    await this.act({ type: 'step', count: 1 });
  }

  async reset(newSeed: boolean): Promise<void> {
    await this.begin({ type: 'reset', new_seed: newSeed });
  }

  /** Lets all lanes learn a ready problem from the beginning. */
  async learn(name: string): Promise<void> {
    await this.begin({ type: 'set_data', source: readyProblem(name), hidden: null });
  }

  /**
   * Lets all lanes begin anew, and all of them run or none: one that had converged would go on by itself, one that was
   * paused would not.
   */
  private async begin(command: Asked): Promise<void> {
    const states = this.lanes.map(({ session }) => session.status.state);
    const goesOn = states.includes('running') || !states.includes('paused');
    const others = this.lanes.filter((_, index) =>
      goesOn ? states[index] === 'paused' : states[index] === 'converged' || states[index] === 'diverged',
    );
    const tellOthers = (type: 'run' | 'pause'): Promise<unknown> =>
      Promise.all(others.map(({ session }) => session.act({ type })));
    this.look(null);
    for (const lane of this.lanes) lane.forget();
    if (!goesOn && others.length > 0) await tellOthers('pause');
    await this.act(command);
    if (goesOn) await tellOthers('run');
  }

  /** Shows all lanes as they were at this step; null shows them live. */
  look(step: number | null): void {
    this.lookedAt = step;
    for (const lane of this.lanes) lane.look(step);
  }

  /**
   * Adds a network that learns what the first learns, and starts all of them again; a refusal changes nothing and
   * resolves to its sentence.
   */
  async add({ network, optimizer }: LaneRequest): Promise<string | null> {
    const { first } = this;
    if (first?.data == null || first.training === null || first.structure === null) return '';
    let added: SessionState;
    try {
      const created = await createSession({
        data: first.data.source,
        data_seed: first.data.seed,
        seed: first.structure.seed,
        network,
        training: { ...first.training, optimizer, grids: null },
        paused: true,
      });
      added = new SessionState(created.session_id, created.edit_key);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    await added.arrived();
    await this.act({ type: 'pause' });
    await this.reset(false);
    this.lanes = [...this.lanes, this.open(added, this.freeColour())];
    // what came while there was one lane less
    for (const lane of this.lanes) lane.keepNow();
    await this.run();
    return null;
  }

  /** Leaves a lane; its session goes on by itself until nobody watches it. */
  remove(lane: Lane): void {
    this.lanes = this.lanes.filter((other) => other !== lane);
    lane.leave();
    lane.session.close();
  }

  close(): void {
    for (const lane of this.lanes) {
      lane.leave();
      lane.session.close();
    }
  }

  private open(session: SessionState, colour: number): Lane {
    return new Lane(session, colour, () => this.lanes.length > 1);
  }

  /** The first colour that no lane has. */
  private freeColour(): number {
    const taken = this.lanes.map(({ colour }) => colour);
    let colour = 0;
    while (taken.includes(colour)) colour++;
    return colour;
  }

  /** The sessions as an address names them. */
  get keys(): Key[] {
    return this.lanes.map(({ session }) => ({ id: session.sessionId, key: session.editKey }));
  }

  private agree(told: (session: SessionState) => unknown): boolean {
    const all = this.lanes.map(({ session }) => told(session)).filter((one) => one != null);
    return all.every((one) => one === all[0]);
  }
}
