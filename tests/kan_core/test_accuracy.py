"""Root mean square errors of targets of any size, in both dtypes, by every way that computes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kan_core import KAN, Dataset, NetworkSpec, Outcome, Trainer, TrainingSpec, kernels
from kan_core.accuracy import measure_rmse, root_mean_square
from kan_core.mlp import MLP, MLPSpec
from kan_core.mlp_objective import MLPObjective
from tests.kan_core.problems_for_tests import exp_sin_dataset, moons_dataset

DATA = exp_sin_dataset(num_samples=80)


def scaled(scale: float, dtype: torch.dtype) -> Dataset:
    data = DATA
    return Dataset(
        train_inputs=data.train_inputs,
        train_targets=data.train_targets * scale,
        test_inputs=data.test_inputs,
        test_targets=data.test_targets * scale,
    ).to_dtype(dtype)


SCALES = [
    (1.0, torch.float32),
    (1e-25, torch.float32),
    (1e20, torch.float32),
    (1e-200, torch.float64),
    (1e200, torch.float64),
]


@pytest.mark.parametrize(("scale", "dtype"), SCALES)
def test_the_trainers_error_is_the_networks(scale: float, dtype: torch.dtype) -> None:
    data = scaled(scale, dtype)
    trainer = Trainer(KAN(NetworkSpec(widths=(2, 3, 1)), dtype=dtype), data, TrainingSpec(optimizer="adam"))
    results = [trainer.step() for _ in range(3)]
    assert [one.outcome for one in results] == [Outcome.OK] * 3
    train = measure_rmse(trainer.network, data.train_inputs, data.train_targets, data.task)
    test = measure_rmse(trainer.network, data.test_inputs, data.test_targets, data.task)
    assert (results[-1].train_rmse, results[-1].test_rmse) == pytest.approx((train, test), rel=1e-5, abs=0)
    assert 0.1 < train / (scale * float(DATA.train_targets.std())) < 2.0


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_perceptrons_error_is_its_outputs(scale: float) -> None:
    data = scaled(scale, torch.float64)
    mlp = MLP(MLPSpec(widths=(2, 4, 1)), dataset=data)
    errors = (mlp(data.train_inputs) - data.train_targets).detach().numpy()
    expected = scale * math.sqrt(float(np.square(errors / scale).mean()))
    assert MLPObjective(mlp, data).rmse()[0] == pytest.approx(expected, rel=1e-9, abs=0)


def test_errors_of_classes_are_those_of_probabilities() -> None:
    data = moons_dataset(num_samples=50)
    network = KAN(NetworkSpec(widths=(2, 3, 1)), dtype=torch.float64)
    expected = (torch.sigmoid(network(data.test_inputs)) - data.test_targets).square().mean().sqrt()
    assert measure_rmse(network, data.test_inputs, data.test_targets, data.task) == pytest.approx(expected.item())


def test_what_is_not_finite_is_infinite_and_nothing_is_zero() -> None:
    assert root_mean_square(np.array([1.0, math.nan])) == math.inf
    assert root_mean_square(np.array([1.0, math.inf])) == math.inf
    assert root_mean_square(np.zeros(3)) == 0.0


def test_sums_of_squares_are_in_float64() -> None:
    outputs, targets = np.full((1, 4), 3e-25, dtype=np.float32), np.zeros((1, 4), dtype=np.float32)
    assert kernels.mean_squared_error(outputs, targets) == pytest.approx(9e-50, rel=1e-6, abs=0)
    small = np.array([3e-25, 4e-25], dtype=np.float32)
    one = np.ones((2, 3), dtype=np.float32)
    found = kernels.root_mean_squared_error(one, np.zeros_like(one), small)
    assert found == pytest.approx(math.sqrt(12.5) * 1e-25, rel=1e-6, abs=0)
