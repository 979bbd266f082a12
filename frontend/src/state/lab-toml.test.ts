import { describe, expect, it } from 'vitest';
import { contestant, firstRace, firstSweep, type LabDraft } from './lab-draft';
import { readDraft } from './lab-draft-reader';
import { tomlKey, tomlString, writeToml } from './lab-toml';
import { readToml } from './toml-reader';

const ODD = 'say "B\\spline"\n\ttab \u0000 \u007f é 漢 🙂 # not a comment';

const EVERYTHING: LabDraft = {
  title: ODD,
  question: 'Which one?',
  problems: [
    'exp_sin',
    {
      name: ODD,
      expression: 'sin(a b) + "x"',
      ranges: [
        { name: 'x', low: -1, high: 1 },
        { name: 'x 1', low: 0.5, high: 1e-7 },
      ],
      hidden: [],
    },
    { name: 'j0', expression: null, ranges: [], hidden: [2, 1] },
  ],
  seeds: [0, 7],
  num_train: null,
  num_test: 200,
  noise: 0.1,
  budget: { kind: 'seconds', amount: 5, parameters: 200 },
  contestants: [
    contestant({
      name: 'all of a KAN',
      hidden: [5, 2],
      basis: 'jacobi',
      grid_size: 7,
      order: 2,
      knots: 'adaptive',
      base: 'none',
      optimizer: 'adam',
      learning_rate: 0.01,
      batch_size: 64,
      steps: 30,
    }),
    contestant({
      name: 'all of an MLP',
      model: 'mlp',
      activation: ['relu', 'leaky_relu'],
      output_tanh: true,
    }),
  ],
  sweep: { variable: 'samples', values: [10, 100] },
};

describe('a spec as TOML', () => {
  it('is written as people would write it', () => {
    expect(writeToml({ ...firstSweep(), title: 'Splines' })).toBe(
      [
        'title = "Splines"',
        'problems = ["exp_sin"]',
        'seeds = [0, 1]',
        'num_train = 3000',
        'num_test = 1000',
        '',
        '[budget]',
        'steps = 200',
        '',
        '[[contestants]]',
        'name = "B-splines"',
        'model = "kan"',
        'hidden = [1]',
        'basis = "bspline"',
        'optimizer = "auto"',
        '',
        '[sweep]',
        'variable = "grid_size"',
        'values = [5, 10, 20, 50]',
        '',
      ].join('\n'),
    );
  });

  it('keeps the settings of the other model to itself', () => {
    const [kan] = firstRace().contestants;
    const turned = { ...firstRace(), contestants: [{ ...contestant({}), ...kan, model: 'mlp' as const }] };
    expect(writeToml(turned)).toContain('model = "mlp"\nactivation = "silu"\noptimizer = "lm"');
    expect(writeToml(turned)).not.toContain('basis');
  });

  it('comes back as the same fields, whatever they hold', () => {
    for (const draft of [EVERYTHING, firstRace(), firstSweep()]) {
      expect(readDraft(writeToml(draft))).toEqual(draft);
    }
  });

  it('leaves out what was left empty', () => {
    const emptied = writeToml({
      ...firstRace(),
      num_train: null,
      budget: { kind: 'steps', amount: null, parameters: null },
    });
    expect(emptied).not.toContain('num_train');
    expect(emptied).not.toContain('steps');
  });

  it('escapes names and makes keys of any word', () => {
    expect(tomlString('a"b\\c\n\u0001')).toBe('"a\\"b\\\\c\\n\\u0001"');
    expect(tomlString('\ud800x')).toBe('"\ufffdx"');
    expect([tomlKey('x_1'), tomlKey('x 1'), tomlKey(''), tomlKey('ü')]).toEqual([
      'x_1',
      '"x 1"',
      '""',
      '"ü"',
    ]);
  });
});

describe('a spec that somebody else wrote', () => {
  it('fills the form though it is laid out otherwise', () => {
    const draft = readDraft(
      `
      title = 'Mine' # with a comment
      problems = [
        "j0", # two of them
        "product",
      ]
      num_train = 1_000
      [budget]
      seconds = 2.5
      [[contestants]]
      name = "A"
      [[contestants]]
      name = "B \\u00e9"
      model = "mlp"
      activation = ["relu"]
      [[problems_of_nobody]]
    `.replace('[[problems_of_nobody]]', ''),
    );
    expect(draft?.problems).toEqual(['j0', 'product']);
    expect(draft?.num_train).toBe(1000);
    expect(draft?.budget).toEqual({ kind: 'seconds', amount: 2.5, parameters: null });
    expect(draft?.contestants.map((one) => [one.name, one.model, one.activation])).toEqual([
      ['A', 'kan', ['silu']],
      ['B é', 'mlp', ['relu']],
    ]);
  });

  it('fills nothing where the form has no field for all of it', () => {
    const good = writeToml(firstRace());
    expect(readDraft(good)).not.toBeNull();
    for (const bad of ['budget = 1', 'colour = "red"', 'seeds = ["a"]', '= 1', 'x = 1 y = 2', '[budget']) {
      expect(readDraft(`${bad}\n${good.replace(/^seeds.*$/m, '')}`)).toBeNull();
    }
  });

  it('does not mistake words of the language for settings', () => {
    const table = readToml('__proto__ = 1\n[constructor]\nx = 2\n"a.b" = { c.d = "e" }');
    expect(Object.keys(table)).toEqual(['__proto__', 'constructor']);
    expect(table['__proto__']).toBe(1);
    expect(JSON.stringify(table['constructor'])).toBe('{"x":2,"a.b":{"c":{"d":"e"}}}');
    expect(() => readToml('a = 1\na = 2')).toThrow('line 2');
  });
});
