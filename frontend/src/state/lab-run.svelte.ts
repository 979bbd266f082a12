/** What the page knows of one run of the lab, and what it can ask of it. */

import { deleteRun, steerRun } from '../protocol/lab-rest';
import { LabSocket, type LabConnection } from '../protocol/lab-socket';
import type { LabEvent, LabPointInfo, LabRunInfo, LabRunning } from '../protocol/messages';
import { texts } from '../texts';
import { byKey, followed, nobody, noTrails, without, type Running, type Trails } from './lab-course';
import { summarise, type Cell } from './lab-summary';

export class LabRunState {
  /** all of the run but its points, as the server last told it */
  info = $state.raw<LabRunInfo | null>(null);
  points = $state.raw<LabPointInfo[]>([]);
  /** the points that are computed now, by their keys */
  running = $state.raw<Running>(nobody());
  /** the course of what is computed now, by its key */
  trails = $state.raw<Trails>(noTrails());
  connection = $state<LabConnection>('connecting');
  /** why what was asked was not done, in one sentence */
  refused = $state('');

  readonly cells: Cell[] = $derived(summarise(this.points));
  readonly isOver: boolean = $derived(this.info?.state === 'done' || this.info?.state === 'cancelled');
  readonly canSteer: boolean = $derived(this.info?.can_edit === true);

  private readonly socket: LabSocket;

  constructor(
    readonly runId: string,
    readonly editKey: string | null,
  ) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const key = editKey === null ? '' : `?key=${encodeURIComponent(editKey)}`;
    this.socket = new LabSocket(`${scheme}://${location.host}/ws/lab/${encodeURIComponent(runId)}${key}`, {
      onEvent: (event) => this.apply(event),
      onConnection: (connection) => (this.connection = connection),
    });
  }

  /** Pauses, resumes or cancels; a refusal becomes the sentence in `refused`. */
  async steer(act: 'pause' | 'resume' | 'cancel'): Promise<void> {
    await this.ask((key) => steerRun(this.runId, key, act));
  }

  /** Deletes the run with all its points; resolves to whether that was done. */
  delete(): Promise<boolean> {
    return this.ask((key) => deleteRun(this.runId, key));
  }

  close(): void {
    this.socket.close();
  }

  private async ask(act: (key: string) => Promise<unknown>): Promise<boolean> {
    this.refused = '';
    try {
      await act(this.editKey ?? '');
      return true;
    } catch (error) {
      this.refused = error instanceof Error ? error.message : texts.lab.failed(String(error));
      return false;
    }
  }

  private apply(event: LabEvent): void {
    switch (event.type) {
      case 'lab_run':
        this.info = event.run;
        this.points = event.run.points;
        this.running = nobody();
        this.trails = noTrails();
        break;
      case 'lab_point':
        this.finish(event.point);
        this.update({
          num_done: event.num_done,
          num_failed: event.num_failed,
          seconds_left: event.seconds_left,
        });
        break;
      case 'lab_progress':
        this.follow(event.running);
        break;
      case 'lab_fits':
        this.update({ fits: event.fits });
        break;
      case 'lab_state':
        this.update({ state: event.state, sentence: event.sentence });
        if (event.state !== 'running') this.follow([]);
        break;
      default:
        assertNever(event);
    }
  }

  private update(change: Partial<LabRunInfo>): void {
    if (this.info !== null) this.info = { ...this.info, ...change };
  }

  private finish(point: LabPointInfo): void {
    const index = this.points.findIndex((one) => one.key === point.key);
    if (index >= 0) this.points = this.points.with(index, point);
    this.running = without(this.running, point.key);
    this.trails = without(this.trails, point.key);
  }

  /** Notes how far the points under way are. */
  private follow(running: readonly LabRunning[]): void {
    this.running = byKey(running);
    this.trails = followed(this.trails, running);
  }
}

function assertNever(event: never): never {
  throw new Error(`unknown event ${JSON.stringify(event)}`);
}
