/** What the page knows of one session, and what it can ask of it. */

import { getContext, setContext } from 'svelte';
import type { Frame } from '../protocol/frame';
import type {
  Candidate,
  CandidatesEvent,
  CutMeasuredEvent,
  DataInfo,
  EdgeInfo,
  EdgeRef,
  ExplanationInfo,
  Formula,
  HistoryInfo,
  InspectionEvent,
  LossPoint,
  OwnFunction,
  ServerEvent,
  StatusInfo,
  Structure,
  TrainingChange,
  TrainingSettings,
} from '../protocol/messages';
import { RefusedError, RunSocket, type Asked, type Connection } from '../protocol/run-socket';
import { texts } from '../texts';

export interface Notice {
  id: number;
  level: 'info' | 'warning' | 'error';
  sentence: string;
  /** what it is about: a newer notice of the same code takes the place of the older */
  code: string | null;
}

const UNCHANGED: TrainingChange = {
  optimizer: null,
  learning_rate: null,
  l1: null,
  entropy: null,
  batch_size: null,
  steps_per_second: null,
};

const MAX_LOSSES = 4000;
const MAX_NOTICES = 4;
/** what a notice is about that training rests while laws are searched for */
const RESTS = 'training_rests';

/** Whether training rests for a search for laws. */
const makesTrainingRest = (explanation: ExplanationInfo | null): boolean =>
  explanation?.state === 'running' && explanation.kind === 'explain';

/** An edge's name in messages and on screen. */
export const edgeName = (edge: EdgeRef): string => `${edge.layer}.${edge.source}.${edge.target}`;

export const sameEdge = (left: EdgeRef | null, right: EdgeRef | null): boolean =>
  left !== null && right !== null && edgeName(left) === edgeName(right);

export class SessionState {
  frame = $state.raw<Frame | null>(null);
  /** x of every source node's points, from the newest frame that brought them */
  grids = $state.raw<Float32Array | null>(null);
  structure = $state.raw<Structure | null>(null);
  data = $state.raw<DataInfo | null>(null);
  training = $state.raw<TrainingSettings | null>(null);
  status = $state.raw<StatusInfo>({ state: 'paused', step: 0, sentence: '' });
  history = $state.raw<HistoryInfo>({ undo: null, redo: null });
  formula = $state.raw<Formula | null>(null);
  losses = $state.raw<LossPoint[]>([]);
  /** the functions that people added to those that curves are compared with */
  functions = $state.raw<OwnFunction[]>([]);
  /** the search for laws, running or over */
  explanation = $state.raw<ExplanationInfo | null>(null);
  /** what the recipe of the optimizer "auto" last told */
  recipe = $state('');
  viewers = $state(1);
  connection = $state<Connection>('connecting');
  retryAt = $state<number | null>(null);
  canEdit = $state(false);
  notices = $state.raw<Notice[]>([]);
  /** what was last done to the network, for who does not see it */
  lastChange = $state('');

  selectedEdge = $state.raw<EdgeRef | null>(null);
  weakThreshold = $state<number | null>(null);
  inspection = $state.raw<InspectionEvent | null>(null);
  candidates = $state.raw<CandidatesEvent | null>(null);
  overlay = $state.raw<Candidate | null>(null);
  cutMeasured = $state.raw<CutMeasuredEvent | null>(null);

  /** whether a cut at the present threshold would take each edge, in the order of frames */
  readonly isWeak: boolean[] = $derived.by(() => {
    const { weakThreshold, frame, structure } = this;
    if (weakThreshold === null || frame === null || structure === null) return [];
    if (frame.numEdges !== structure.edges.length) return [];
    return structure.edges.map(
      (edge, index) => edge.kind !== 'pruned' && (frame.importance[index] ?? 0) < weakThreshold,
    );
  });
  readonly weakEdges: EdgeInfo[] = $derived(
    this.structure?.edges.filter((_, index) => this.isWeak[index] === true) ?? [],
  );

  readonly selectedIndex: number = $derived(
    this.structure?.edges.findIndex((edge) => sameEdge(edge, this.selectedEdge)) ?? -1,
  );
  readonly selectedInfo: EdgeInfo | null = $derived(this.structure?.edges[this.selectedIndex] ?? null);

  /** the step whose curve the formulas in sight were fitted to, once training has gone on from it */
  readonly outdatedStep: number | null = $derived(
    this.candidates === null || this.candidates.step === this.status.step ? null : this.candidates.step,
  );

  /** whether acts are possible now, and if not, why */
  readonly canAct: boolean = $derived(this.canEdit && this.connection === 'live');
  readonly whyNot: string | null = $derived(
    this.canAct ? null : this.connection === 'live' ? texts.share.readOnly : texts.connection.offline,
  );

  /** whether the recipe of "auto" has still something to do, which includes choosing the grid */
  readonly isRecipeAtWork: boolean = $derived(
    this.training?.optimizer === 'auto' && this.status.state !== 'converged',
  );

  /** hears of every picture that comes with the structure that it shows */
  onPicture: ((frame: Frame, structure: Structure) => void) | null = null;

  private readonly socket: RunSocket;
  private lastNotice = 0;
  private readonly arrivals: (() => void)[] = [];

  constructor(
    readonly sessionId: string,
    readonly editKey: string | null,
  ) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const key = editKey === null ? '' : `?key=${encodeURIComponent(editKey)}`;
    this.socket = new RunSocket(`${scheme}://${location.host}/ws/sessions/${sessionId}${key}`, {
      onFrame: (frame) => this.show(frame),
      onEvent: (event) => this.apply(event),
      onConnection: (connection, retryAt) => {
        this.connection = connection;
        this.retryAt = retryAt;
      },
    });
    addEventListener('online', this.probe);
    document.addEventListener('visibilitychange', this.probe);
  }

  /** Carries out an act; a refusal becomes a notice and resolves to its code. */
  async act(command: Asked): Promise<string | null> {
    try {
      await this.socket.ask(command);
      return null;
    } catch (error) {
      return this.report(error);
    }
  }

  /** Changes some training settings; null for the speed means none, and for the batch all samples. */
  retrain(fields: Partial<TrainingChange>): Promise<string | null> {
    return this.act({
      type: 'set_training',
      change: { ...UNCHANGED, ...fields },
      unlimited_speed: fields.steps_per_second === null,
      full_batch: fields.batch_size === null,
    });
  }

  /** Carries out an act that a form asked for; a refusal resolves to the sentence that the form shows. */
  async attempt(command: Asked): Promise<string | null> {
    try {
      await this.socket.ask(command);
      return null;
    } catch (error) {
      return error instanceof RefusedError ? error.message : texts.notices.offline;
    }
  }

  /** Asks for something; a refusal becomes a notice and resolves to null. */
  async query(command: Asked): Promise<ServerEvent | null> {
    try {
      return await this.socket.ask(command);
    } catch (error) {
      if (this.connection === 'live') this.report(error);
      return null;
    }
  }

  /** Resolves once the page knows the session; never when there is none. */
  arrived(): Promise<void> {
    if (this.structure !== null) return Promise.resolve();
    return new Promise((resolve) => this.arrivals.push(resolve));
  }

  select(edge: EdgeRef | null): void {
    if (sameEdge(edge, this.selectedEdge)) return;
    this.selectedEdge = edge;
    this.inspection = null;
    this.candidates = null;
    this.overlay = null;
    this.cutMeasured = null;
  }

  notify(level: Notice['level'], sentence: string, code: string | null = null): void {
    const notice = { id: ++this.lastNotice, level, sentence, code };
    const others = this.notices.filter(
      (other) => other.sentence !== sentence && (code === null || other.code !== code),
    );
    this.notices = [...others, notice].slice(-MAX_NOTICES);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  retry(): void {
    this.socket.retry();
  }

  close(): void {
    removeEventListener('online', this.probe);
    document.removeEventListener('visibilitychange', this.probe);
    this.socket.close();
  }

  /** a page that comes back from sleep or to a network asks whether its connection lives */
  private readonly probe = (): void => {
    if (!document.hidden) this.socket.probe();
  };

  private report(error: unknown): string {
    if (error instanceof RefusedError) {
      // whoever cuts is asked in place
      if (error.code !== 'would_sever') this.notify('error', error.message);
      return error.code;
    }
    this.notify('error', texts.notices.offline);
    return 'offline';
  }

  private show(frame: Frame): void {
    if (frame.grids !== null) this.grids = frame.grids;
    this.frame = frame;
    if (this.structure?.revision === frame.revision) this.onPicture?.(frame, this.structure);
    if (frame.step !== this.status.step) this.status = { ...this.status, step: frame.step };
  }

  private apply(event: ServerEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.structure = event.structure;
        this.data = event.data;
        this.training = event.training;
        this.status = event.status;
        this.history = event.history;
        this.formula = event.formula;
        this.losses = event.losses;
        this.functions = event.functions;
        this.explanation = event.explanation;
        this.recipe =
          event.training.optimizer === 'auto' && !makesTrainingRest(event.explanation)
            ? event.status.sentence
            : '';
        this.viewers = event.viewers;
        this.canEdit = event.can_edit;
        this.keepSelection(event.structure);
        for (const arrive of this.arrivals.splice(0)) arrive();
        return;
      case 'structure':
        if (event.fresh) {
          this.losses = [];
          this.recipe = '';
          this.select(null);
          this.weakThreshold = null;
        } else if (event.structure.revision !== this.structure?.revision) {
          this.cutMeasured = null;
          this.candidates = null;
          this.overlay = null;
        }
        this.structure = event.structure;
        if (event.reason !== '') this.lastChange = event.reason;
        this.keepSelection(event.structure);
        return;
      case 'training':
        if (event.training.optimizer !== this.training?.optimizer) this.recipe = '';
        this.training = event.training;
        return;
      case 'data':
        this.data = event.data;
        return;
      case 'status':
        this.follow(event.status);
        return;
      case 'history':
        this.history = event.history;
        return;
      case 'formula':
        this.formula = event.formula;
        return;
      case 'functions':
        this.functions = event.functions;
        return;
      case 'explanation':
        this.explanation = event.explanation;
        if (!makesTrainingRest(event.explanation))
          this.notices = this.notices.filter(({ code }) => code !== RESTS);
        return;
      case 'losses':
        this.losses = thinned([...this.losses, ...event.points]);
        return;
      case 'viewers':
        this.viewers = event.count;
        return;
      case 'notice':
        this.notify(event.level, event.sentence, event.code);
        return;
      case 'inspection':
        if (sameEdge(event.edge, this.selectedEdge)) this.inspection = event;
        return;
      case 'candidates':
        if (sameEdge(event.edge, this.selectedEdge)) this.candidates = event;
        return;
      case 'error':
        if (event.request_id === null) this.notify('error', event.sentence);
        return;
      case 'candidate_tried':
      case 'cut_measured':
      case 'prediction':
      case 'residuals':
      case 'formula_judged':
      case 'constants_known':
      case 'simplified':
      case 'exported':
      case 'done':
        return;
      default:
        assertNever(event);
    }
  }

  /** Takes over a new status; its sentence is a notice, or what the recipe tells, which stays until it tells more. */
  private follow(status: StatusInfo): void {
    const isNewStart = status.state === 'running' && ['converged', 'diverged'].includes(this.status.state);
    this.status = status;
    if (isNewStart) this.recipe = '';
    if (status.sentence === '') return;
    if (makesTrainingRest(this.explanation)) return this.notify('info', status.sentence, RESTS);
    const isRecipe = this.training?.optimizer === 'auto';
    if (isRecipe) this.recipe = status.sentence;
    if (status.state === 'diverged') this.notify('warning', status.sentence);
    else if (!isRecipe) this.notify('info', status.sentence);
  }

  private keepSelection(structure: Structure): void {
    const selected = this.selectedEdge;
    if (selected !== null && !structure.edges.some((edge) => sameEdge(edge, selected))) this.select(null);
  }
}

/** Halves the older half of a long loss history. */
function thinned(losses: LossPoint[]): LossPoint[] {
  if (losses.length <= MAX_LOSSES) return losses;
  const middle = losses.length >> 1;
  return [...losses.slice(0, middle).filter((_, index) => index % 2 === 0), ...losses.slice(middle)];
}

function assertNever(value: never): void {
  throw new Error(`unknown event ${JSON.stringify(value)}`);
}

const KEY = Symbol('session');

export const provideSession = (session: SessionState): SessionState => setContext(KEY, session);
export const useSession = (): SessionState => getContext<SessionState>(KEY);
