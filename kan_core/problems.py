"""Ready problems, and data sets made from typed formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from kan_core.datasets import Dataset
from kan_core.errors import DataError
from kan_core.expressions import parse_expression
from kan_core.tables import LARGEST

FloatArray = NDArray[np.float64]
NUM_TRAIN = 1000
NUM_TEST = 1000
# streams of random numbers beside that of the inputs to train on
TESTING, NOISE, SCALE, TRAINING = 1, 2, 3, 4
NUM_SCALE = 10_000
# of points that are drawn at once
BLOCK = 1000
PointsFunction = Callable[[NDArray[np.int64], np.random.Generator], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A ready problem.

    A regression has an `expression` over `ranges`, name by name, or a `function` of inputs (N, I) where a formula would
    be too long to read; a classification a `points` function that returns inputs (N, 2) for given classes (N,).
    `hidden` are the widths that suit it.
    """

    name: str
    title: str
    description: str
    ranges: Mapping[str, tuple[float, float]]
    hidden: tuple[int, ...]
    expression: str | None = None
    function: Callable[[FloatArray], FloatArray] | None = None
    points: PointsFunction | None = None
    output_name: str = "f"

    @property
    def task(self) -> str:
        """Either "regression" or "classification"."""
        return "regression" if self.points is None else "classification"

    def sample(self, *, seed: int, num_train: int = NUM_TRAIN, num_test: int = NUM_TEST, noise: float = 0.0) -> Dataset:
        """Return samples drawn with `seed`; `noise` is relative to the targets' standard deviation.

        The first samples of a larger set are those of a smaller one, and the test samples are the same for both.
        """
        if self.points is None:
            evaluate = self.function or parse_expression(self.expression or "", list(self.ranges)).evaluate
            sizes = (num_train, num_test)
            return _sample(evaluate, self.ranges, sizes=sizes, noise=noise, seed=seed, output_name=self.output_name)
        parts = [
            _draw_points(self.points, num_train, (seed, TRAINING)),
            _draw_points(self.points, num_test, (seed, TESTING)),
        ]
        inputs, classes = (np.concatenate(rows) for rows in zip(*parts, strict=True))
        return _dataset(inputs, classes, num_train, "classification", tuple(self.ranges), self.output_name)


def sample_expression(
    expression: str,
    ranges: Mapping[str, tuple[float, float]],
    *,
    num_train: int = NUM_TRAIN,
    num_test: int = NUM_TEST,
    noise: float = 0.0,
    seed: int = 0,
    output_name: str = "f",
) -> Dataset:
    """Return uniform samples of a typed formula, Gaussian noise added to the training targets.

    Raises ExpressionError when it does not parse, and DataError when a range is empty or the formula has no finite real
    value somewhere in it.
    """
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise DataError(
                f"The range of {name} goes from a smaller to a larger number, received {low:g} to {high:g}."
            )
    evaluate = parse_expression(expression, list(ranges)).evaluate
    return _sample(evaluate, ranges, sizes=(num_train, num_test), noise=noise, seed=seed, output_name=output_name)


def _sample(
    evaluate: Callable[[FloatArray], FloatArray],
    ranges: Mapping[str, tuple[float, float]],
    *,
    sizes: tuple[int, int],
    noise: float,
    seed: int,
    output_name: str,
) -> Dataset:
    """Return uniform samples of a function of inputs (N, I), `sizes` those to train on and to test."""
    num_train, num_test = sizes

    def draw(stream: int | tuple[int, int], count: int) -> FloatArray:
        ends = zip(*ranges.values(), strict=True)
        return np.random.default_rng(stream).uniform(*ends, size=(count, len(ranges)))

    inputs = np.concatenate([draw(seed, num_train), draw((seed, TESTING), num_test)])
    targets = evaluate(inputs)
    if not np.isfinite(targets).all():
        row = int(np.flatnonzero(~np.isfinite(targets))[0])
        place = ", ".join(f"{name} = {value:.4g}" for name, value in zip(ranges, inputs[row], strict=True))
        raise DataError(f"The formula has no finite real value at {place}: change the formula or the ranges.")
    largest = float(np.abs(targets).max())
    if largest > LARGEST or 0 < largest < 1 / LARGEST:
        raise DataError(
            f"The formula's largest value is {largest:.3g}, beyond what can be computed with: scale it to a size "
            f"between {1 / LARGEST:g} and {LARGEST:g}."
        )
    if noise > 0:
        # of samples of its own, so that it is the same however many there are to train on
        typical = evaluate(draw((seed, SCALE), NUM_SCALE))
        scale = noise * typical[np.isfinite(typical)].std()
        targets[:num_train] += scale * np.random.default_rng((seed, NOISE)).normal(size=num_train)
    return _dataset(inputs, targets[:, None], num_train, "regression", tuple(ranges), output_name)


def _draw_points(points: PointsFunction, count: int, stream: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Return points (N, 2) and their classes (N, 1), drawn block by block so that fewer are the first of more."""
    drawn: list[tuple[FloatArray, NDArray[np.int64]]] = []
    for block in range(max(1, math.ceil(count / BLOCK))):
        generator = np.random.default_rng((*stream, block))
        classes = generator.integers(0, 2, BLOCK)
        drawn.append((points(classes, generator), classes))
    inputs, classes = (np.concatenate(rows)[:count] for rows in zip(*drawn, strict=True))
    return inputs, classes[:, None].astype(np.float64)


def _dataset(
    inputs: FloatArray, targets: FloatArray, num_train: int, task: str, input_names: Sequence[str], output_name: str
) -> Dataset:
    x, y = torch.from_numpy(inputs), torch.from_numpy(targets)
    return Dataset(
        train_inputs=x[:num_train],
        train_targets=y[:num_train],
        test_inputs=x[num_train:],
        test_targets=y[num_train:],
        task=task,
        input_names=tuple(input_names),
        output_names=(output_name,),
    )


def _moons(classes: NDArray[np.int64], generator: np.random.Generator) -> FloatArray:
    angle = generator.uniform(0, np.pi, len(classes))
    upper = classes == 0
    points = np.column_stack(
        [np.where(upper, np.cos(angle), 1 - np.cos(angle)), np.where(upper, np.sin(angle), 0.5 - np.sin(angle))]
    )
    return points + 0.1 * generator.normal(size=points.shape)


def _spirals(classes: NDArray[np.int64], generator: np.random.Generator) -> FloatArray:
    turn = np.sqrt(generator.uniform(0.02, 1, len(classes))) * 3 * np.pi
    angle = turn + np.pi * classes
    radius = turn / (3 * np.pi)
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return points + 0.02 * generator.normal(size=points.shape)


def _additive(x: FloatArray) -> FloatArray:
    return np.exp(np.square(np.sin(np.pi * x / 2)).mean(axis=1))


_UNIT = (-1.0, 1.0)
_PLANE = {"x": _UNIT, "y": _UNIT}
_FOUR = {f"x{k}": _UNIT for k in range(1, 5)}
_NESTED = "exp((sin(pi*(x1^2 + x2^2)) + sin(pi*(x3^2 + x4^2)))/2)"

_ALL = (
    Problem(
        name="exp_sin",
        title="exp(sin(πx) + y²)",
        description="The classic: a sine and a square meet in one node, and an exponential reads it.",
        expression="exp(sin(pi*x) + y^2)",
        ranges=_PLANE,
        hidden=(5,),
    ),
    Problem(
        name="product",
        title="x·y",
        description="Sums only, yet a product: the network finds a difference of squares.",
        expression="x*y",
        ranges=_PLANE,
        hidden=(4,),
    ),
    Problem(
        name="j0",
        title="J₀(20x)",
        description="A Bessel function with many waves on one edge: refine the grid to follow them.",
        expression="j0(20*x)",
        ranges={"x": (0.0, 1.0)},
        hidden=(),
    ),
    Problem(
        name="step",
        title="A step",
        description="A jump that no smooth curve can make: watch it ring, then lower the order to 0.",
        expression="step(x)",
        ranges={"x": _UNIT},
        hidden=(),
    ),
    Problem(
        name="kink",
        title="|x| + |y|",
        description="Two kinks: piecewise linear curves fit them exactly, cubic ones round them.",
        expression="abs(x) + abs(y)",
        ranges=_PLANE,
        hidden=(3,),
    ),
    Problem(
        name="nested_4",
        title="exp(½(sin π(x₁²+x₂²) + sin π(x₃²+x₄²)))",
        description="Four inputs and three levels: squares, sines, an exponential.",
        expression=_NESTED,
        ranges=_FOUR,
        hidden=(4, 2),
    ),
    Problem(
        name="additive_4",
        title="A sum of four functions",
        description="One curve an input and nothing between: the shape KANs are made for.",
        expression="sin(pi*x1) + x2^2 + exp(x3) + abs(x4)",
        ranges=_FOUR,
        hidden=(),
    ),
    Problem(
        name="additive_100",
        title="exp(mean of sin²(πxᵢ/2)), i = 1 … 100",
        description="A hundred inputs that meet in one sum, and an exponential: the number of inputs does no harm.",
        function=_additive,
        ranges={f"x{k}": _UNIT for k in range(1, 101)},
        hidden=(1,),
    ),
    Problem(
        name="ripple",
        title="cos(4r)/(1+r²)",
        description="A ripple around the centre: both inputs meet in r² first.",
        expression="cos(4*sqrt(x^2 + y^2))/(1 + x^2 + y^2)",
        ranges={"x": (-2.0, 2.0), "y": (-2.0, 2.0)},
        hidden=(3,),
    ),
    Problem(
        name="velocities",
        title="Adding velocities (relativity)",
        description="(u + v)/(1 + uv) with speeds in units of light: artanh turns it into a sum.",
        expression="(u + v)/(1 + u*v)",
        ranges={"u": (-0.9, 0.9), "v": (-0.9, 0.9)},
        hidden=(2,),
        output_name="w",
    ),
    Problem(
        name="pendulum",
        title="Period of a pendulum",
        description="T = 2π√(l/g), length in metres and gravity in m/s²: a power law is a sum of logarithms.",
        expression="2*pi*sqrt(l/g)",
        ranges={"l": (0.1, 2.0), "g": (1.6, 24.8)},
        hidden=(2,),
        output_name="T",
    ),
    Problem(
        name="gravity",
        title="Gravitation",
        description="F = m₁m₂/r² in units where G is 1.",
        expression="m1*m2/r^2",
        ranges={"m1": (1.0, 5.0), "m2": (1.0, 5.0), "r": (1.0, 3.0)},
        hidden=(3,),
        output_name="F",
    ),
    Problem(
        name="lens",
        title="A thin lens",
        description="The image distance 1/(1/f - 1/g) for objects beyond the focal length, in metres.",
        expression="1/(1/f - 1/g)",
        ranges={"f": (0.1, 0.5), "g": (1.0, 5.0)},
        hidden=(2,),
        output_name="b",
    ),
    Problem(
        name="gaussian",
        title="A normal density",
        description="exp(-θ²/2σ²)/√(2πσ²) from the Feynman lectures.",
        expression="exp(-t^2/(2*s^2))/sqrt(2*pi*s^2)",
        ranges={"t": (-3.0, 3.0), "s": (1.0, 3.0)},
        hidden=(3,),
        output_name="p",
    ),
    Problem(
        name="moons",
        title="Two moons",
        description="Two interleaved half circles to tell apart, by cross-entropy.",
        points=_moons,
        ranges={"x": (-1.2, 2.2), "y": (-0.8, 1.3)},
        hidden=(3,),
        output_name="class",
    ),
    Problem(
        name="spirals",
        title="Two spirals",
        description="Two arms wound one and a half times around each other: a hard boundary.",
        points=_spirals,
        ranges={"x": _UNIT, "y": _UNIT},
        hidden=(8, 4),
        output_name="class",
    ),
)

CATALOGUE: Mapping[str, Problem] = MappingProxyType({problem.name: problem for problem in _ALL})
