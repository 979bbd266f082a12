"""The points of a spec: single trainings, each known by a readable key."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch

from kan_core.datasets import Dataset
from kan_core.fitting import HELD_OUT
from kan_core.lab.sizes import Shape, count_parameters, network_shape
from kan_core.lab.spec import LabSpec
from kan_core.mlp import MLP, MLPSpec
from kan_core.network import KAN
from kan_core.optimizers.levenberg_marquardt import is_affordable
from kan_core.starts import COARSE_GRID
from kan_core.training import TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPoint:
    """One training: a problem and a contestant by their names, a seed, and in a sweep a value."""

    problem: str
    contestant: str
    seed: int
    value: int | None = None

    @property
    def key(self) -> str:
        """A readable text that no other point of the spec has."""
        end = "" if self.value is None else f"/{self.value}"
        return f"{self.problem}/{self.contestant}/{self.seed}{end}"


def lab_points(spec: LabSpec) -> tuple[LabPoint, ...]:
    """Return all points, in the order to run them: a seed after the other, so that a whole picture is there early."""
    values = (None,) if spec.sweep is None else spec.sweep.values
    return tuple(
        LabPoint(problem=problem.name, contestant=contestant.name, seed=seed, value=value)
        for seed, problem, value, contestant in product(spec.seeds, spec.problems, values, spec.contestants)
    )


def point_dataset(spec: LabSpec, point: LabPoint) -> Dataset:
    """Return the samples of a point, the same for all contestants; raises DataError where the formula has no value."""
    problem, num_train = spec.problem(point.problem), num_samples(spec, point)
    return problem.sample(seed=point.seed, num_train=num_train, num_test=spec.num_test, noise=spec.noise)


def num_samples(spec: LabSpec, point: LabPoint) -> int:
    """Return how many training samples a point has."""
    is_swept = spec.sweep is not None and spec.sweep.variable == "samples" and point.value is not None
    return point.value if is_swept and point.value is not None else spec.num_train


def point_shape(spec: LabSpec, point: LabPoint) -> Shape:
    """Return the shape of a point's network."""
    problem, contestant = spec.problem(point.problem), spec.contestant(point.contestant)
    return network_shape(problem, contestant, spec.budget, spec.sweep, point.value)


def point_network(spec: LabSpec, point: LabPoint, dataset: Dataset) -> KAN | MLP:
    """Return a point's network as it is before training, float64; raises DataError when it cannot learn such data."""
    shape, generator = point_shape(spec, point), torch.Generator().manual_seed(point.seed)
    if isinstance(shape, MLPSpec):
        return MLP(shape, generator=generator, dataset=dataset)
    return KAN(shape, generator=generator, dtype=torch.float64)


def point_training(spec: LabSpec, point: LabPoint) -> TrainingSpec:
    """Return how a point is trained.

    The recipe "auto" goes through the swept grid sizes up to the point's own, but for those too coarse to begin with;
    where parameters are given it keeps to the grid that has so many, and else chooses its grids itself.
    """
    contestant, shape = spec.contestant(point.contestant), point_shape(spec, point)
    grids = swept_grids(spec, point)
    if grids is None and contestant.optimizer == "auto" and spec.budget.parameters is not None:
        grids = None if isinstance(shape, MLPSpec) else (shape.grid_size,)
    return contestant.training(seed=point.seed, grids=grids)


def say_unreachable(spec: LabSpec, point: LabPoint) -> str:
    """Return why the recipe "auto" cannot end on the point's own grid, empty where it can.

    It goes from grid to grid for as long as steps of Levenberg-Marquardt are affordable. What it would end with is a
    coarser point of the same sweep, computed once more.
    """
    grids, contestant = swept_grids(spec, point), spec.contestant(point.contestant)
    if grids is None:
        return ""
    problem, num_train = spec.problem(point.problem), num_samples(spec, point)
    num_learnt = num_train - round(HELD_OUT * num_train)
    sizes = [
        count_parameters(network_shape(problem, contestant, spec.budget, spec.sweep, size))
        for size in (grids[0], grids[-1])
    ]
    if is_affordable(sizes[1], num_learnt) or not is_affordable(sizes[0], num_learnt):
        return ""
    return (
        f"With {grids[-1]} intervals there are {sizes[1]:,} parameters, for which a step of Levenberg-Marquardt takes "
        "too long: the recipe ends on a coarser grid, which is another point."
    )


def swept_grids(spec: LabSpec, point: LabPoint) -> tuple[int, ...] | None:
    """Return the grids that the recipe goes through where they are swept, None otherwise.

    It is not sent through grids that are coarser than it would begin with by itself: on those, the next one is often no
    better (J0(20x) is met better by 3 intervals than by 5), and there it would end.
    """
    contestant = spec.contestant(point.contestant)
    is_swept = spec.sweep is not None and spec.sweep.variable == "grid_size"
    if not is_swept or spec.sweep is None or point.value is None or contestant.optimizer != "auto":
        return None
    return tuple(size for size in spec.sweep.values if COARSE_GRID <= size <= point.value) or (point.value,)
