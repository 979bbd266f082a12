"""Problems and what they are reduced to: what is inside a function, fewer inputs, the parts of sums and products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from kan_core.accuracy import measure_rmse
from kan_core.datasets import Dataset
from kan_core.discovery.composition import Sheet, Term, added, multiplied, side_by_side
from kan_core.discovery.outer import Outer
from kan_core.discovery.symmetries import Separation, Symmetry
from kan_core.network import KAN
from kan_core.symbolic.library import FUNCTIONS

# for how long the ladder of a part is climbed
PART_SECONDS = 6.0
# where a part of a product is smaller than this share of its largest value, dividing by it says nothing
SMALL_FACTOR = 0.1
NUM_CURVE_POINTS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Samples to explain; `level` counts what was divided to come here, `seconds` are those to climb its ladder.

    `has_whole_target` says that the targets are those of the whole and the inputs some of its own.
    """

    dataset: Dataset
    level: int = 0
    seconds: float = math.inf
    has_whole_target: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(self.dataset.input_names or ())

    @property
    def is_part(self) -> bool:
        """Whether targets hold what another network got wrong, too."""
        return math.isfinite(self.seconds)

    @property
    def spread(self) -> float:
        """The standard deviation of the held-out targets."""
        return float(self.dataset.test_targets.double().std(correction=0)) or 1.0

    def error(self, network: KAN) -> float:
        """Return the held-out error of a network as a share of the targets' spread."""
        return measure_rmse(network, self.dataset.test_inputs, self.dataset.test_targets, "regression") / self.spread

    @torch.no_grad()
    def usual_error(self, network: KAN) -> float:
        """Return what nine in ten held-out samples are within, as a share: samples beyond all others do not count."""
        off = (network(self.dataset.test_inputs) - self.dataset.test_targets).abs()
        return float(torch.quantile(off, 0.9)) / self.spread


def baselines(dataset: Dataset) -> list[list[Sheet]]:
    """Return the sheets of a constant and of a linear function, to which every law is compared."""
    n = dataset.num_inputs
    mean = float(dataset.train_targets.mean())
    constant = Sheet(n, 1, 0, {(0, 0): Term(FUNCTIONS["constant"], d=mean)})
    linear = Sheet(n, 1, 0, {(0, source): Term(FUNCTIONS["x"], d=mean / n) for source in range(n)})
    return [[constant], [linear]]


def taken_off(problem: Problem, outer: Outer) -> Problem | None:
    """Return the problem of what is inside `outer`, None where the targets can not be its values."""
    dataset = problem.dataset
    if not (outer.fits(dataset.train_targets) and outer.fits(dataset.test_targets)):
        return None
    inner = replace(
        dataset, train_targets=outer.undo(dataset.train_targets), test_targets=outer.undo(dataset.test_targets)
    )
    return Problem(dataset=inner, level=problem.level + 1)


def disjoint(symmetries: Sequence[Symmetry]) -> list[Symmetry]:
    """Return the symmetries that share no input with one before them."""
    taken: set[int] = set()
    chosen: list[Symmetry] = []
    for symmetry in symmetries:
        if not taken & {symmetry.first, symmetry.second}:
            taken |= {symmetry.first, symmetry.second}
            chosen.append(symmetry)
    return chosen


def reduce_problem(problem: Problem, symmetries: Sequence[Symmetry]) -> tuple[Problem, list[Sheet]]:
    """Return the problem in which pairs of inputs became one each, and the sheets that make its inputs."""
    dataset = problem.dataset
    places = list(range(dataset.num_inputs))
    sheets: list[Sheet] = []
    for symmetry in symmetries:
        # where the pair stands among what is left by now
        here = replace(symmetry, first=places.index(symmetry.first), second=places.index(symmetry.second))
        sheets.append(here.sheet(dataset.train_inputs))
        dataset = replace(
            dataset,
            train_inputs=here.reduce(dataset.train_inputs),
            test_inputs=here.reduce(dataset.test_inputs),
            input_names=tuple(here.names(dataset.input_names or ())),
        )
        places = [place for place in places if place not in (symmetry.first, symmetry.second)] + [-1]
    return Problem(dataset=dataset, level=problem.level + 1), sheets


@torch.no_grad()
def part_of(problem: Problem, separation: Separation, group: tuple[int, ...], network: KAN) -> Problem:
    """Return the problem of one part: what the targets are without the others, which the network knows.

    The first part has what all have in common, so that the parts together are what the network computes.
    """
    dataset = problem.dataset
    held = _typical(dataset.train_inputs, network, is_product=separation.is_product, offset=separation.offset)
    common = network(held.unsqueeze(0)) - separation.offset if group == separation.groups[0] else None

    def targets(inputs: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        others = inputs.clone()
        others[:, list(group)] = held[list(group)]
        rest = network(others) - separation.offset
        if not separation.is_product:
            rest = rest if common is None else rest - common
            return wanted - rest, torch.ones(len(inputs), dtype=torch.bool)
        usable = rest[:, 0].abs() > SMALL_FACTOR * rest.abs().max()
        rest = rest if common is None else rest / common
        return (wanted - separation.offset) / torch.where(usable.unsqueeze(1), rest, torch.ones_like(rest)), usable

    columns = list(group)
    train, train_rows = targets(dataset.train_inputs, dataset.train_targets)
    test, test_rows = targets(dataset.test_inputs, dataset.test_targets)
    part = replace(
        dataset,
        train_inputs=dataset.train_inputs[train_rows][:, columns],
        train_targets=train[train_rows],
        test_inputs=dataset.test_inputs[test_rows][:, columns],
        test_targets=test[test_rows],
        input_names=tuple(problem.names[place] for place in columns),
    )
    return Problem(dataset=part, level=problem.level + 1, seconds=PART_SECONDS)


def _typical(inputs: Tensor, network: KAN, *, is_product: bool, offset: float) -> Tensor:
    """Return the sample (I,) from which others are looked at: the middle one, or one with a large output."""
    if not is_product:
        return inputs.median(dim=0).values
    order = (network(inputs)[:, 0] - offset).abs().argsort()
    return inputs[order[int(0.9 * (len(order) - 1))]]


def join(choice: Sequence[Sequence[Sheet]], separation: Separation, num_inputs: int) -> list[Sheet]:
    """Return the sheets of a sum or product of parts."""
    branches = list(zip(choice, separation.groups, strict=True))
    if not separation.is_product:
        return [*side_by_side(branches, num_inputs), added(len(branches))]
    joined, takes = branches[0]
    for other, others in branches[1:]:
        both = side_by_side([(joined, takes), (other, others)], num_inputs)
        joined, takes = [*both, *multiplied()], tuple(range(num_inputs))
    last = joined[-1]
    terms = {key: term.scaled(1.0, separation.offset) for key, term in last.terms.items()}
    return [*joined[:-1], replace(last, terms=terms)]


def curve_points(inputs: Tensor) -> Tensor:
    """Return points between the ends of inputs (B, 1), half of them even, half as the inputs lie, (P, 1)."""
    low, high = inputs.min(), inputs.max()
    even = torch.linspace(float(low), float(high), NUM_CURVE_POINTS // 2, dtype=inputs.dtype)
    shares = torch.linspace(0.0, 1.0, NUM_CURVE_POINTS // 2, dtype=inputs.dtype)
    return torch.cat([even, torch.quantile(inputs[:, 0], shares)]).unique().unsqueeze(1)
