/** Every text a person reads, in one place; those of the lab are in a file of their own. */

import { labTexts } from './lab-texts';
import { number } from './number-text';

/** A number with a true minus, of a width that changes little. */
const signed = (value: number): string => number(value).replace('-', '−');

/** Decimals without a sign where they all are zero. */
const fixed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
};

/** An amount of memory in the unit that suits it. */
const bytes = (count: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const power = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  const size = count / 1000 ** power;
  return `${power === 0 || size >= 100 ? Math.round(size) : Number(size.toPrecision(2))} ${units[power] ?? ''}`;
};

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const superscripts = (index: number): string =>
  [...String(index)].map((digit) => (digit === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? ''))).join('');

/** A number of so many digits at most, with a true minus, and a power of ten where it has many more places. */
const brief = (value: number, digits: number): string => {
  const [mantissa = '', exponent = '0'] = value.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  const isPlain = !Number.isFinite(value) || value === 0 || (power >= -4 && power < 6);
  const text = isPlain
    ? String(Number(value.toPrecision(digits)))
    : `${Number(mantissa)}·10${superscripts(power)}`.replace(/^1·/, '');
  return text.replace('-', '−');
};

/** An error in two digits. */
const short = (value: number): string => brief(value, 2);

/** A bound of a range as it is read: four digits at most. */
const bound = (value: number): string => brief(value, 4);

/** A sum of so many weighted basis functions. */
const sum = (count: number): string => {
  const term = (index: number): string => `c${subscripts(index)}B${subscripts(index)}(x)`;
  if (count <= 2) return Array.from({ length: count }, (_, index) => term(index)).join(' + ');
  return `${term(0)} + … + ${term(count - 1)}`;
};

/** What a grid size is: a degree, a number of harmonics. */
const sizeOf = (word: string): string =>
  word === '' ? 'size' : word === 'degree' ? word : `number of ${word}`;

const delimiters = new Map([
  [',', 'commas'],
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'bars'],
]);

const subscripts = (index: number): string =>
  [...String(index)].map((digit) => String.fromCharCode(0x2080 + Number(digit))).join('');

export const texts = {
  number,
  signed,
  fixed,
  bytes,
  app: {
    title: 'Kanoscope',
    starting: 'Starting a session…',
    cannotStart: 'No session could be started.',
    goneTitle: 'This session is not here any more',
    goneText: 'The link may be old, or the session was deleted.',
    startNew: 'Start a new session',
    noCatalogue: (why: string) => `The list of ready problems could not be loaded: ${why}`,
    skip: 'Skip to the network',
    settings: 'Settings',
    details: 'Edge',
    close: 'Close',
  },
  run: {
    controls: 'Training controls',
    run: 'Run',
    pause: 'Pause',
    step: 'Step',
    reset: 'Reset',
    newSeed: 'New seed',
    undo: (what: string | null) => (what === null ? 'Undo' : `Undo: ${what}`),
    redo: (what: string | null) => (what === null ? 'Redo' : `Redo: ${what}`),
    stepCount: (step: number) => `step ${step}`,
    train: 'train',
    test: 'test',
    rmse: ' RMSE',
    ofProbabilities: ' (prob.)',
    states: { running: 'learning', paused: 'paused', diverged: 'diverged', converged: 'converged' },
    here: (count: number) => (count === 1 ? 'only you' : `${count} here`),
  },
  share: {
    share: 'Share',
    viewLink: 'Copy link to watch',
    editLink: 'Copy link to edit',
    menu: 'Share and more',
    viewNote: 'Whoever has it sees every curve live, and changes nothing.',
    editNote: 'Whoever has it can do all that you can.',
    copied: 'Link to watch copied',
    copiedEdit: 'Link to edit copied',
    byHand: (link: string) => `Copy this link by hand: ${link}`,
    readOnly: 'You are watching: ask for the edit link to take part.',
  },
  recipe: {
    name: 'Recipe',
    waiting: 'Run starts it; what it does is told here.',
    working: 'At work; what it does is told here.',
  },
  connection: {
    connecting: 'Connecting…',
    live: 'Live',
    off: 'offline',
    unknown: 'state unknown',
    offline: 'Not connected: wait for the connection or try again.',
    lost: (seconds: number) => `Connection lost. Trying again in ${seconds} s.`,
    retry: 'Try again',
  },
  data: {
    heading: 'Data',
    problem: 'Problem',
    typed: 'Formula',
    upload: 'CSV',
    expression: 'f =',
    low: 'from',
    high: 'to',
    noise: 'Noise',
    samples: 'Samples',
    use: 'Train on this',
    noVariable: 'A formula to learn needs at least one variable, such as x.',
    dropHere: 'Drop a CSV file here, or choose one',
    target: 'Target',
    inputs: 'Inputs',
    classification: 'The target is a class, 0 or 1',
    rows: (count: number, columns: number) => `${count} rows, ${columns} columns`,
    delimiter: (sign: string) => `separated by ${delimiters.get(sign) ?? sign}`,
    preview: 'First rows',
    suggested: (widths: number[]) => `Starts with the widths ${widths.join(', ')}.`,
  },
  network: {
    heading: 'Network',
    layers: 'Layers',
    columns: { nodes: 'nodes', products: 'multiply' },
    inputs: 'inputs',
    hiddenLayer: (layer: number) => `hidden ${layer}`,
    outputs: 'outputs',
    nodes: (layer: number) => `Nodes in hidden layer ${layer}`,
    products: (layer: number) => `How many multiply in hidden layer ${layer}`,
    outputProducts: 'How many outputs multiply',
    productsNote: 'A node that multiplies, Π, has two sums as its factors.',
    add: 'Add a layer',
    remove: 'Remove the last layer',
    family: 'Family of basis functions',
    size: (word: string) => (word === '' ? 'Grid size' : capitalised(word)),
    order: 'Order',
    knots: 'Knots',
    knotChoices: { uniform: 'even', adaptive: 'where data are' },
    alpha: 'α',
    beta: 'β',
    base: 'Base function',
    bases: { silu: 'SiLU', identity: 'identity', none: 'none' },
    apply: 'Start a fresh network',
    refine: (word: string, from: number, to: number) =>
      word === '' ? `Refine ${from} → ${to}` : `Refine ${word} ${from} → ${to}`,
    note: (size: number, word: string, takesAny: boolean) =>
      `A change of shape starts a fresh network. Refining keeps the curves; it takes ${
        takesAny ? `any larger ${sizeOf(word)}` : `a whole multiple of ${size}`
      }.`,
    autoRefines:
      'A change of shape starts a fresh network. Auto chooses the grid itself while it is at work: to refine by hand, choose another optimizer or wait until it is done.',
    parameters: (count: number, memory: number) => `${count} parameters, ${bytes(memory)} to train`,
    badWidth: (most: number) => `A hidden layer has 1 to ${most} nodes.`,
    badProducts: (nodes: number) =>
      `Of ${nodes} ${nodes === 1 ? 'node' : 'nodes'}, 0 to ${nodes} can multiply.`,
    badSize: (word: string, most: number) =>
      `${texts.network.size(word)}: a whole number from 1 to ${most}, please.`,
    badOrder: (most: number) => `The order is a whole number from 0 to ${most}.`,
    badExponents: (most: number) => `α and β are numbers above −1, up to ${most}.`,
    tooManyEdges: (count: number, most: number) =>
      `${count} edges are more than the ${most} that can be drawn.`,
  },
  fields: {
    needed: 'A number is needed.',
    outside: (low: number, high: number, isWhole: boolean) =>
      `${isWhole ? 'A whole number' : 'A number'} from ${low} to ${high}, please.`,
  },
  training: {
    heading: 'Training',
    optimizer: 'Optimizer',
    optimizers: {
      auto: 'Auto (recipe)',
      lm: 'Levenberg–Marquardt',
      lbfgs: 'L-BFGS',
      adam: 'Adam',
    },
    auto: 'Tries several starts on a coarse grid, refines it while samples held back gain by it, and stops by itself.',
    autoThrough: (grids: readonly number[]) =>
      `Tries several starts, goes through the sizes ${grids.join(', ')} while samples held back gain by it, and stops by itself. It chooses sizes itself once the network, the data or the optimizer change.`,
    learningRate: 'Learning rate',
    l1: 'Sparsity (L1)',
    entropy: 'Sparsity (entropy)',
    speed: 'Steps a second',
    unlimited: 'as fast as it goes',
    batch: 'Batch',
    full: 'all samples',
  },
  diagram: {
    name: 'The network',
    waiting: 'Waiting for the first picture…',
    edge: (name: string, shows: string) => `edge ${name} ${shows}`,
    learned: (importance: number) => `learned curve, importance ${number(importance, 2)}`,
    formula: (label: string) => `formula ${label}`,
    cut: 'cut',
    weak: 'would be cut',
    factor: (factor: number, node: string) => `factor ${factor + 1} of ${node}`,
    multiplies: (node: string) => `${node}: the product of its two factors`,
    views: 'View of the network',
    viewNames: { links: 'Diagram', matrix: 'Matrix' },
    layers: 'Layers drawn as matrices',
    layer: (layer: number) => `Φ${subscripts(layer)}`,
    layerAsMatrix: (layer: number) => `Layer ${layer} as a matrix of functions`,
    matrixTitle: (layer: number, rows: number, sources: number) =>
      `Φ${subscripts(layer)}  ${rows} × ${sources}`,
    legend: 'How edges are drawn',
    importance: 'importance',
    help: 'Arrow keys move between edges, Enter opens one, Delete cuts it.',
    larger: {
      links: 'Larger than its frame: scroll, or choose Matrix.',
      matrix: 'Larger than its frame: scroll.',
    },
  },
  perceptron: {
    activations: {
      relu: 'ReLU',
      leaky_relu: 'LeakyReLU',
      gelu: 'GELU',
      silu: 'SiLU',
      tanh: 'tanh',
      sigmoid: 'sigmoid',
    },
    weight: (value: number) => `weight ${signed(value)}`,
    from: (source: string, target: string) => `from ${source} to ${target}`,
    unit: (name: string, activation: string) => `${name}: ${activation} of the weighted sum that arrives`,
    sum: (name: string) => `${name}: the weighted sum that arrives`,
    larger: 'Larger than its frame: scroll.',
    heading: 'Perceptron',
    units: (layer: number) => `Units in hidden layer ${layer}`,
    activation: (layer: number) => `σ of hidden layer ${layer}`,
    columns: { units: 'units', activation: 'σ' },
    outputTanh: 'tanh at the end',
    tanh: 'tanh',
    badWidth: (most: number) => `A hidden layer has 1 to ${most} units.`,
    tooManyWeights: (count: number, most: number) =>
      `${count} weights are more than the ${most} that can be drawn.`,
    parameters: (count: number) => (count === 1 ? '1 parameter' : `${count} parameters`),
    formulaNote:
      'W are weights and biases, which training moves; the functions between them are fixed. A KAN has it the other way round.',
    edgeNote: 'An edge of a perceptron multiplies by its weight; the functions stand in the nodes.',
    chooseEdge: 'Choose an edge to read its weight.',
    legend: {
      heading: 'How perceptrons are drawn',
      positive: 'positive weight',
      negative: 'negative weight',
      function: 'σ over what arrives',
    },
  },
  lanes: {
    add: 'Add a lane',
    title: 'Add a lane',
    note: 'It learns the same data from the same seed beside the others. All lanes start again at step 0, so that their clocks are one.',
    model: 'Network',
    models: { kan: 'KAN', mlp: 'Perceptron (MLP)' },
    optimizer: 'Optimizer',
    optimizers: { auto: 'Auto', lm: 'LM', lbfgs: 'L-BFGS', adam: 'Adam' },
    start: 'Add it and start all again',
    starting: 'Starting…',
    cancel: 'Cancel',
    match: (count: number) => `As many parameters as the first lane, ${count}`,
    full: (most: number) => `${most} lanes are the most that fit beside each other.`,
    readOnly: 'Whoever watches adds no lane: ask for the edit link.',
    kan: (family: string, shape: string) => `KAN ${shape}, ${family}`,
    perceptron: (functions: string, shape: string) =>
      `MLP ${shape}${functions === '' ? '' : `, ${functions}`}`,
    lane: (number: number, name: string) => `Lane ${number}: ${name}`,
    alone: 'Open alone',
    aloneTitle: 'Open this lane with all its tools: edges, formulas, settings',
    removeOne: (number: number) => `Remove lane ${number}`,
    parameters: 'parameters',
    time: 'time',
    test: 'test RMSE',
    train: 'train RMSE',
    by: 'by',
    timeTitle: 'Processor time that training took',
    seconds: (value: number) =>
      value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(value < 10 ? 2 : 1)} s`,
    chart: 'Error of all lanes',
    colours: 'Colours of the lanes',
    numbered: (number: number, name: string) => `${number}  ${name}`,
    prediction: 'What all lanes predict',
    dashed: 'dashed: the truth.',
    probability: 'probability',
    noPrediction: 'Predictions of earlier steps are not kept: choose Live to see what the lanes predict now.',
    axis: 'Error over',
    axes: { step: 'steps', seconds: 'processor time' },
    axisTitles: { step: 'step', seconds: 'processor seconds of training' },
    scrub: 'Step looked at',
    live: 'Live',
    liveTitle: 'Show the lanes as they are now',
    at: (step: number) => `step ${step}`,
    atLive: (step: number) => `live, step ${step}`,
    speed: 'Steps a second',
    differ: 'These lanes learn different samples: their errors cannot be compared.',
    seedsDiffer: 'These lanes started from different seeds.',
    sparsity:
      'Some KANs here carry the sparsity penalty, which perceptrons do not have: it costs accuracy for curves that read well.',
    noSparsity: 'Train without it',
    gone: 'This session is not here any more.',
    dotted: 'dotted: on the training samples',
    shortNames: { kan: 'KAN', mlp: 'MLP' },
    sums: 'sum',
    functionsOnEdges: 'functions on edges, sums in nodes',
    functionsInNodes: 'weights on edges, functions in nodes',
    copied: 'Link copied',
  },
  guide: {
    heading: 'From curves to the law',
    steps: {
      learn: 'Let it learn: every curve is a function that finds its shape.',
      cut: 'Cut weak edges: what matters little goes, what is left reads clearer.',
      find: 'Choose a curve, find its formula and apply it; then the next one.',
      read: 'Let the constants settle, and read the law under the diagram.',
    },
    done: 'done',
  },
  weak: {
    heading: 'Cut weak edges',
    threshold: 'Importance below',
    count: (count: number) =>
      count === 0 ? 'no edge is that weak' : count === 1 ? '1 edge would go' : `${count} edges would go`,
    look: 'Cut weak edges…',
    cut: 'Cut weak edges',
    keep: 'Keep them',
    effect: (before: number, after: number) => `test RMSE ${number(before)} → ${number(after)}`,
    severs: 'This would sever the output, which would become a constant.',
    anyway: 'Cut anyway',
  },
  inspector: {
    none: 'Choose an edge to look at its function.',
    title: (name: string) => `Edge ${name}`,
    importance: 'importance',
    close: 'Close',
    cut: 'Cut this edge',
    measured: (name: string, before: number, after: number) =>
      `${name} RMSE ${number(before)} → ${number(after)}`,
    train: 'train',
    test: 'test',
    severs: 'Cutting it would sever the output. Cut anyway?',
    confirm: 'Cut anyway',
    cancel: 'Keep it',
    restore: 'Restore this edge',
    find: 'Find a formula',
    finding: 'Looking for formulas…',
    candidates: 'Formulas, best first',
    stale: (step: number, present: number) => `They are of step ${step}; training is at ${present}.`,
    again: 'Find again',
    simplicity: 'Simplicity',
    counts: (weight: number) => (weight === 0 ? 'ignored' : `counts ×${Number(weight.toPrecision(2))}`),
    apply: 'Make it this formula',
    r2: 'R²',
    network: {
      compare: 'Compare in the network',
      comparing: (left: number) => `Comparing, ${left} to go…`,
      why: 'Puts each formula into a copy of the network, refits everything else for a few steps, and measures the error',
      done: (count: number) => `${count} formulas compared in the network`,
      order: 'Sort by',
      orders: { curve: 'fit to the curve', network: 'train error in the network' },
      errors: (train: number | null, test: number | null) =>
        train === null || test === null
          ? 'in the network: no finite value'
          : `in the network: RMSE train ${short(train)}, test ${short(test)}`,
    },
    complexity: 'complexity',
    release: 'Release to a curve',
    lock: 'Lock constants',
    unlock: 'Let constants train',
    constants: 'Constants of the formula',
    snap: (name: string, form: string) => `Snap ${name} to ${form}`,
    snapShort: (form: string) => `→ ${form}`,
    unsnap: (name: string) => `Unsnap ${name}`,
    unsnapShort: 'unsnap',
    unknown: 'The data do not determine this constant: others make up for it.',
    standardError: 'Standard error of the fit',
    shape: (name: string) => `c·f(a·x + b) + d with f = ${name}`,
    trainable: 'constants train on',
    locked: 'constants are locked',
    without: (step: number) => `Without this edge, at step ${step}:`,
    basis: 'Show basis functions',
    family: 'Family',
    domain: ([low, high]: [number, number]) => `on [${bound(low)}, ${bound(high)}]`,
    noFamily: 'A formula has none: release it to a curve first.',
    /** what the coloured parts of a curve are: the last of so many is the base function's */
    parts: (count: number, hasBase: boolean) =>
      `φ(x) = ${sum(count)}${hasBase ? ' + w·b(x)' : ''}: the coloured parts add up to the curve, as the rings show.`,
    marks: (areLines: boolean) =>
      areLines ? 'Dotted lines mark the grid.' : 'Small strokes below mark the grid.',
    ownScale: 'The parts reach much further than the curve: their scale is the one on the right.',
    part: (index: number) => `c${subscripts(index)}B${subscripts(index)}`,
    basePart: 'w·b',
    total: 'Σ of the parts',
    data: 'data',
    curve: 'φ',
    candidate: 'candidate',
    residual: 'residual',
    kinds: { spline: 'learned curve', symbolic: 'formula', pruned: 'cut', weight: 'weight' },
  },
  functions: {
    heading: 'Compare with a function of your own',
    list: 'Functions of your own',
    name: 'Name',
    exampleName: 'ricker',
    expression: 'Function of x',
    exampleExpression: 'x*exp(-x^2)',
    add: 'Add this function',
    remove: 'Remove',
    removeOne: (name: string) => `Remove ${name}`,
  },
  formula: {
    heading: 'The network as a formula',
    copy: 'Copy as',
    formats: { latex: 'LaTeX', sympy: 'SymPy', numpy: 'NumPy', pytorch: 'PyTorch', excel: 'Excel' },
    copied: (format: string) => `Copied as ${format}`,
    byHand: (text: string) => `This browser keeps its clipboard to itself; copy it from here: ${text}`,
    titles: {
      latex: 'Copy the formula in LaTeX',
      sympy: 'Copy the formula as SymPy reads it, with all digits',
      numpy: 'Copy the network as Python code for NumPy',
      pytorch: 'Copy the network as a PyTorch module that can be trained on',
      excel: 'Copy the formula for a cell of a spreadsheet, with the inputs in A2, B2, … in their order',
    },
    save: 'Save as',
    files: {
      pytorch: { name: 'PyTorch file', title: 'Save as a PyTorch module that can be trained on' },
      json: { name: 'JSON', title: 'Save as JSON: every edge, scaling and constant' },
      onnx: { name: 'ONNX', title: 'Save as an ONNX model for other runtimes' },
    },
    saved: (name: string) => `Saved ${name}`,
    snap: 'Snap constants',
    snapping: 'Snapping…',
    snapTitle:
      'Hold constants at the nice numbers that they are, such as π or 3/2, unless held-out samples object',
    simplify: {
      name: 'Simplify',
      busy: 'Simplifying…',
      title: 'Look for a shorter form of the formula; it is checked on the data before it is shown',
      form: 'Form',
      forms: { found: 'as found', simple: 'simplified' },
      stale: (step: number) => `It is the formula of step ${step}; constants have moved since.`,
    },
    units: {
      label: 'Units',
      original: 'of the data',
      scaled: 'scaled',
    },
    trust: {
      heading: 'How far to trust it',
      network: (most: number | null, rmse: number | null) =>
        most === null || rmse === null
          ? 'It has no finite value on the data.'
          : `Error against the network: RMSE ${short(rmse)}, at most ${short(most)}.`,
      heldOut: (rmse: number | null, most: number | null, spread: number) =>
        most === null || rmse === null
          ? 'It has no finite value on held-out data.'
          : `Held-out error: RMSE ${short(rmse)}, at most ${short(most)}; the targets spread by ${short(spread)}.`,
      undefined: (count: number, all: number) => `No finite value at ${count} of ${all} training samples.`,
      singular: (what: string, place: string, isInside: boolean) =>
        `Singular at ${what} = ${place}, ${isInside ? 'within' : 'near'} the data.`,
      noValue: (what: string, low: string, high: string, isInside: boolean) =>
        `No value for ${what} in [${low}, ${high}], ${isInside ? 'within' : 'near'} the data.`,
      hidden: (edge: string) => `what enters edge ${edge}`,
      fitted: (name: string, low: string, high: string, outside: number) =>
        `Fitted for ${name} in [${low}, ${high}]${
          outside === 0
            ? ''
            : `; ${outside === 1 ? '1 held-out sample lies' : `${outside} held-out samples lie`} outside`
        }.`,
      number: bound,
    },
    curves: (count: number) => (count === 1 ? '1 curve is left' : `${count} curves are left`),
    closed: 'closed form',
  },
  explain: {
    heading: 'The law behind the network',
    note: 'Tries formulas on every edge of a copy of the network, refits the rest, and keeps what predicts held-out samples best. Training rests meanwhile.',
    start: 'Explain this network',
    again: 'Explain it again',
    cancel: 'Cancel the search',
    progress: 'How much of the search is done',
    tried: (count: number, share: number) =>
      `${count === 1 ? '1 formula' : `${count} formulas`} tried, ${Math.round(100 * share)} % done`,
    numFound: (count: number) => (count === 0 ? '' : count === 1 ? '1 law so far.' : `${count} laws so far.`),
    chart: 'Held-out error of the laws over their complexity',
    complexity: 'complexity',
    error: 'held-out RMSE',
    laws: 'Laws, simplest first',
    law: (id: number, text: string) => `law ${id}: ${text}`,
    numbers: (complexity: number) => `complexity ${complexity}`,
    errors: (heldOut: number, train: number, test: number | null) =>
      `RMSE: held out ${short(heldOut)}, train ${short(train)}, test ${test === null ? 'not finite' : short(test)}`,
    restore: 'Restore to the diagram',
    restoreOne: (id: number) => `Restore law ${id} to the diagram`,
    restored: (id: number) => `Law ${id} is on the diagram.`,
    findings: 'What was noticed',
  },
  discover: {
    start: 'Discover',
    within: 'within',
    unit: 's',
    seconds: 'Seconds to discover within',
    note: 'Discover goes from the training samples to a law with nobody watching, in processes of its own. Training goes on meanwhile.',
    progress: 'How much of the time is gone',
    elapsed: (elapsed: number, limit: number, isRunning: boolean) =>
      isRunning ? `${Math.round(elapsed)} s of ${short(limit)} s` : `took ${short(elapsed)} s`,
    activities: 'What each process is at',
    activity: (number: number, what: string) => `Process ${number}: ${what}`,
    best: 'best',
  },
  panels: {
    heading: 'Charts',
    loss: 'Loss',
    prediction: 'Prediction',
    residuals: 'Residuals',
    law: 'Law',
    step: 'step',
    rmse: { regression: 'RMSE', classification: 'RMSE of probabilities' },
    rmseNote: {
      regression:
        'RMSE is the typical error, in units of the target: train on the samples it learns from, test on others.',
      classification:
        'RMSE is the typical error of the probability: train on the samples it learns from, test on others.',
    },
    train: 'train',
    test: 'test',
    network: 'network',
    truth: 'truth',
    horizontal: 'Across',
    vertical: 'Up',
    target: 'target',
    predicted: 'predicted',
    probability: 'probability of class 1',
    ofClass: (value: number) => `class ${value}`,
    boundary: 'boundary',
    samples: 'test samples',
    points: 'Points are data, coloured by their value on the same scale.',
    held: (names: string[]) =>
      names.length > 4
        ? `The other ${names.length} inputs are held at their medians.`
        : `Held at ${names.length === 1 ? 'its median' : 'their medians'}: ${names.join(', ')}.`,
    loading: 'Loading the chart…',
  },
  shortcuts: {
    heading: 'Keyboard shortcuts',
    close: 'Close',
    rows: [
      { keys: ['Space'], does: 'Learn or pause' },
      { keys: ['s'], does: 'One step' },
      { keys: ['←', '↑', '↓', '→'], does: 'Move between edges' },
      { keys: ['Enter'], does: 'Look into the edge' },
      { keys: ['Delete'], does: 'Cut the edge' },
      { keys: ['Ctrl', 'Z'], does: 'Undo' },
      { keys: ['Ctrl', 'Shift', 'Z'], does: 'Redo' },
      { keys: ['Esc'], does: 'Close what is open' },
      { keys: ['?'], does: 'This list' },
    ],
  },
  notices: { dismiss: 'Dismiss', offline: 'Not connected: nothing was changed.' },
  lab: labTexts,
};
