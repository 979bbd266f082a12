/** What stands in the fields of the lab's form: a spec as people write it, settings that are left out null. */

import { texts } from '../texts';

export const MODELS = ['kan', 'mlp'] as const;
export const ACTIVATIONS = ['relu', 'leaky_relu', 'gelu', 'silu', 'tanh', 'sigmoid'] as const;
export const BASES = ['silu', 'identity', 'none'] as const;
export const KNOTS = ['uniform', 'adaptive'] as const;
export const OPTIMIZERS = ['lm', 'lbfgs', 'adam', 'auto'] as const;
export const VARIABLES = ['grid_size', 'width', 'depth', 'samples'] as const;
export const BUDGETS = ['steps', 'seconds'] as const;

export type Model = (typeof MODELS)[number];
export type Activation = (typeof ACTIVATIONS)[number];
export type Variable = (typeof VARIABLES)[number];

export interface ProblemTable {
  name: string;
  /** null for a ready problem that is given other widths */
  expression: string | null;
  ranges: { name: string; low: number; high: number }[];
  hidden: number[] | null;
}

/** A ready problem's name, or a formula of one's own. */
export type ProblemDraft = string | ProblemTable;

export const problemName = (problem: ProblemDraft): string =>
  typeof problem === 'string' ? problem : problem.name;

export interface ContestantDraft {
  name: string;
  model: Model;
  hidden: number[] | null;
  /** of a KAN */
  basis: string;
  grid_size: number | null;
  order: number | null;
  knots: (typeof KNOTS)[number] | null;
  base: (typeof BASES)[number] | null;
  /** of an MLP: one for all hidden layers, or one for each */
  activation: Activation[];
  output_tanh: boolean;
  optimizer: (typeof OPTIMIZERS)[number] | null;
  learning_rate: number | null;
  batch_size: number | null;
  /** in place of the budget's */
  steps: number | null;
}

export interface SweepDraft {
  variable: Variable;
  values: number[];
}

export interface LabDraft {
  title: string;
  question: string;
  problems: ProblemDraft[];
  seeds: number[];
  num_train: number | null;
  num_test: number | null;
  noise: number | null;
  budget: { kind: (typeof BUDGETS)[number]; amount: number | null; parameters: number | null };
  contestants: ContestantDraft[];
  /** its presence makes a scaling sweep of a race */
  sweep: SweepDraft | null;
}

const PLAIN: ContestantDraft = {
  name: '',
  model: 'kan',
  hidden: null,
  basis: 'bspline',
  grid_size: null,
  order: null,
  knots: null,
  base: null,
  activation: ['silu'],
  output_tanh: false,
  optimizer: null,
  learning_rate: null,
  batch_size: null,
  steps: null,
};

/** A contestant whose other settings are left to the lab. */
export const contestant = (settings: Partial<ContestantDraft>): ContestantDraft => ({
  ...PLAIN,
  activation: [...PLAIN.activation],
  ...settings,
});

/** A small race to begin with. */
export function firstRace(): LabDraft {
  return {
    title: texts.lab.form.firstRace,
    question: '',
    problems: ['exp_sin'],
    seeds: [0, 1, 2],
    num_train: 1000,
    num_test: 1000,
    noise: null,
    budget: { kind: 'steps', amount: 60, parameters: null },
    contestants: [
      contestant({ name: 'B-splines', basis: 'bspline', optimizer: 'lm' }),
      contestant({ name: 'Chebyshev polynomials', basis: 'chebyshev', optimizer: 'lm' }),
      contestant({ name: 'MLP SiLU', model: 'mlp', hidden: [16, 16], optimizer: 'lm' }),
    ],
    sweep: null,
  };
}

/** Values of what grows to begin with. */
export const FIRST_VALUES: Record<Variable, readonly number[]> = {
  grid_size: [5, 10, 20, 50],
  width: [2, 5, 10, 20],
  depth: [1, 2, 3, 4],
  samples: [100, 300, 1000, 3000],
};

/** A small sweep to begin with: the error of splines over their grid. */
export function firstSweep(): LabDraft {
  return {
    ...firstRace(),
    title: texts.lab.form.firstSweep,
    seeds: [0, 1],
    num_train: 3000,
    num_test: 1000,
    contestants: [contestant({ name: 'B-splines', hidden: [1], optimizer: 'auto' })],
    budget: { kind: 'steps', amount: 200, parameters: null },
    sweep: { variable: 'grid_size', values: [...FIRST_VALUES.grid_size] },
  };
}

/** A name that no other of the contestants has. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  let number = 2;
  while (taken.includes(`${wanted} ${number}`)) number += 1;
  return `${wanted} ${number}`;
}

/** What a contestant is called that nobody named. */
export const plainName = (
  one: Pick<ContestantDraft, 'model' | 'basis' | 'activation'>,
  familyTitle: (basis: string) => string,
): string =>
  one.model === 'kan'
    ? familyTitle(one.basis)
    : `MLP ${[...new Set(one.activation)].map((name) => texts.lab.activations[name]).join(', ')}`;

/** Numbers as people type them: with commas or spaces, and ranges such as 0–4; null when it is something else. */
export function readNumbers(typed: string): number[] | null {
  const parts = typed.split(/[\s,;]+/).filter((part) => part !== '');
  const numbers: number[] = [];
  for (const part of parts) {
    const range = /^(\d+)[-–](\d+)$/.exec(part);
    if (range !== null) {
      const [low, high] = [Number(range[1]), Number(range[2])];
      if (high < low || high - low > 999) return null;
      for (let value = low; value <= high; value += 1) numbers.push(value);
    } else {
      const value = Number(part);
      if (!Number.isFinite(value)) return null;
      numbers.push(value);
    }
  }
  return numbers;
}
