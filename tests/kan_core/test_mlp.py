"""The perceptron: torch's own numbers, derivatives against autograd, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kan_core import Dataset, features
from kan_core.errors import DataError, SpecError
from kan_core.mlp import ACTIVATIONS, MLP, MLPObjective, MLPSpec
from kan_core.optimizers.lbfgs import LBFGSState, lbfgs_step
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, levenberg_marquardt_step
from tests.kan_core.problems_for_tests import exp_sin_dataset, moons_dataset

DATA = exp_sin_dataset(num_samples=60)


def make_mlp(*, widths: tuple[int, ...] = (2, 5, 4, 1), activation: str = "silu", data: Dataset = DATA) -> MLP:
    spec = MLPSpec(widths=widths, activation=activation)
    return MLP(spec, generator=torch.Generator().manual_seed(0), dataset=data)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_and_parameters_are_torchs(activation: str) -> None:
    mlp = make_mlp(activation=activation)
    module = ACTIVATIONS[activation][1]()
    first, second, third = mlp.layers
    x = (DATA.test_inputs - mlp.input_shift) / mlp.input_scale
    expected = mlp.output_shift + mlp.output_scale * third(module(second(module(first(x)))))
    torch.testing.assert_close(mlp(DATA.test_inputs), expected, rtol=0, atol=0)
    assert mlp.spec.num_parameters == sum(parameter.numel() for parameter in mlp.parameters())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_gradient_and_curvature_are_autograds(activation: str) -> None:
    two = Dataset(
        train_inputs=DATA.train_inputs,
        train_targets=torch.cat([DATA.train_targets, DATA.train_inputs[:, :1]], dim=1),
        test_inputs=DATA.test_inputs,
        test_targets=torch.cat([DATA.test_targets, DATA.test_inputs[:, :1]], dim=1),
    )
    mlp = make_mlp(widths=(2, 4, 3, 2), activation=activation, data=two)
    objective = MLPObjective(mlp, two)
    start = objective.parameters
    scaled = (two.train_targets - mlp.output_shift) / mlp.output_scale

    def residuals() -> torch.Tensor:
        return (mlp(two.train_inputs) - mlp.output_shift) / mlp.output_scale - scaled

    def flat(gradients: tuple[torch.Tensor, ...]) -> np.ndarray:
        pairs = zip(gradients[::2], gradients[1::2], strict=True)
        return np.concatenate([torch.cat([w, b.unsqueeze(1)], dim=1).ravel().numpy() for w, b in pairs])

    parameters = list(mlp.parameters())
    expected = residuals().square().mean()
    loss, gradient = objective.loss_and_gradient(start)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-12)
    np.testing.assert_allclose(gradient, flat(torch.autograd.grad(expected, parameters)), rtol=1e-8, atol=1e-12)
    rows = [flat(torch.autograd.grad(r, parameters, retain_graph=True)) for r in residuals().T.ravel()]
    jacobian = np.array(rows)
    (model,) = objective.models(start)
    np.testing.assert_allclose(model.curvature, 2 * jacobian.T @ jacobian / len(rows), rtol=1e-8, atol=1e-12)


def test_blocks_of_samples_change_no_curvature(monkeypatch: pytest.MonkeyPatch) -> None:
    # a block is never of fewer than 64 samples
    data = exp_sin_dataset(num_samples=200)
    objective = MLPObjective(make_mlp(data=data), data)
    (whole,) = objective.models(objective.parameters)
    monkeypatch.setattr(features, "BLOCK_BYTES", 1)
    (parted,) = objective.models(objective.parameters)
    np.testing.assert_allclose(parted.curvature, whole.curvature, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("columns", [1, 3])
def test_other_columns_are_refused(columns: int) -> None:
    inputs = torch.zeros(5, columns, dtype=torch.float64)
    with pytest.raises(DataError, match=rf"inputs have the shape \(samples, 2\), received shape=\(5, {columns}\)"):
        make_mlp()(inputs)
    with pytest.raises(DataError, match=r"widths=\(2, 5, 1\) needs 2 inputs and 1 outputs, received"):
        MLPObjective(
            MLP(MLPSpec(widths=(2, 5, 1))),
            Dataset(train_inputs=inputs, train_targets=inputs, test_inputs=inputs, test_targets=inputs),
        )


def test_classes_are_refused() -> None:
    data, message = moons_dataset(), "a perceptron is fitted to a regression, received task='classification'"
    with pytest.raises(DataError, match=message):
        MLPObjective(MLP(MLPSpec(widths=(2, 5, 1))), data)
    with pytest.raises(DataError, match=message):
        make_mlp(data=data)


def test_levenberg_marquardt_and_lbfgs_learn() -> None:
    data = exp_sin_dataset(num_samples=300)
    lm, lbfgs = MLPObjective(make_mlp(data=data), data), MLPObjective(make_mlp(data=data), data)
    point, state = lm.parameters, LevenbergMarquardtState()
    for _ in range(60):
        point, _, state = levenberg_marquardt_step(lm, point, state)
    lm.loss(point)
    assert lm.rmse()[0] < 0.05
    other, memory = lbfgs.parameters, LBFGSState()
    for _ in range(200):
        other, _, memory = lbfgs_step(lbfgs, other, memory)
    assert lbfgs.rmse()[0] < 0.1
    torch.testing.assert_close(
        lm.mlp(data.train_inputs).sub(data.train_targets).square().mean().sqrt().item(), lm.rmse()[0]
    )


def test_the_same_seed_gives_the_same_perceptron() -> None:
    left, right = make_mlp(), make_mlp()
    for one, other in zip(left.parameters(), right.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": (2,)}, r"widths has at least 2 entries, received widths=\(2,\)"),
        ({"widths": (2, 0, 1)}, r"widths\[1\] is an integer from 1 to 4096"),
        ({"activation": "sine"}, "activation is one of relu, leaky_relu, gelu, silu, tanh, sigmoid"),
    ],
)
def test_specs_out_of_bounds_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        MLPSpec(**arguments)  # pyright: ignore[reportArgumentType]
