/** The form's fields as a spec fills them; a spec that holds what the form has no field for fills none. */

import {
  ACTIVATIONS,
  BASES,
  BUDGETS,
  contestant,
  KNOTS,
  MODELS,
  OPTIMIZERS,
  VARIABLES,
  type ContestantDraft,
  type LabDraft,
  type ProblemDraft,
  type ProblemTable,
  type SweepDraft,
} from './lab-draft';
import { isTable, readToml, type TomlTable, type TomlValue } from './toml-reader';

class Unknown extends Error {}

/** The fields of a spec, or null where the form cannot show all of it. */
export function readDraft(toml: string): LabDraft | null {
  try {
    return draftOf(readToml(toml));
  } catch {
    return null;
  }
}

/** Takes values out of a table; what nobody took is not known to the form. */
class Fields {
  private readonly left: Set<string>;

  constructor(private readonly table: TomlTable) {
    this.left = new Set(Object.keys(table));
  }

  take<T>(name: string, is: (value: TomlValue) => value is T & TomlValue): T | null {
    this.left.delete(name);
    const value = this.table[name];
    if (value === undefined) return null;
    if (!is(value)) throw new Unknown(name);
    return value;
  }

  /** What was read by other means. */
  pass(name: string): void {
    this.left.delete(name);
  }

  need<T>(name: string, is: (value: TomlValue) => value is T & TomlValue): T {
    const value = this.take(name, is);
    if (value === null) throw new Unknown(name);
    return value;
  }

  end(): void {
    if (this.left.size > 0) throw new Unknown([...this.left].join());
  }
}

const isText = (value: TomlValue): value is string => typeof value === 'string';
const isNumber = (value: TomlValue): value is number => typeof value === 'number';
const isFlag = (value: TomlValue): value is boolean => typeof value === 'boolean';
const isNumbers = (value: TomlValue): value is number[] => Array.isArray(value) && value.every(isNumber);
const isList = (value: TomlValue): value is TomlValue[] => Array.isArray(value);
const isOneOf =
  <const Names extends readonly string[]>(names: Names) =>
  (value: TomlValue): value is Names[number] =>
    names.some((name) => name === value);

function draftOf(table: TomlTable): LabDraft {
  const fields = new Fields(table);
  const sweep = fields.take('sweep', isTable);
  const draft: LabDraft = {
    title: fields.take('title', isText) ?? '',
    question: fields.take('question', isText) ?? '',
    problems: fields.need('problems', isList).map(problem),
    seeds: fields.take('seeds', isNumbers) ?? [0, 1, 2],
    num_train: fields.take('num_train', isNumber),
    num_test: fields.take('num_test', isNumber),
    noise: fields.take('noise', isNumber),
    budget: budget(new Fields(fields.need('budget', isTable))),
    contestants: fields.need('contestants', isList).map(contestantOf),
    sweep: sweep === null ? null : sweepOf(new Fields(sweep)),
  };
  fields.end();
  return draft;
}

function problem(value: TomlValue): ProblemDraft {
  if (isText(value)) return value;
  if (!isTable(value)) throw new Unknown('problem');
  const fields = new Fields(value);
  const table: ProblemTable = {
    name: fields.need('name', isText),
    expression: fields.take('expression', isText),
    ranges: Object.entries(fields.take('ranges', isTable) ?? {}).map(([name, bounds]) => {
      const [low, high] = isNumbers(bounds) ? bounds : [];
      if (low === undefined || high === undefined) throw new Unknown(name);
      return { name, low, high };
    }),
    hidden: fields.take('hidden', isNumbers),
  };
  fields.end();
  const isPlain = table.expression === null && table.hidden === null && table.ranges.length === 0;
  return isPlain ? table.name : table;
}

function budget(fields: Fields): LabDraft['budget'] {
  const amounts = BUDGETS.map((kind) => ({ kind, amount: fields.take(kind, isNumber) }));
  const given = amounts.find(({ amount }) => amount !== null) ?? { kind: 'steps', amount: null };
  const draft = { ...given, parameters: fields.take('parameters', isNumber) };
  fields.end();
  return draft;
}

function sweepOf(fields: Fields): SweepDraft {
  const sweep = {
    variable: fields.need('variable', isOneOf(VARIABLES)),
    values: fields.need('values', isNumbers),
  };
  fields.end();
  return sweep;
}

function contestantOf(value: TomlValue): ContestantDraft {
  if (!isTable(value)) throw new Unknown('contestant');
  const fields = new Fields(value);
  const given = value['activation'];
  const names = given === undefined || isList(given) ? (given ?? []) : [given];
  const isActivation = isOneOf(ACTIVATIONS);
  if (!names.every(isActivation)) throw new Unknown('activation');
  fields.pass('activation');
  const draft = contestant({
    name: fields.take('name', isText) ?? '',
    model: fields.take('model', isOneOf(MODELS)) ?? 'kan',
    hidden: fields.take('hidden', isNumbers),
    basis: fields.take('basis', isText) ?? 'bspline',
    grid_size: fields.take('grid_size', isNumber),
    order: fields.take('order', isNumber),
    knots: fields.take('knots', isOneOf(KNOTS)),
    base: fields.take('base', isOneOf(BASES)),
    activation: names.length === 0 ? ['silu'] : names,
    output_tanh: fields.take('output_tanh', isFlag) ?? false,
    optimizer: fields.take('optimizer', isOneOf(OPTIMIZERS)),
    learning_rate: fields.take('learning_rate', isNumber),
    batch_size: fields.take('batch_size', isNumber),
    steps: fields.take('steps', isNumber),
  });
  fields.end();
  return draft;
}
