import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeBrowser, FakeSocket, restoreBrowser, SNAPSHOT } from '../protocol/fake-server';
import type { ExplanationInfo, ServerEvent, StatusInfo } from '../protocol/messages';
import { texts } from '../texts';
import { SessionState } from './session.svelte';

let browser: ReturnType<typeof fakeBrowser>;
let session: SessionState;

beforeEach(() => {
  browser = fakeBrowser();
  session = new SessionState('one', 'a key');
});

afterEach(() => {
  session.close();
  restoreBrowser();
});

const EDGE = { layer: 0, source: 1, target: 0 };
let seq = SNAPSHOT.seq;
const numbered = { epoch: 0, request_id: null };
const deliver = (event: ServerEvent): void => FakeSocket.last.deliver(event);

function showImportances(...importance: number[]): void {
  const [first, second] = importance;
  FakeSocket.last.deliverFrame(1, { edges: 2, importance: first ?? 0 });
  browser.paint();
  session.frame?.importance.set([first ?? 0, second ?? 0]);
  const frame = session.frame;
  session.frame = frame === null ? null : { ...frame };
}

describe('SessionState', () => {
  beforeEach(() => {
    seq = SNAPSHOT.seq;
  });

  it('carries its key to the server and shows what the snapshot says', () => {
    expect(FakeSocket.last.url).toBe('ws://here/ws/sessions/one?key=a%20key');
    expect(session.connection).toBe('connecting');
    FakeSocket.last.accept();
    expect(session.connection).toBe('live');
    expect(session.structure?.network.widths).toEqual([2, 1]);
    expect(session.losses).toEqual(SNAPSHOT.losses);
    expect(session.canAct).toBe(true);
    expect(session.whyNot).toBeNull();
  });

  it('cannot act while it only watches or is offline, and says why', () => {
    FakeSocket.last.accept({ can_edit: false });
    expect([session.canAct, session.whyNot]).toEqual([false, texts.share.readOnly]);
    FakeSocket.last.accept();
    FakeSocket.last.close(1006);
    expect([session.canAct, session.whyNot]).toEqual([false, texts.connection.offline]);
    expect(session.structure).not.toBeNull();
  });

  it('previews which edges a threshold would take', () => {
    FakeSocket.last.accept();
    showImportances(0.01, 0.5);
    expect(session.weakEdges).toEqual([]);
    session.weakThreshold = 0.03;
    expect(session.weakEdges.map((edge) => edge.source)).toEqual([0]);
    session.weakThreshold = 0.9;
    expect(session.weakEdges.map((edge) => edge.source)).toEqual([0, 1]);
  });

  it('lets an edge go that the new structure does not have', () => {
    FakeSocket.last.accept();
    session.select(EDGE);
    expect(session.selectedInfo?.kind).toBe('spline');
    const edges = SNAPSHOT.structure.edges.slice(0, 1);
    deliver({
      ...numbered,
      seq: ++seq,
      type: 'structure',
      reason: 'shape',
      fresh: false,
      structure: { ...SNAPSHOT.structure, revision: 2, edges },
    });
    expect(session.selectedEdge).toBeNull();
  });

  it('forgets losses and threshold with a fresh network', () => {
    FakeSocket.last.accept();
    session.weakThreshold = 0.1;
    deliver({
      ...numbered,
      seq: ++seq,
      type: 'structure',
      reason: 'data',
      fresh: true,
      structure: { ...SNAPSHOT.structure, revision: 2 },
    });
    expect([session.losses, session.weakThreshold]).toEqual([[], null]);
  });

  it('keeps a long history of losses bounded, first and last included', () => {
    FakeSocket.last.accept({ losses: [] });
    for (let batch = 0; batch < 100; batch++) {
      const points = Array.from({ length: 100 }, (_, index) => ({
        step: 100 * batch + index,
        train: 1,
        test: 1,
        seconds: 0,
      }));
      deliver({ ...numbered, seq: ++seq, type: 'losses', points });
    }
    expect(session.losses.length).toBeLessThanOrEqual(4000);
    expect([session.losses[0]?.step, session.losses.at(-1)?.step]).toEqual([0, 9999]);
  });

  it('says what the server refuses, once', async () => {
    FakeSocket.last.accept();
    const refuse = async (requestId: number): Promise<string | null> => {
      const refused = session.act({ type: 'undo' });
      deliver({
        ...numbered,
        seq,
        request_id: requestId,
        type: 'error',
        code: 'empty',
        sentence: 'Nothing to undo.',
      });
      return refused;
    };
    expect([await refuse(1), await refuse(2)]).toEqual(['empty', 'empty']);
    expect(session.notices.map((notice) => notice.sentence)).toEqual(['Nothing to undo.']);
    session.dismiss(session.notices[0]?.id ?? 0);
    expect(session.notices).toEqual([]);
  });

  it('keeps only the newest notice of a kind', () => {
    FakeSocket.last.accept();
    const tell = (code: string, sentence: string): void =>
      deliver({ ...numbered, seq: ++seq, type: 'notice', level: 'info', code, sentence });
    tell('fresh_network', 'It learns a.');
    tell('sparsity_off', 'Sparsity is off.');
    tell('fresh_network', 'It learns b.');
    session.notify('info', 'Copied.');
    session.notify('info', 'Copied again.');
    const sentences = session.notices.map((notice) => notice.sentence);
    expect(sentences).toEqual(['Sparsity is off.', 'It learns b.', 'Copied.', 'Copied again.']);
  });

  it('leaves it to the asker to ask again before a cut that severs', async () => {
    FakeSocket.last.accept();
    const refused = session.act({ type: 'prune', edges: [EDGE], allow_sever: false });
    deliver({ ...numbered, seq, request_id: 1, type: 'error', code: 'would_sever', sentence: 'It would.' });
    expect(await refused).toBe('would_sever');
    expect(session.notices).toEqual([]);
  });

  it('gives a form the sentence to show beside its field', async () => {
    FakeSocket.last.accept();
    const refused = session.attempt({ type: 'refine', grid_size: 3 });
    deliver({ ...numbered, seq, request_id: 1, type: 'error', code: 'coarser', sentence: 'Finer, please.' });
    expect(await refused).toBe('Finer, please.');
    expect(session.notices).toEqual([]);
  });

  it('warns of divergence and tells the rest', () => {
    FakeSocket.last.accept();
    const tell = (state: 'diverged' | 'converged', sentence: string): void =>
      deliver({ ...numbered, seq: ++seq, type: 'status', status: { state, step: 9, sentence } });
    tell('diverged', 'It diverged at step 9.');
    tell('converged', 'It converged.');
    expect(session.notices.map((notice) => notice.level)).toEqual(['warning', 'info']);
  });

  it('keeps what the recipe told last, and makes no notices of it', () => {
    const training = { ...SNAPSHOT.training, optimizer: 'auto' as const };
    FakeSocket.last.accept({ training });
    type State = 'running' | 'converged' | 'diverged' | 'paused';
    const tell = (state: State, sentence: string): void =>
      deliver({ ...numbered, seq: ++seq, type: 'status', status: { state, step: 9, sentence } });
    tell('running', 'Refining to 10 intervals.');
    tell('running', '');
    expect([session.recipe, session.notices]).toEqual(['Refining to 10 intervals.', []]);
    tell('converged', 'Done.');
    expect(session.recipe).toBe('Done.');
    tell('running', '');
    expect(session.recipe).toBe('');
    tell('diverged', 'It diverged.');
    expect(session.notices.map((notice) => notice.level)).toEqual(['warning']);
    deliver({ ...numbered, seq: ++seq, type: 'training', training: SNAPSHOT.training });
    expect(session.recipe).toBe('');
  });

  it('knows whether the recipe has something to do', () => {
    const training = { ...SNAPSHOT.training, optimizer: 'auto' as const };
    const status = (state: StatusInfo['state']): StatusInfo => ({ state, step: 9, sentence: '' });
    const seen = (['running', 'paused', 'converged'] as const).map((state) => {
      FakeSocket.last.accept({ training, status: status(state) });
      return session.isRecipeAtWork;
    });
    expect(seen).toEqual([true, true, false]);
    FakeSocket.last.accept({ status: status('running') });
    expect(session.isRecipeAtWork).toBe(false);
  });

  it('drops what it knew of an edge when another is chosen', () => {
    FakeSocket.last.accept();
    session.select(EDGE);
    deliver({
      ...numbered,
      seq,
      type: 'candidates',
      edge: EDGE,
      revision: 1,
      step: 3,
      x: [],
      y: [],
      candidates: [],
    });
    expect(session.candidates).not.toBeNull();
    session.select({ ...EDGE, source: 0 });
    expect(session.candidates).toBeNull();
    deliver({
      ...numbered,
      seq,
      type: 'candidates',
      edge: EDGE,
      revision: 1,
      step: 3,
      x: [],
      y: [],
      candidates: [],
    });
    expect(session.candidates).toBeNull();
  });

  it('knows that formulas are of an older step once training has gone on', () => {
    FakeSocket.last.accept({ status: { state: 'running', step: 120, sentence: '' } });
    session.select(EDGE);
    const find = (step: number): void =>
      deliver({
        ...numbered,
        seq,
        type: 'candidates',
        edge: EDGE,
        revision: 1,
        step,
        x: [],
        y: [],
        candidates: [],
      });
    const train = (step: number): void =>
      deliver({ ...numbered, seq, type: 'status', status: { state: 'running', step, sentence: '' } });
    expect(session.outdatedStep).toBeNull();
    find(120);
    expect(session.outdatedStep).toBeNull();
    train(480);
    expect(session.outdatedStep).toBe(120);
    find(480);
    expect(session.outdatedStep).toBeNull();
    train(481);
    session.select(null);
    expect(session.outdatedStep).toBeNull();
  });

  it('follows a search for laws from the snapshot on, and forgets it with its network', () => {
    const explanation: ExplanationInfo = {
      kind: 'explain',
      state: 'running',
      sentence: 'Looking for laws.',
      samples: '',
      step: 3,
      progress: 0.5,
      num_tried: 4,
      laws: [],
      findings: [],
      activities: [],
      best: null,
      elapsed: 0,
      seconds: null,
      trains_after: true,
    };
    FakeSocket.last.accept({ explanation });
    expect(session.explanation).toEqual(explanation);
    const status: StatusInfo = { state: 'paused', step: 3, sentence: 'Training rests.' };
    deliver({ ...numbered, seq: ++seq, type: 'status', status });
    expect(session.notices.map((notice) => notice.sentence)).toEqual(['Training rests.']);
    deliver({ ...numbered, seq: ++seq, type: 'explanation', explanation: { ...explanation, state: 'done' } });
    expect(session.explanation?.state).toBe('done');
    expect(session.notices).toEqual([]);
    deliver({ ...numbered, seq: ++seq, type: 'explanation', explanation: null });
    expect(session.explanation).toBeNull();
    // a discovery leaves training alone, and what is said of it as it is
    const discovery: ExplanationInfo = { ...explanation, kind: 'discover', seconds: 30, trains_after: false };
    deliver({ ...numbered, seq: ++seq, type: 'explanation', explanation: discovery });
    const diverged: StatusInfo = { state: 'diverged', step: 4, sentence: 'The loss is not finite.' };
    deliver({ ...numbered, seq: ++seq, type: 'status', status: diverged });
    expect(session.notices.map((notice) => notice.level)).toEqual(['warning']);
    deliver({ ...numbered, seq: ++seq, type: 'explanation', explanation: { ...discovery, state: 'done' } });
    expect(session.notices.map((notice) => notice.sentence)).toEqual(['The loss is not finite.']);
  });
});
