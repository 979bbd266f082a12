"""Who takes part: a network and how it is trained, what it may spend, and which of its sizes grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from kan_core._checks import check_choice, check_integer, check_number
from kan_core.bases import BASES, BSplineBasis, has_order
from kan_core.errors import SpecError
from kan_core.lab.checks import check_integers, check_text, said_of, set_values
from kan_core.lab.problems import MAX_HIDDEN, check_hidden
from kan_core.mlp import MLPSpec, check_activations
from kan_core.network import MAX_WIDTH, NetworkSpec
from kan_core.scaling import FEWEST_SIZES
from kan_core.training import FINEST_GRID, TrainingSpec

MODELS = ("kan", "mlp")
VARIABLES = ("grid_size", "width", "depth", "samples")
MAX_SAMPLES = 1_000_000
MAX_STEPS = 1_000_000
# in less not even the first steps can be told apart
MIN_SECONDS = 0.01
MAX_SECONDS = 3600.0
MAX_PARAMETERS = 1_000_000
DEFAULT_GRID = 5
DEFAULT_SAMPLES = 1000
# what concerns one model only
KAN_FIELDS = ("basis", "grid_size", "order", "knots", "base")
MLP_FIELDS = ("activation", "output_tanh")
# what one optimizer uses, and what some families of functions have
ADAM_FIELDS = ("learning_rate", "batch_size")
FAMILY_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"order": tuple(name for name in BASES if has_order(name)), "knots": (BSplineBasis.name,)}
)
_LARGEST = {"grid_size": FINEST_GRID, "width": MAX_WIDTH, "depth": MAX_HIDDEN, "samples": MAX_SAMPLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A network and how it is trained.

    `model` is "kan" or "mlp". `hidden` are the widths of its hidden layers, the problem's own when left out. A KAN has
    `basis`, `grid_size` (5 when left out and no budget of parameters asks for another), `order`, `knots` and `base` as
    in `NetworkSpec`; an MLP `activation` (one σ, or one for each hidden layer) and `output_tanh`. `optimizer` is
    "adam", "lbfgs", "lm" or, for a KAN, "auto". `learning_rate` and `batch_size` are Adam's. `steps` replaces those of
    the budget, since steps of optimizers differ in what they cost. Raises SpecError when a field is out of bounds, or
    would do nothing: one of the other model, of another optimizer or of another family is left at its default.
    """

    name: str
    model: str = "kan"
    hidden: tuple[int, ...] | None = None
    basis: str = "bspline"
    grid_size: int | None = None
    order: int = 3
    knots: str = "uniform"
    base: str = "silu"
    activation: str | tuple[str, ...] = "silu"
    output_tanh: bool = False
    optimizer: str = "lm"
    learning_rate: float = 0.02
    batch_size: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        check_text("the name of a contestant", self.name, largest=60)
        with said_of(f"contestant {self.name!r}"):
            check_choice("model", self.model, MODELS)
            self._check_fields()
            if self.hidden is not None:
                object.__setattr__(self, "hidden", check_hidden(self.hidden))
            if self.steps is not None:
                check_integer("steps", self.steps, low=1, high=MAX_STEPS)
            training = self.training(seed=0)
            object.__setattr__(self, "learning_rate", float(training.learning_rate))
            if self.model == "kan":
                self.kan_spec(1, (), DEFAULT_GRID if self.grid_size is None else self.grid_size)
            else:
                self._check_mlp()
            self._check_uses()

    def _check_fields(self) -> None:
        owner, other = ("an MLP", "a KAN") if self.model == "kan" else ("a KAN", "an MLP")
        for name in MLP_FIELDS if self.model == "kan" else KAN_FIELDS:
            self._check_unset(name, owner, other)

    def _check_uses(self) -> None:
        """Refuse settings that optimizer and family do not look at."""
        if self.optimizer != "adam":
            for name in ADAM_FIELDS:
                self._check_unset(name, "the optimizer 'adam'", repr(self.optimizer))
        for name, families in FAMILY_FIELDS.items():
            if self.basis not in families:
                self._check_unset(name, f"the basis {' or '.join(map(repr, families))}", repr(self.basis))

    def _check_unset(self, name: str, owner: str, other: str) -> None:
        """Refuse a field that is for `owner` where it is not at its default."""
        if getattr(self, name) != _DEFAULTS[name]:
            raise SpecError(f"{name} is for {owner}, received {name}={getattr(self, name)!r} for {other}: leave it out")

    def _check_mlp(self) -> None:
        if self.optimizer == "auto":
            raise SpecError("optimizer is one of adam, lbfgs, lm for an MLP, received optimizer='auto': choose one")
        if isinstance(self.activation, str):
            self.mlp_spec(1, (1,))
            return
        object.__setattr__(self, "activation", check_activations(self.activation))
        self.mlp_spec(1, (1,) * len(self.activation))

    def values(self) -> dict[str, Any]:
        """Return what is set, ready for JSON and TOML."""
        others = MLP_FIELDS if self.model == "kan" else KAN_FIELDS
        return set_values(self, [field.name for field in fields(self) if field.name not in others])

    def kan_spec(self, num_inputs: int, hidden: tuple[int, ...], grid_size: int) -> NetworkSpec:
        """Return the shape of this KAN with other hidden widths and grid."""
        return NetworkSpec(
            widths=(num_inputs, *hidden, 1),
            basis=self.basis,
            grid_size=grid_size,
            order=self.order,
            knots=self.knots,
            base=self.base,
        )

    def mlp_spec(self, num_inputs: int, hidden: tuple[int, ...]) -> MLPSpec:
        """Return the shape of this MLP with other hidden widths."""
        return MLPSpec(widths=(num_inputs, *hidden, 1), activation=self.activation, output_tanh=self.output_tanh)

    def training(self, *, seed: int, grids: tuple[int, ...] | None = None) -> TrainingSpec:
        """Return how it is trained."""
        return TrainingSpec(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            seed=seed,
            grids=grids,
        )


_DEFAULTS = {field.name: field.default for field in fields(Contestant)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What every contestant may spend: `steps` of its optimizer, or `seconds` of the processor.

    With `parameters` all contestants are made to have so many, give or take 5 %. Raises SpecError unless exactly one of
    steps and seconds is given, within bounds.
    """

    steps: int | None = None
    seconds: float | None = None
    parameters: int | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.seconds is None):
            received = "none" if self.steps is None else f"steps={self.steps} and seconds={self.seconds}"
            raise SpecError(
                f"a budget has either steps or seconds, received {received}: give one of them, such as steps = 200"
            )
        if self.steps is not None:
            check_integer("steps", self.steps, low=1, high=MAX_STEPS)
        if self.seconds is not None:
            seconds = check_number("seconds", self.seconds, low=MIN_SECONDS, high=MAX_SECONDS)
            object.__setattr__(self, "seconds", seconds)
        if self.parameters is not None:
            check_integer("parameters", self.parameters, low=1, high=MAX_PARAMETERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A size that grows: `variable` is "grid_size", "width", "depth" or "samples"; `values` are sorted.

    Raises SpecError when there are fewer than three values, one comes twice or is out of bounds.
    """

    variable: str
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        check_choice("variable", self.variable, VARIABLES)
        low, high = (10 if self.variable == "samples" else 1), _LARGEST[self.variable]
        values = check_integers("values", self.values, low=low, high=high)
        if not values:
            raise SpecError("a sweep has values, received none: give some, such as values = [5, 10, 20, 50]")
        if len(values) < FEWEST_SIZES:
            raise SpecError(
                f"a law takes at least {FEWEST_SIZES} values, received values={list(values)}: give more, such as "
                "values = [5, 10, 20, 50]"
            )
        object.__setattr__(self, "values", tuple(sorted(values)))
