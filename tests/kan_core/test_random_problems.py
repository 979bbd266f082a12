"""Training whatever data there may be: never NaN, never an undocumented exception, never worse than the mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kan_core import KAN, Dataset, NetworkSpec, Trainer, TrainingSpec, train
from kan_core.bases import BASES
from kan_core.errors import SpecError

FloatArray = NDArray[np.float64]
SHAPES = ("smooth", "wild", "step", "constant", "noise", "product")


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomProblem:
    """A data set and a network for it, drawn at random."""

    num_samples: int
    hidden: tuple[int, ...]
    num_inputs: int
    basis: str
    grid_size: int
    products: bool
    input_scale: float
    input_shift: float
    target_scale: float
    target_shift: float
    shape: str
    has_constant_column: bool
    has_duplicates: bool
    has_outliers: bool
    is_classification: bool
    dtype: torch.dtype
    seed: int

    def sample(self) -> Dataset:
        """Return the data: a fifth, at least one sample, is for testing."""
        generator = np.random.default_rng(self.seed)
        inputs = generator.uniform(-1, 1, (self.num_samples, self.num_inputs))
        if self.has_duplicates:
            inputs = inputs[generator.integers(0, max(1, self.num_samples // 3), self.num_samples)]
        if self.has_constant_column:
            inputs[:, 0] = 0.5
        targets = self._targets(inputs, generator)
        if self.has_outliers:
            inputs[generator.integers(0, self.num_samples)] *= 1e6
            targets[generator.integers(0, self.num_samples)] += 1e4
        if self.is_classification:
            targets = (targets > np.median(targets)).astype(float)
        else:
            targets = self.target_shift + self.target_scale * targets
        columns = torch.from_numpy(self.input_shift + self.input_scale * inputs).to(self.dtype)
        answers = torch.from_numpy(targets[:, None]).to(self.dtype)
        num_train = self.num_samples - max(1, self.num_samples // 5)
        return Dataset(
            train_inputs=columns[:num_train],
            train_targets=answers[:num_train],
            test_inputs=columns[num_train:],
            test_targets=answers[num_train:],
            task="classification" if self.is_classification else "regression",
        )

    def _targets(self, inputs: FloatArray, generator: np.random.Generator) -> FloatArray:
        total = inputs.sum(axis=1)
        return {
            "smooth": np.sin(3 * total),
            "wild": np.sin(40 * total),
            "step": np.sign(total),
            "constant": np.zeros(len(inputs)),
            "noise": generator.normal(size=len(inputs)),
            "product": inputs.prod(axis=1),
        }[self.shape]

    def network(self) -> KAN:
        """Return the fresh network."""
        widths = (self.num_inputs, *self.hidden, 1)
        products = (0, *(1 for _ in self.hidden), 0) if self.products else ()
        spec = NetworkSpec(widths=widths, products=products, basis=self.basis, grid_size=self.grid_size)
        return KAN(spec, generator=torch.Generator().manual_seed(self.seed), dtype=self.dtype)


def powers(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda power: 10.0**power)


@st.composite
def problems(draw: st.DrawFn) -> RandomProblem:
    """Return a random problem; the largest are rare, for the sake of time."""
    input_scale = draw(powers(-6, 6))
    target_scale = draw(powers(-6, 6))
    return RandomProblem(
        num_samples=draw(st.sampled_from([5, 6, 8, 13, 20, 50, 51, 100, 200, 300, 1000, 5000, 50_000])),
        hidden=draw(st.sampled_from([(), (1,), (2,), (5,), (2, 2), (3, 2, 1)])),
        num_inputs=draw(st.integers(1, 4)),
        basis=draw(st.sampled_from(sorted(BASES))),
        grid_size=draw(st.sampled_from([1, 2, 3, 5, 10, 20])),
        products=draw(st.booleans()),
        input_scale=input_scale,
        input_shift=draw(st.sampled_from([0.0, 0.0, input_scale, -100 * input_scale])),
        target_scale=target_scale,
        target_shift=draw(st.sampled_from([0.0, 0.0, target_scale, -100 * target_scale])),
        shape=draw(st.sampled_from(SHAPES)),
        has_constant_column=draw(st.booleans()),
        has_duplicates=draw(st.booleans()),
        has_outliers=draw(st.booleans()),
        is_classification=draw(st.sampled_from([False, False, False, True])),
        dtype=draw(st.sampled_from([torch.float32, torch.float64])),
        seed=draw(st.integers(0, 2**31)),
    )


# a deep network learns these by heart, and is sure of the wrong class where it does not
UNLEARNABLE_CLASSES = RandomProblem(
    num_samples=200,
    hidden=(3, 2, 1),
    num_inputs=4,
    basis="jacobi",
    grid_size=20,
    products=False,
    input_scale=1.0,
    input_shift=0.0,
    target_scale=1.0,
    target_shift=0.0,
    shape="wild",
    has_constant_column=False,
    has_duplicates=False,
    has_outliers=False,
    is_classification=True,
    dtype=torch.float32,
    seed=0,
)


def mean_error(data: Dataset) -> float:
    """Return the root mean square error of the best constant on the training samples."""
    targets = data.train_targets.double().numpy()
    return float(np.sqrt(np.square(targets - targets.mean()).mean()))


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problem=problems())
@example(problem=UNLEARNABLE_CLASSES)
def test_the_recipe_is_never_worse_than_the_mean(problem: RandomProblem) -> None:
    data = problem.sample()
    try:
        network = problem.network()
    except SpecError:
        # a size that the family does not have
        return
    result = train(network, data, max_steps=1000 if problem.num_samples <= 300 else 25)
    assert math.isfinite(result.end.train_rmse)
    assert not math.isnan(result.end.test_rmse)
    outputs = result.network(data.train_inputs).detach()
    assert bool(torch.isfinite(outputs).all())
    # probabilities are never quite 0 or 1
    size = 1000.0 if problem.is_classification else float(data.train_targets.abs().max()) + problem.target_scale
    assert result.end.train_rmse <= mean_error(data) * (1 + 1e-6) + 1e-6 * size


def steps_for(problem: RandomProblem, optimizer: str) -> int:
    """Return how many steps to do: few where one takes long."""
    most = {"adam": 40, "lbfgs": 15, "lm": 12}[optimizer]
    return most if problem.num_samples <= 1000 else max(3, most // 4)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problem=problems(), optimizer=st.sampled_from(["adam", "lbfgs", "lm"]))
def test_random_problems_train_to_finite_numbers(problem: RandomProblem, optimizer: str) -> None:
    data = problem.sample()
    try:
        network = problem.network()
    except SpecError:
        # a size that the family does not have
        return
    trainer = Trainer(network, data, TrainingSpec(optimizer=optimizer))
    results = [trainer.step() for _ in range(steps_for(problem, optimizer))]
    assert all(math.isfinite(one.train_rmse) and math.isfinite(one.test_rmse) for one in results)
    assert bool(torch.isfinite(trainer.network(data.train_inputs)).all())
