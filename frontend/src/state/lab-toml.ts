/** Specs of the lab as TOML: what the form holds is written here, and nowhere else. */

import type { ContestantDraft, LabDraft, ProblemDraft } from './lab-draft';
import { effective } from './lab-effect';

const SHORT_ESCAPES: Record<string, string> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

const escaped = (letter: string): string =>
  SHORT_ESCAPES[letter] ?? `\\u${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/** A basic string: quotes, backslashes and control characters escaped, halves of surrogate pairs replaced. */
export const tomlString = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- control characters are what TOML does not take as they are
  `"${text.replace(/\p{Surrogate}/gu, '\ufffd').replace(/["\\\u0000-\u001f\u007f]/g, escaped)}"`;

/** A key, bare where it can be. */
export const tomlKey = (name: string): string => (/^[\w-]+$/.test(name) ? name : tomlString(name));

/** A number that is read back as a float. */
const tomlFloat = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

const list = (items: readonly string[]): string => `[${items.join(', ')}]`;
const whole = (values: readonly number[]): string => list(values.map(String));

/** Lines of `key = value`, without those whose value is left out. */
const lines = (pairs: readonly (readonly [string, string | null])[]): string[] =>
  pairs.flatMap(([key, value]) => (value === null ? [] : [`${key} = ${value}`]));

const optional = (value: number | null, write: (value: number) => string = String): string | null =>
  value === null ? null : write(value);

function problem(one: ProblemDraft): string[] {
  if (typeof one === 'string') return ['[[problems]]', `name = ${tomlString(one)}`];
  const ranges = one.ranges.map(
    ({ name, low, high }) => `${tomlKey(name)} = [${tomlFloat(low)}, ${tomlFloat(high)}]`,
  );
  return [
    '[[problems]]',
    ...lines([
      ['name', tomlString(one.name)],
      ['expression', one.expression === null ? null : tomlString(one.expression)],
      ['ranges', one.expression === null ? null : `{ ${ranges.join(', ')} }`],
      ['hidden', one.hidden === null ? null : whole(one.hidden)],
    ]),
  ];
}

const areNames = (all: readonly ProblemDraft[]): all is string[] =>
  all.every((one) => typeof one === 'string');

function activation(names: readonly string[]): string {
  const [only] = names;
  return names.length === 1 && only !== undefined ? tomlString(only) : list(names.map(tomlString));
}

function contestant(one: ContestantDraft): string[] {
  const isKan = one.model === 'kan';
  const kan = <T>(value: T | null): T | null => (isKan ? value : null);
  return [
    '[[contestants]]',
    ...lines([
      ['name', tomlString(one.name)],
      ['model', tomlString(one.model)],
      ['hidden', one.hidden === null ? null : whole(one.hidden)],
      ['basis', kan(tomlString(one.basis))],
      ['grid_size', kan(optional(one.grid_size))],
      ['order', kan(optional(one.order))],
      ['knots', kan(one.knots === null ? null : tomlString(one.knots))],
      ['base', kan(one.base === null ? null : tomlString(one.base))],
      ['activation', isKan ? null : activation(one.activation)],
      ['output_tanh', isKan || !one.output_tanh ? null : 'true'],
      ['optimizer', one.optimizer === null ? null : tomlString(one.optimizer)],
      ['learning_rate', optional(one.learning_rate, tomlFloat)],
      ['batch_size', optional(one.batch_size)],
      ['steps', optional(one.steps)],
    ]),
  ];
}

/** The spec that the form holds; what is left out is left to the lab. */
export function writeToml(fields: LabDraft): string {
  const draft = effective(fields);
  const { budget, problems, sweep } = draft;
  const amount = optional(budget.amount, budget.kind === 'seconds' ? tomlFloat : String);
  const blocks = [
    lines([
      ['title', tomlString(draft.title)],
      ['question', draft.question === '' ? null : tomlString(draft.question)],
      ['problems', areNames(problems) ? list(problems.map(tomlString)) : null],
      ['seeds', whole(draft.seeds)],
      ['num_train', optional(draft.num_train)],
      ['num_test', optional(draft.num_test)],
      ['noise', optional(draft.noise, tomlFloat)],
    ]),
    [
      '[budget]',
      ...lines([
        [budget.kind, amount],
        ['parameters', optional(budget.parameters)],
      ]),
    ],
    ...(areNames(problems) ? [] : problems.map(problem)),
    ...draft.contestants.map(contestant),
    ...(sweep === null
      ? []
      : [
          [
            '[sweep]',
            ...lines([
              ['variable', tomlString(sweep.variable)],
              ['values', whole(sweep.values)],
            ]),
          ],
        ]),
  ];
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}
