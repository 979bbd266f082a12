import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeBrowser, FakeSocket, restoreBrowser, SNAPSHOT } from '../protocol/fake-server';
import type { Candidate, CandidatesEvent } from '../protocol/messages';
import { Comparison } from './comparison.svelte';
import { SessionState } from './session.svelte';

let session: SessionState;
let comparison: Comparison;
const EDGE = { layer: 0, source: 1, target: 0 };

const candidate = (name: string): Candidate => ({
  form: { function: name, a: 1, b: 0, c: 1, d: 0 },
  name,
  mathml: '',
  text: name,
  r2: 1,
  complexity: 1,
  formula_bits: 1,
  residual_bits: 1,
  is_poor: false,
  curve: [],
});
const all = ['sin', 'x^2', 'exp'].map(candidate);
const found = (step: number): CandidatesEvent => ({
  epoch: 0,
  seq: SNAPSHOT.seq,
  request_id: 1,
  type: 'candidates',
  edge: EDGE,
  revision: 1,
  step,
  x: [],
  y: [],
  candidates: all,
});
const asked = (): Record<string, unknown>[] => FakeSocket.last.sentOf('try_candidate');

/** Answers the newest question with an error, or refuses it. */
async function answer(error: number | null): Promise<void> {
  const question = asked().at(-1);
  const requestId = Number(question?.['request_id']);
  const head = { epoch: 0, seq: SNAPSHOT.seq, request_id: requestId };
  if (error === null) FakeSocket.last.deliver({ ...head, type: 'error', code: 'busy', sentence: 'Later.' });
  else {
    FakeSocket.last.deliver({
      ...head,
      type: 'candidate_tried',
      edge: EDGE,
      form: { function: 'sin', a: 1, b: 0, c: 1, d: 0 },
      revision: 1,
      step: 3,
      train_rmse: error,
      test_rmse: error,
    });
  }
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
}

beforeEach(() => {
  fakeBrowser();
  session = new SessionState('one', 'a key');
  FakeSocket.last.accept();
  comparison = new Comparison(session);
  comparison.follow(found(3));
});

afterEach(() => {
  session.close();
  restoreBrowser();
});

describe('Comparison', () => {
  it('asks for one formula after another, on the network of one moment', async () => {
    void comparison.run(all);
    void comparison.run(all);
    expect(asked().length).toBe(1);
    expect(asked()[0]).toMatchObject({ edge: EDGE, revision: 1, step: 3, form: { function: 'sin' } });
    await answer(0.3);
    await answer(0.2);
    expect(comparison.isBusy).toBe(true);
    await answer(0.1);
    expect(comparison.isBusy).toBe(false);
    expect([...comparison.tried].map(([name, { train_rmse }]) => [name, train_rmse])).toEqual([
      ['sin', 0.3],
      ['x^2', 0.2],
      ['exp', 0.1],
    ]);
    // what is known is not asked for again
    await comparison.run(all);
    expect(asked().length).toBe(3);
  });

  it('ends with a refusal, and goes on from there when asked to', async () => {
    void comparison.run(all);
    await answer(0.3);
    await answer(null);
    expect([comparison.isBusy, comparison.tried.size]).toEqual([false, 1]);
    expect(session.notices.map((notice) => notice.sentence)).toEqual(['Later.']);
    void comparison.run(all);
    expect(asked().at(-1)).toMatchObject({ form: { function: 'x^2' } });
  });

  it('drops what belongs to other formulas', async () => {
    void comparison.run(all);
    await answer(0.3);
    comparison.follow(found(9));
    expect([comparison.isBusy, comparison.tried.size]).toEqual([false, 0]);
    await answer(0.2);
    expect([comparison.tried.size, asked().length]).toEqual([0, 2]);
    void comparison.run(all);
    expect(asked().at(-1)).toMatchObject({ step: 9, form: { function: 'sin' } });
  });
});
