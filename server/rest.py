"""The bodies of the REST interface; errors are `{code, sentence, position?}` with a 4xx status."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from server.messages import ActivationName, AnyNetworkSettings, DataSource, Message, SessionState, TrainingSettings


class Health(Message):
    """The server answers; `version` is the package's."""

    status: Literal["ok"] = "ok"
    version: str


class CatalogueProblem(Message):
    """A ready problem; `truth` is null for data without a formula."""

    name: str
    title: str
    description: str
    truth: str | None
    truth_mathml: str | None
    widths: list[int]
    task: Literal["regression", "classification"]
    input_names: list[str]


class CatalogueFunction(Message):
    """A function that an edge may become."""

    name: str
    mathml: str
    complexity: int


class CatalogueBasis(Message):
    """A family of basis functions."""

    name: str
    title: str
    sentence: str
    size_word: str = Field(description="what the grid size counts: intervals, degree, harmonics, centres, …")
    has_order: bool = Field(description="whether the order is a setting of it")
    has_knots: bool = Field(description="whether its knots can follow the data")
    has_exponents: bool = Field(description="whether alpha and beta are settings of it")
    takes_any_size: bool = Field(
        description="whether refining to any larger size keeps its curves, not multiples alone"
    )


class CatalogueActivation(Message):
    """A function σ that the units of a perceptron may have."""

    name: ActivationName
    title: str


class Limits(Message):
    """Bounds that a page tells people before they run into them."""

    max_width: int
    max_layers: int
    max_edges: int
    max_units: int
    max_weights: int
    max_samples: int
    max_csv_bytes: int
    max_csv_rows: int
    max_csv_columns: int


class CatalogueInfo(Message):
    """Everything that menus are filled from."""

    problems: list[CatalogueProblem]
    functions: list[CatalogueFunction]
    bases: list[CatalogueBasis]
    activations: list[CatalogueActivation]
    limits: Limits


class SessionRequest(Message):
    """What a new session starts with; what is left out is the default.

    Samples are drawn or split with `data_seed`, or with `seed` when that is left out, and the network with `seed`.
    """

    data: DataSource | None = None
    network: AnyNetworkSettings | None = None
    training: TrainingSettings | None = None
    seed: int = Field(default=0, ge=0, lt=2**31)
    data_seed: int | None = Field(default=None, ge=0, lt=2**31)
    paused: bool = Field(default=False, description="wait for somebody who runs it")


class SessionCreated(Message):
    """The new session's id and the key that lets its holder act on it."""

    session_id: str
    edit_key: str


class SessionSummary(Message):
    """What anyone with the link may know of a session."""

    session_id: str
    title: str
    state: SessionState
    step: int
    viewers: int


class SessionList(Message):
    """The sessions of this server."""

    sessions: list[SessionSummary]


class FormulaRequest(Message):
    """A typed formula to check; `variables` null accepts any name as a variable."""

    expression: str = Field(max_length=500)
    variables: list[str] | None = Field(default=None, max_length=32)


class FormulaCheck(Message):
    """Whether the formula can be used; `position` is the character that is at fault."""

    ok: bool
    sentence: str | None = None
    position: int | None = None
    variables_found: list[str] = Field(default=[])
    mathml: str | None = None


class TableColumn(Message):
    """One column of an uploaded table."""

    name: str
    low: FiniteFloat
    high: FiniteFloat
    distinct: int


class TableCreated(Message):
    """An uploaded table as it was understood, with its first rows."""

    dataset_id: str
    columns: list[TableColumn]
    num_rows: int
    delimiter: str
    preview: list[list[FiniteFloat]]


class Problem(Message):
    """Why a request was refused and what to do."""

    code: str
    sentence: str
    position: int | None = None


REST_MODELS: tuple[type[Message], ...] = (
    Health,
    CatalogueInfo,
    SessionRequest,
    SessionCreated,
    SessionSummary,
    SessionList,
    FormulaRequest,
    FormulaCheck,
    TableCreated,
    Problem,
)
