"""The messages between a page and its session: commands go in, events come out.

Both are discriminated unions over `type`. TypeScript types are generated from the JSON schema of these models, so a
field is renamed here or nowhere. Unknown fields are refused. No event field may be non-finite: pydantic writes NaN as
null, so divergence is a status of its own and never a number.

Acts (they change the session) need the edit key; queries are open to every viewer and answered to the asker alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, Tag
from pydantic_core import PydanticCustomError

MAX_INPUTS = 128
MAX_WIDTH = 32
MAX_LAYERS = 6
MAX_EDGES = 1024
MAX_UNITS = 64
MAX_WEIGHTS = 4500
MAX_SAMPLES = 50_000
MAX_GRID = 200


class Message(BaseModel):
    """A frozen message that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- values ---------------------------------------------------------------------------------------------------------

OptimizerName = Literal["auto", "lm", "lbfgs", "adam"]
BaseFunction = Literal["silu", "identity", "none"]
EdgeKind = Literal["spline", "symbolic", "pruned", "weight"]
ActivationName = Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"]
SessionState = Literal["running", "paused", "diverged", "converged"]
ConstantName = Literal["a", "b", "c", "d"]
FormulaUnits = Literal["original", "scaled"]
SearchKind = Literal["explain", "discover"]
ExplanationState = Literal["running", "done", "cancelled", "lost"]
ExportFormat = Literal["latex", "sympy", "numpy", "pytorch", "excel", "json", "onnx"]


def _no_wider_than(most: int) -> AfterValidator:
    """Return a check that layers above the inputs have at most so many nodes."""

    def check(widths: list[int]) -> list[int]:
        if max(widths[1:]) > most:
            raise PydanticCustomError("too_wide", "at most {most} nodes above the inputs", {"most": most})
        return widths

    return AfterValidator(check)


def _coarsest_first(grids: list[int]) -> list[int]:
    if any(finer <= coarser for coarser, finer in pairwise(grids)):
        raise PydanticCustomError("not_growing", "each size once, the coarsest first")
    return grids


Grids = Annotated[
    list[Annotated[int, Field(ge=1, le=MAX_GRID)]],
    Field(min_length=1, max_length=MAX_GRID),
    AfterValidator(_coarsest_first),
]
Widths = Annotated[list[Annotated[int, Field(ge=1, le=MAX_INPUTS)]], Field(min_length=2, max_length=MAX_LAYERS + 1)]


class EdgeRef(Message):
    """The edge φ from node `source` of layer `layer` to node `target` of the next, all counted from 0."""

    layer: int = Field(ge=0)
    source: int = Field(ge=0)
    target: int = Field(ge=0)


class NetworkSettings(Message):
    """Shape and parametrisation of a KAN; a change starts a fresh one."""

    model: Literal["kan"] = "kan"
    widths: Annotated[Widths, _no_wider_than(MAX_WIDTH)] = Field(default=[2, 5, 1])
    products: list[Annotated[int, Field(ge=0, le=MAX_WIDTH)]] = Field(
        default=[],
        max_length=MAX_LAYERS + 1,
        description="how many of each layer's nodes multiply two sums, 0 for the inputs; empty when none does",
    )
    basis: str = "bspline"
    grid_size: int = Field(default=5, ge=1, le=MAX_GRID)
    order: int = Field(default=3, ge=0, le=5)
    knots: Literal["uniform", "adaptive"] = "uniform"
    alpha: FiniteFloat = Field(default=0.0, gt=-1, le=10)
    beta: FiniteFloat = Field(default=0.0, gt=-1, le=10)
    base: BaseFunction = "silu"
    initialization: Literal["standard", "power_law", "variance"] = "standard"


class PerceptronSettings(Message):
    """Shape of a multilayer perceptron, inputs and outputs included; a change starts a fresh one.

    `activation` is the σ of every hidden layer, or of each of them; with `output_tanh` the outputs pass through tanh.
    """

    model: Literal["mlp"]
    widths: Annotated[Widths, _no_wider_than(MAX_UNITS)]
    activation: ActivationName | Annotated[list[ActivationName], Field(max_length=MAX_LAYERS - 1)] = "silu"
    output_tanh: bool = False


def _model_of(settings: object) -> str:
    """Return which network settings are meant: those that do not say it, as all once did, are a KAN's."""
    named: object = settings.get("model", "kan") if isinstance(settings, dict) else getattr(settings, "model", "kan")
    return named if isinstance(named, str) else ""


AnyNetworkSettings = Annotated[
    Annotated[NetworkSettings, Tag("kan")] | Annotated[PerceptronSettings, Tag("mlp")],
    Discriminator(
        _model_of,
        custom_error_type="unknown_model",
        custom_error_message="model is 'kan' or 'mlp'",
    ),
]


class TrainingSettings(Message):
    """How the network is trained; all of it may change while it trains.

    The defaults are Levenberg-Marquardt with the sparsity that leaves one hidden node of exp(sin πx + y²), at a pace
    that people can follow. `steps_per_second` caps that pace; null means as fast as the worker goes.
    `grids` are the sizes that the recipe of "auto" goes through; it chooses them itself while they are null, and again
    once the optimizer, the network's settings or the data are others.
    """

    optimizer: OptimizerName = "lm"
    learning_rate: FiniteFloat = Field(default=0.02, gt=0, le=10)
    l1: FiniteFloat = Field(default=0.006, ge=0, le=10)
    entropy: FiniteFloat = Field(default=0.03, ge=0, le=10)
    batch_size: int | None = Field(default=None, ge=1, le=MAX_SAMPLES)
    steps_per_second: FiniteFloat | None = Field(default=6.0, gt=0, le=100_000)
    grids: Grids | None = Field(default=None, description="growing sizes for the recipe of auto")


class TrainingChange(Message):
    """A partial change of the training settings: fields left out stay as they are."""

    optimizer: OptimizerName | None = None
    learning_rate: FiniteFloat | None = Field(default=None, gt=0, le=10)
    l1: FiniteFloat | None = Field(default=None, ge=0, le=10)
    entropy: FiniteFloat | None = Field(default=None, ge=0, le=10)
    batch_size: int | None = Field(default=None, ge=1, le=MAX_SAMPLES)
    steps_per_second: FiniteFloat | None = Field(default=None, gt=0, le=100_000)


class VariableRange(Message):
    """One input of a typed formula and the interval it is drawn from."""

    name: str = Field(min_length=1, max_length=32)
    low: FiniteFloat = -1.0
    high: FiniteFloat = 1.0


class CatalogueSource(Message):
    """Samples of a ready problem of the catalogue; `noise` is that of a FormulaSource, none where there are classes."""

    kind: Literal["catalogue"] = "catalogue"
    name: str = Field(max_length=64)
    num_train: int = Field(default=1000, ge=2, lt=MAX_SAMPLES)
    num_test: int = Field(default=1000, ge=2, lt=MAX_SAMPLES)
    noise: FiniteFloat = Field(default=0.0, ge=0, le=10)


class FormulaSource(Message):
    """Samples of a typed formula; `noise` is the standard deviation of Gaussian noise relative to the target's own.

    Of the samples `num_test` are held out to test with, a fifth where that is null.
    """

    kind: Literal["formula"] = "formula"
    expression: str = Field(min_length=1, max_length=500)
    variables: list[VariableRange] = Field(min_length=1, max_length=MAX_WIDTH)
    noise: FiniteFloat = Field(default=0.0, ge=0, le=10)
    num_samples: int = Field(default=1000, ge=10, le=MAX_SAMPLES)
    num_test: int | None = Field(default=None, ge=2, lt=MAX_SAMPLES)


class CsvSource(Message):
    """Columns of a CSV file uploaded before; a classification target holds the values 0 and 1."""

    kind: Literal["csv"] = "csv"
    dataset_id: str = Field(max_length=64)
    inputs: list[str] = Field(min_length=1, max_length=MAX_WIDTH)
    target: str
    task: Literal["regression", "classification"] = "regression"


DataSource = Annotated[CatalogueSource | FormulaSource | CsvSource, Field(discriminator="kind")]


class SymbolicForm(Message):
    """The edge function c·f(a·x+b)+d, x in the units the curve is shown in."""

    function: str = Field(max_length=32)
    a: FiniteFloat
    b: FiniteFloat
    c: FiniteFloat
    d: FiniteFloat


class OwnFunction(Message):
    """A function that a person added to the ones that curves are compared with; `mathml` shows it with its name."""

    name: str
    expression: str
    mathml: str
    complexity: int


# --- commands: acts -------------------------------------------------------------------------------------------------


class Command(Message):
    """`request_id` is the asker's own number; the answer and any refusal carry it back."""

    request_id: int | None = Field(default=None, ge=0)


class Run(Command):
    """Train on."""

    type: Literal["run"] = "run"


class Pause(Command):
    """Stop training after the step under way."""

    type: Literal["pause"] = "pause"


class Step(Command):
    """Do `count` optimizer steps, then pause."""

    type: Literal["step"] = "step"
    count: int = Field(default=1, ge=1, le=1000)


class Reset(Command):
    """Start again from the initial network, with the same seed or a new one."""

    type: Literal["reset"] = "reset"
    new_seed: bool = False


class SetTraining(Command):
    """Change training settings while training goes on."""

    type: Literal["set_training"] = "set_training"
    change: TrainingChange
    unlimited_speed: bool = False
    full_batch: bool = False


class SetNetwork(Command):
    """Start a fresh network of this shape; first and last width must fit the data."""

    type: Literal["set_network"] = "set_network"
    network: AnyNetworkSettings


class SetData(Command):
    """Start a fresh network on other data; `hidden` are the widths between inputs and outputs (null keeps them)."""

    type: Literal["set_data"] = "set_data"
    source: DataSource
    hidden: list[Annotated[int, Field(ge=1, le=MAX_WIDTH)]] | None = Field(default=None, max_length=MAX_LAYERS - 1)


class Prune(Command):
    """Cut edges; a cut that severs the output is refused with code `would_sever` unless `allow_sever`."""

    type: Literal["prune"] = "prune"
    edges: list[EdgeRef] = Field(min_length=1, max_length=MAX_EDGES)
    allow_sever: bool = False


class CutWeak(Command):
    """Cut the edges of a preview: those whose importance lies under the threshold (as in the frames, 0 to 1).

    With `edges` exactly these are cut, be their importance what it is by now; without, whichever are weak now.
    """

    type: Literal["cut_weak"] = "cut_weak"
    threshold: FiniteFloat = Field(ge=0, le=1)
    edges: list[EdgeRef] | None = Field(default=None, min_length=1, max_length=MAX_EDGES)
    allow_sever: bool = False


class Restore(Command):
    """Bring a cut edge back with the function it had."""

    type: Literal["restore"] = "restore"
    edge: EdgeRef


class Refine(Command):
    """Move every spline edge to a finer grid without changing its function."""

    type: Literal["refine"] = "refine"
    grid_size: int = Field(ge=1, le=MAX_GRID)


class Symbolify(Command):
    """Replace the edge's curve by a formula whose constants stay trainable."""

    type: Literal["symbolify"] = "symbolify"
    edge: EdgeRef
    form: SymbolicForm


class Release(Command):
    """Turn a symbolic edge back into a curve of the same shape."""

    type: Literal["release"] = "release"
    edge: EdgeRef


class Lock(Command):
    """Hold a symbolic edge's constants fixed, or let them train again."""

    type: Literal["lock"] = "lock"
    edge: EdgeRef
    locked: bool


class SnapConstant(Command):
    """Hold one constant of a formula at `value`, in original units, or at the nice number near it when left out.

    The others are fitted anew.
    """

    type: Literal["snap_constant"] = "snap_constant"
    edge: EdgeRef
    name: ConstantName
    value: FiniteFloat | None = None


class SnapConstants(Command):
    """Hold every constant at the nice number that it is, where held-out samples do not speak against it."""

    type: Literal["snap_constants"] = "snap_constants"


class UnsnapConstant(Command):
    """Let one constant of a formula train again."""

    type: Literal["unsnap_constant"] = "unsnap_constant"
    edge: EdgeRef
    name: ConstantName


class SwapBasis(Command):
    """Give one curve another family of basis functions, the nearest it can be to what it was."""

    type: Literal["swap_basis"] = "swap_basis"
    edge: EdgeRef
    basis: str


class AddFunction(Command):
    """Add a function of x to the ones that curves are compared with; complexity follows from it when left out."""

    type: Literal["add_function"] = "add_function"
    name: str = Field(max_length=64)
    expression: str = Field(max_length=600)
    complexity: int | None = None


class RemoveFunction(Command):
    """Take back a function that was added; edges that have it keep it."""

    type: Literal["remove_function"] = "remove_function"
    name: str = Field(max_length=64)


class Explain(Command):
    """Search for laws: formulas on every edge of a copy of the network as it is now. Training rests meanwhile.

    A fifth of the training samples is held out to choose by; test samples have no part in it. Edits may go on: the
    search keeps to its copy.
    """

    type: Literal["explain"] = "explain"


class Discover(Command):
    """Search for the law behind the training samples, in processes of its own and for so many seconds at most.

    The seconds count from when its processes have loaded. It needs one number as the target. Training and edits go on
    meanwhile, and no network has a part in it: a law that it finds may have another shape.
    """

    type: Literal["discover"] = "discover"
    seconds: FiniteFloat = Field(default=30.0, ge=1, le=600)


class CancelExplaining(Command):
    """End the search for laws; those found stay listed."""

    type: Literal["cancel_explaining"] = "cancel_explaining"


class RestoreLaw(Command):
    """Put a law that was found in the place of the network."""

    type: Literal["restore_law"] = "restore_law"
    id: int = Field(ge=1)


class Undo(Command):
    """Take back the newest structural act."""

    type: Literal["undo"] = "undo"


class Redo(Command):
    """Do again what was taken back."""

    type: Literal["redo"] = "redo"


# --- commands: queries ----------------------------------------------------------------------------------------------


class Ack(Command):
    """The page has painted the frame of this number; it gives the server the credit to send the next."""

    type: Literal["ack"] = "ack"
    seq: int = Field(ge=0)


class Resync(Command):
    """Ask for a full snapshot."""

    type: Literal["resync"] = "resync"


class Inspect(Command):
    """Ask for what the inspector shows of one edge."""

    type: Literal["inspect"] = "inspect"
    edge: EdgeRef


class Suggest(Command):
    """Ask for the ranked formulas of one edge."""

    type: Literal["suggest"] = "suggest"
    edge: EdgeRef


class TryCandidate(Command):
    """Ask what the network makes of a formula on an edge once everything else is refitted to it.

    `revision` and `step` are those of the candidates: formulas of one edge are tried on the network of one moment.
    """

    type: Literal["try_candidate"] = "try_candidate"
    edge: EdgeRef
    form: SymbolicForm
    revision: int
    step: int


class MeasureCut(Command):
    """Ask what cutting these edges would do to the losses."""

    type: Literal["measure_cut"] = "measure_cut"
    edges: list[EdgeRef] = Field(min_length=1, max_length=MAX_EDGES)


class Predict(Command):
    """Ask for predictions over one or two inputs, the others held at their medians.

    `y_input` null asks for a line over `x_input`.
    """

    type: Literal["predict"] = "predict"
    x_input: int = Field(default=0, ge=0, lt=MAX_INPUTS)
    y_input: int | None = Field(default=None, ge=0, lt=MAX_INPUTS)
    resolution: int = Field(default=40, ge=2, le=80)


class Residuals(Command):
    """Ask for predicted against true targets of at most 500 test samples."""

    type: Literal["residuals"] = "residuals"


class JudgeFormula(Command):
    """Ask how far the formula can be trusted, and for the formula itself in these units."""

    type: Literal["judge_formula"] = "judge_formula"
    units: FormulaUnits = "original"


class Constants(Command):
    """Ask how well the samples determine the constants of formulas, and which nice numbers they may be."""

    type: Literal["constants"] = "constants"


class Simplify(Command):
    """Ask for a simpler form of the network's formula, which may take seconds."""

    type: Literal["simplify"] = "simplify"
    units: FormulaUnits = "original"


class Export(Command):
    """Ask for the network in one format; `units` concern LaTeX and SymPy, all others are in original units."""

    type: Literal["export"] = "export"
    format: ExportFormat
    units: FormulaUnits = "original"


Act = (
    Run
    | Pause
    | Step
    | Reset
    | SetTraining
    | SetNetwork
    | SetData
    | Prune
    | CutWeak
    | Restore
    | Refine
    | Symbolify
    | Release
    | Lock
    | SnapConstant
    | SnapConstants
    | UnsnapConstant
    | SwapBasis
    | AddFunction
    | RemoveFunction
    | Explain
    | Discover
    | CancelExplaining
    | RestoreLaw
    | Undo
    | Redo
)
# answered bit by bit, between the steps of training
LongQuery = TryCandidate | Simplify
ShortQuery = Inspect | Suggest | MeasureCut | Predict | Residuals | JudgeFormula | Constants | Export
Query = ShortQuery | LongQuery
ClientCommand = Annotated[Act | Query | Ack | Resync, Field(discriminator="type")]


# --- events ---------------------------------------------------------------------------------------------------------


class Event(Message):
    """`epoch` changes when the session's worker was restored; `seq` rises by one an event within an epoch.

    Answers to one viewer's query repeat the newest broadcast `seq` and carry the query's `request_id`.
    """

    epoch: int = Field(default=0, ge=0)
    seq: int = Field(default=0, ge=0)
    request_id: int | None = None


class EdgeInfo(Message):
    """What an edge is; edges are listed by layer, then target, then source, in the order of the frames.

    Targets count the rows of sums: where a layer's last nodes multiply, each of them has two. A perceptron's edges are
    of the kind "weight", and their numbers stand in the frames.
    """

    layer: int
    source: int
    target: int
    kind: EdgeKind
    basis: str = Field(description="the family of the curve, one of the catalogue's bases; empty for a weight")
    form: SymbolicForm | None = None
    locked: bool = False
    label: str | None = Field(default=None, description="plain text such as 2.0·sin(3.14·x)")
    label_mathml: str | None = None


class Structure(Message):
    """The network's shape. `revision` rises with every structural change and stands in every frame."""

    revision: int
    network: AnyNetworkSettings
    seed: int
    input_names: list[str]
    output_names: list[str]
    edges: list[EdgeInfo]
    num_parameters: int
    num_bytes: int = Field(description="memory that training takes: parameters, samples and basis functions at them")


class DataInfo(Message):
    """What the network learns from, drawn or split with `seed`; ranges in original units."""

    source: DataSource
    seed: int = 0
    title: str
    task: Literal["regression", "classification"]
    truth: str | None = Field(default=None, description="the formula behind the data, where one is known")
    truth_mathml: str | None = None
    input_names: list[str]
    input_lows: list[FiniteFloat]
    input_highs: list[FiniteFloat]
    output_names: list[str]
    num_train: int
    num_test: int


class LossPoint(Message):
    """RMSE in original units after `step` steps (of the probabilities, for classification).

    `seconds` is the processor time that these steps took.
    """

    step: int
    train: FiniteFloat
    test: FiniteFloat
    seconds: FiniteFloat = Field(default=0.0, ge=0)


class Formula(Message):
    """The network as a formula; curves that remain are written φ with the indices layer, source, target.

    Where it would be too long to read, `mathml` is empty and `text` says so. `caution` says where the network does not
    compute what is written.
    """

    mathml: str
    text: str
    latex: str
    sympy: str
    numpy: str
    pytorch: str
    is_closed_form: bool
    num_curves: int
    caution: str | None = None


class StatusInfo(Message):
    """Whether the session trains, with one sentence when something needs saying (divergence, fallback)."""

    state: SessionState
    step: int
    sentence: str = ""


class HistoryInfo(Message):
    """What undo and redo would do, in a few words; null when there is nothing."""

    undo: str | None = None
    redo: str | None = None


class LawPoint(Message):
    """A law, by the `id` that puts it on the diagram; errors are RMSE in original units (of probabilities).

    `train_rmse` is on the samples it was fitted to, `held_out_rmse` on those it was chosen by and `test_rmse` on the
    session's test samples, which had no part in it.
    """

    id: int
    complexity: int
    train_rmse: FiniteFloat
    held_out_rmse: FiniteFloat
    test_rmse: FiniteFloat | None = Field(description="null where the law has no finite value")
    mathml: str
    text: str


class ExplanationInfo(Message):
    """A search for laws and the laws than which none simpler is as good, simplest first.

    `samples` says which samples it uses, `sentence` how it stands, `findings` what it noticed on the way. After step
    `step` it was started. `trains_after` says whether training rests for it and goes on when it is over. A discovery
    also has `activities`, what each of its processes is at while it goes on, `best`, the id of the law to believe, and
    `seconds`, the most that it may take, of which `elapsed` are gone.
    """

    kind: SearchKind = "explain"
    state: ExplanationState
    sentence: str
    samples: str
    step: int
    progress: FiniteFloat = Field(ge=0, le=1)
    num_tried: int
    laws: list[LawPoint]
    findings: list[str] = []
    activities: list[str] = []
    best: int | None = None
    elapsed: FiniteFloat = 0.0
    seconds: FiniteFloat | None = None
    trains_after: bool = False


class SnapshotEvent(Event):
    """Everything a page needs to draw the session from nothing."""

    type: Literal["snapshot"] = "snapshot"
    session_id: str
    can_edit: bool
    structure: Structure
    training: TrainingSettings
    data: DataInfo
    status: StatusInfo
    history: HistoryInfo
    formula: Formula
    losses: list[LossPoint]
    functions: list[OwnFunction] = Field(default=[], description="added to the ones curves are compared with")
    explanation: ExplanationInfo | None = None
    viewers: int = 1


class StructureEvent(Event):
    """The structure changed; `reason` says by what, in a few words, and is empty when only labels did."""

    type: Literal["structure"] = "structure"
    structure: Structure
    reason: str
    fresh: bool = Field(default=False, description="a new network was started: forget the losses")


class TrainingEvent(Event):
    type: Literal["training"] = "training"
    training: TrainingSettings


class DataEvent(Event):
    type: Literal["data"] = "data"
    data: DataInfo


class StatusEvent(Event):
    type: Literal["status"] = "status"
    status: StatusInfo


class HistoryEvent(Event):
    type: Literal["history"] = "history"
    history: HistoryInfo


class FormulaEvent(Event):
    type: Literal["formula"] = "formula"
    formula: Formula


class FunctionsEvent(Event):
    """The functions that were added to the ones that curves are compared with, all of them."""

    type: Literal["functions"] = "functions"
    functions: list[OwnFunction]


class ExplanationEvent(Event):
    """How the search for laws stands; null when it was forgotten, as the network started afresh."""

    type: Literal["explanation"] = "explanation"
    explanation: ExplanationInfo | None


class LossesEvent(Event):
    """New loss points since the last such event."""

    type: Literal["losses"] = "losses"
    points: list[LossPoint]


class ViewersEvent(Event):
    type: Literal["viewers"] = "viewers"
    count: int


class NoticeEvent(Event):
    """Something everyone in the session should read."""

    type: Literal["notice"] = "notice"
    level: Literal["info", "warning"]
    code: str
    sentence: str


class ErrorEvent(Event):
    """A command was refused; the session goes on. `sentence` says what is wrong, what was received, what to do."""

    type: Literal["error"] = "error"
    code: str
    sentence: str


class DoneEvent(Event):
    """An act with a `request_id` was carried out."""

    type: Literal["done"] = "done"


class InspectionEvent(Event):
    """One edge in detail: its curve, where its data lie, its grid and its constants."""

    type: Literal["inspection"] = "inspection"
    edge: EdgeRef
    revision: int
    kind: EdgeKind
    basis: str = Field(description="the family of the curve")
    domain: tuple[FiniteFloat, FiniteFloat] = Field(
        description="the range of the source node that is mapped to the family's own domain, in original units"
    )
    x: list[FiniteFloat]
    y: list[FiniteFloat]
    basis_curves: list[list[FiniteFloat]] = Field(
        default=[], description="c_k B_k(x) for each k, then w_b b(x); empty for symbolic edges"
    )
    grid: list[FiniteFloat]
    histogram_edges: list[FiniteFloat]
    histogram_counts: list[int]
    importance: FiniteFloat
    form: SymbolicForm | None = None
    label: str | None = Field(default=None, description="the formula with its constants as they are now")
    label_mathml: str | None = None
    locked: bool = False


class Candidate(Message):
    """A formula for one edge; `curve` are its values at the event's `x`.

    Formulas are sorted by weight · formula_bits + residual_bits, where 1 is the usual weight of simplicity; those that
    are poor come last, by r2.
    """

    form: SymbolicForm
    name: str
    mathml: str
    text: str
    r2: FiniteFloat
    complexity: int
    formula_bits: FiniteFloat
    residual_bits: FiniteFloat
    is_poor: bool
    curve: list[FiniteFloat]


class CandidatesEvent(Event):
    """All formulas that there are for one edge after `step` steps, best first at the usual weight of simplicity."""

    type: Literal["candidates"] = "candidates"
    edge: EdgeRef
    revision: int
    step: int
    x: list[FiniteFloat]
    y: list[FiniteFloat]
    candidates: list[Candidate]


class CandidateTriedEvent(Event):
    """RMSE of the network with a formula on an edge and all else refitted; null where it has no finite value."""

    type: Literal["candidate_tried"] = "candidate_tried"
    edge: EdgeRef
    form: SymbolicForm
    revision: int
    step: int
    train_rmse: FiniteFloat | None
    test_rmse: FiniteFloat | None


class CutMeasuredEvent(Event):
    """RMSE after `step` steps and without the edges; `severs_output` when no path from any input would be left."""

    type: Literal["cut_measured"] = "cut_measured"
    step: int
    edges: list[EdgeRef]
    train_before: FiniteFloat
    train_after: FiniteFloat
    test_before: FiniteFloat
    test_after: FiniteFloat
    severs_output: bool


class PredictionEvent(Event):
    """Network and truth on a grid: rows follow `y`, columns follow `x`; one row when `y_input` is null.

    For classification the values are probabilities of class 1.
    """

    type: Literal["prediction"] = "prediction"
    x_input: int
    y_input: int | None
    x: list[FiniteFloat]
    y: list[FiniteFloat]
    network: list[list[FiniteFloat]]
    truth: list[list[FiniteFloat]] | None
    sample_x: list[FiniteFloat]
    sample_y: list[FiniteFloat]
    sample_targets: list[FiniteFloat]


class ResidualsEvent(Event):
    type: Literal["residuals"] = "residuals"
    targets: list[FiniteFloat]
    predictions: list[FiniteFloat]


class Deviation(Message):
    """The largest difference and the RMSE over the rows with a finite value; null without any such row."""

    maximum: FiniteFloat | None
    rmse: FiniteFloat | None
    num_rows: int
    num_undefined: int = Field(description="rows at which the formula has no finite value")


class FittedRange(Message):
    """The range of an input that the network was fitted on, and how many held-out rows lie outside."""

    name: str
    low: FiniteFloat
    high: FiniteFloat
    num_outside: int


class SingularPlace(Message):
    """Where an edge's function has no finite value: one point for a pole, else an interval, of the edge's source."""

    edge: EdgeRef
    input_name: str | None = Field(description="the input that the edge leaves, null for a hidden node")
    function: str
    is_pole: bool
    low: FiniteFloat
    high: FiniteFloat
    is_inside: bool = Field(description="whether it lies within the data's range, rather than near it")


class FormulaJudgedEvent(Event):
    """The formula in `units` as it is shown, and how far its shown form can be trusted, in original units.

    `held_out` is the distance to held-out targets (as probabilities, for classification), whose standard deviation is
    `target_spread`.
    """

    type: Literal["formula_judged"] = "formula_judged"
    revision: int
    units: FormulaUnits
    mathml: str
    text: str
    against_network: Deviation
    held_out: Deviation
    target_spread: FiniteFloat
    ranges: list[FittedRange]
    singular: list[SingularPlace]


class ConstantInfo(Message):
    """A constant of c·f(a·x + b) + d in original units, with the standard error of its fit.

    The error is null where finding it would take too long, and where the data do not determine the constant. `form` is
    the nice number that it is held at, or might be held at, in words such as π or 3/2; null when it is none.
    """

    edge: EdgeRef
    name: ConstantName
    value: FiniteFloat
    standard_error: FiniteFloat | None
    is_determined: bool
    is_snapped: bool
    form: str | None = None
    form_value: FiniteFloat | None = None


class ConstantsEvent(Event):
    """The constants of all formulas but for those that others can make up for."""

    type: Literal["constants_known"] = "constants_known"
    revision: int
    constants: list[ConstantInfo]


class SimplifiedEvent(Event):
    """The formula after `step` steps in its simplest form, or as it is where `sentence` says why.

    A simpler form has the same values to 9 digits, on the data and around them. `sympy` has all digits.
    """

    type: Literal["simplified"] = "simplified"
    revision: int
    step: int
    units: FormulaUnits
    is_simpler: bool
    sentence: str
    mathml: str
    text: str
    latex: str
    sympy: str


class ExportedEvent(Event):
    """The network in one format: as `text`, or `base64` for a file that is none. The other one is empty."""

    type: Literal["exported"] = "exported"
    format: ExportFormat
    file_name: str
    text: str = ""
    base64: str = ""


ServerEvent = Annotated[
    SnapshotEvent
    | StructureEvent
    | TrainingEvent
    | DataEvent
    | StatusEvent
    | HistoryEvent
    | FormulaEvent
    | FunctionsEvent
    | ExplanationEvent
    | LossesEvent
    | ViewersEvent
    | NoticeEvent
    | ErrorEvent
    | DoneEvent
    | InspectionEvent
    | CandidatesEvent
    | CandidateTriedEvent
    | CutMeasuredEvent
    | PredictionEvent
    | ResidualsEvent
    | FormulaJudgedEvent
    | ConstantsEvent
    | SimplifiedEvent
    | ExportedEvent,
    Field(discriminator="type"),
]
