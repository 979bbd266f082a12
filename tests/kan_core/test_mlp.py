"""The perceptron: torch's own numbers, derivatives against autograd, and what it learns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import Dataset, features
from kan_core.activations import ACTIVATIONS
from kan_core.errors import DataError, SpecError
from kan_core.mlp import MLP, MLPSpec
from kan_core.mlp_objective import MLPObjective
from kan_core.optimizers.lbfgs import LBFGSState, lbfgs_step
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, levenberg_marquardt_step
from tests.kan_core.problems_for_tests import exp_sin_dataset, moons_dataset

DATA = exp_sin_dataset(num_samples=60)


def make_mlp(
    *,
    widths: tuple[int, ...] = (2, 5, 4, 1),
    activation: str | tuple[str, ...] = "silu",
    output_tanh: bool = False,
    data: Dataset = DATA,
) -> MLP:
    spec = MLPSpec(widths=widths, activation=activation, output_tanh=output_tanh)
    return MLP(spec, generator=torch.Generator().manual_seed(0), dataset=data)


def torchs_own(mlp: MLP) -> torch.nn.Sequential:
    """Return the perceptron without its scalings, made of torch's modules alone."""
    modules = {
        "relu": torch.nn.ReLU,
        "leaky_relu": torch.nn.LeakyReLU,
        "gelu": torch.nn.GELU,
        "silu": torch.nn.SiLU,
        "tanh": torch.nn.Tanh,
        "sigmoid": torch.nn.Sigmoid,
    }
    spec = mlp.spec
    names = [spec.activation] * (len(spec.widths) - 2) if isinstance(spec.activation, str) else spec.activation
    parts: list[torch.nn.Module] = []
    for index, (left, right) in enumerate(pairwise(spec.widths)):
        parts.append(torch.nn.Linear(left, right))
        if index < len(names):
            parts.append(modules[names[index]]())
    if spec.output_tanh:
        parts.append(torch.nn.Tanh())
    peer = torch.nn.Sequential(*parts).double()
    with torch.no_grad():
        for mine, theirs in zip(mlp.parameters(), peer.parameters(), strict=True):
            theirs.copy_(mine)
    return peer


@given(
    widths=st.lists(st.integers(1, 12), min_size=2, max_size=6),
    names=st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=4, max_size=4),
    is_one=st.booleans(),
    output_tanh=st.booleans(),
    seed=st.integers(0, 10_000),
)
@pytest.mark.slow
def test_of_any_shape_outputs_and_parameters_are_torchs(
    widths: list[int], names: list[str], is_one: bool, output_tanh: bool, seed: int
) -> None:
    activation = names[0] if is_one else tuple(names[: len(widths) - 2])
    spec = MLPSpec(widths=tuple(widths), activation=activation, output_tanh=output_tanh)
    mlp = MLP(spec, generator=torch.Generator().manual_seed(seed))
    peer = torchs_own(mlp)
    inputs = 3.0 * torch.randn(7, widths[0], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    torch.testing.assert_close(mlp(inputs), peer(inputs), rtol=0, atol=0)
    assert spec.num_parameters == sum(parameter.numel() for parameter in peer.parameters())


@pytest.mark.parametrize("output_tanh", [False, True])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("relu", "tanh"), ("gelu", "sigmoid")])
def test_outputs_and_parameters_are_torchs(activation: str | tuple[str, ...], output_tanh: bool) -> None:
    mlp = make_mlp(activation=activation, output_tanh=output_tanh)
    peer = torchs_own(mlp)
    x = (DATA.test_inputs - mlp.input_shift) / mlp.input_scale
    torch.testing.assert_close(mlp(DATA.test_inputs), mlp.output_shift + mlp.output_scale * peer(x), rtol=0, atol=0)
    assert mlp.spec.num_parameters == sum(parameter.numel() for parameter in peer.parameters())


def test_tanh_at_the_end_reaches_every_target() -> None:
    mlp = make_mlp(output_tanh=True)
    low, high = mlp.output_shift - mlp.output_scale, mlp.output_shift + mlp.output_scale
    least, most = DATA.train_targets.min(), DATA.train_targets.max()
    margin = 0.1 * (most - least)
    torch.testing.assert_close(torch.cat([low, high]), torch.stack([least - margin, most + margin]))


def two_outputs() -> Dataset:
    """Return a regression of two targets."""
    return Dataset(
        train_inputs=DATA.train_inputs,
        train_targets=torch.cat([DATA.train_targets, DATA.train_inputs[:, :1]], dim=1),
        test_inputs=DATA.test_inputs,
        test_targets=torch.cat([DATA.test_targets, DATA.test_inputs[:, :1]], dim=1),
    )


def flat(gradients: tuple[torch.Tensor, ...]) -> np.ndarray:
    """Return gradients of weights and biases in the order of an objective's parameters."""
    pairs = zip(gradients[::2], gradients[1::2], strict=True)
    return np.concatenate([torch.cat([w, b.unsqueeze(1)], dim=1).ravel().numpy() for w, b in pairs])


@pytest.mark.parametrize("output_tanh", [False, True])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("relu", "tanh")])
def test_loss_gradient_and_curvature_are_autograds(activation: str | tuple[str, ...], output_tanh: bool) -> None:
    two = two_outputs()
    mlp = make_mlp(widths=(2, 4, 3, 2), activation=activation, output_tanh=output_tanh, data=two)
    objective = MLPObjective(mlp, two)
    start = objective.parameters
    scaled = (two.train_targets - mlp.output_shift) / mlp.output_scale

    def residuals() -> torch.Tensor:
        return (mlp(two.train_inputs) - mlp.output_shift) / mlp.output_scale - scaled

    parameters = list(mlp.parameters())
    expected = residuals().square().mean()
    loss, gradient = objective.loss_and_gradient(start)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-12)
    np.testing.assert_allclose(gradient, flat(torch.autograd.grad(expected, parameters)), rtol=1e-8, atol=1e-12)
    rows = [flat(torch.autograd.grad(r, parameters, retain_graph=True)) for r in residuals().T.ravel()]
    jacobian = np.array(rows)
    (model,) = objective.models(start)
    np.testing.assert_allclose(model.curvature, 2 * jacobian.T @ jacobian / len(rows), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("data", [two_outputs(), moons_dataset(num_samples=60)], ids=["regression", "classification"])
@pytest.mark.parametrize("activation", ["gelu", ("sigmoid", "tanh")])
def test_the_gradient_is_what_finite_differences_say(data: Dataset, activation: str | tuple[str, ...]) -> None:
    widths = (2, 4, 3, data.num_outputs)
    tanh = data.task == "regression"
    objective = MLPObjective(make_mlp(widths=widths, activation=activation, output_tanh=tanh, data=data), data)
    start = objective.parameters
    _, gradient = objective.loss_and_gradient(start)
    width, found = 1e-6, np.empty_like(start)
    for index in range(len(start)):
        step = width * np.eye(len(start))[index]
        found[index] = (objective.loss(start + step) - objective.loss(start - step)) / (2 * width)
    np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-9)


def test_cross_entropy_its_gradient_and_curvature_are_torchs() -> None:
    data = moons_dataset(num_samples=60)
    mlp = make_mlp(widths=(2, 4, 1), activation="tanh", data=data)
    objective = MLPObjective(mlp, data)
    parameters = list(mlp.parameters())
    logits = mlp(data.train_inputs)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, data.train_targets)
    loss, gradient = objective.loss_and_gradient(objective.parameters)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-12)
    np.testing.assert_allclose(
        gradient, flat(torch.autograd.grad(expected, parameters, retain_graph=True)), rtol=1e-8, atol=1e-12
    )
    rows = np.array([flat(torch.autograd.grad(one, parameters, retain_graph=True)) for one in logits.ravel()])
    share = torch.sigmoid(logits.detach()).numpy()
    weighted = rows * (share * (1 - share)) / len(rows)
    (model,) = objective.models(objective.parameters)
    np.testing.assert_allclose(model.curvature, rows.T @ weighted, rtol=1e-8, atol=1e-12)
    error = float((torch.sigmoid(mlp(data.test_inputs)) - data.test_targets).square().mean().sqrt().detach())
    assert objective.rmse()[1] == pytest.approx(error, rel=1e-12)


def test_a_batch_is_those_samples_alone() -> None:
    two = two_outputs()
    objective = MLPObjective(make_mlp(widths=(2, 4, 2), data=two), two)
    chosen = np.array([3, 1, 40])
    rows = torch.from_numpy(chosen)
    few = Dataset(
        train_inputs=two.train_inputs[rows],
        train_targets=two.train_targets[rows],
        test_inputs=two.test_inputs,
        test_targets=two.test_targets,
    )
    alone = MLPObjective(objective.mlp.copy(), few)
    loss, gradient = objective.loss_and_gradient(objective.parameters, batch=chosen)
    expected_loss, expected = alone.loss_and_gradient(alone.parameters)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)


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


def test_classes_are_not_squeezed_through_tanh() -> None:
    with pytest.raises(DataError, match="outputs for classes are any real number, received output_tanh=True"):
        make_mlp(output_tanh=True, data=moons_dataset())


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
        ({"activation": ("relu",)}, r"a name for each of 2 hidden layers, received activation=\('relu',\): give 2"),
        ({"activation": ("relu", "sine")}, r"activation\[1\] is one of relu, leaky_relu"),
        ({"activation": 3}, "activation is a name or a row of names, received activation=3"),
        ({"output_tanh": 1}, "output_tanh is true or false, received output_tanh=1"),
    ],
)
def test_specs_out_of_bounds_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        MLPSpec(**arguments)  # pyright: ignore[reportArgumentType]
