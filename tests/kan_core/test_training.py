"""Training: derivatives against finite differences, outcomes as values, sparsity that finds the structure."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from kan_core import KAN, Dataset, NetworkSpec, Outcome, Trainer, TrainingSpec, edge_importance, prune_edges
from kan_core.bases.basis import FloatArray
from kan_core.errors import SpecError
from kan_core.grids import fit_normalization
from kan_core.layer import join_weights
from kan_core.optimizers.objective import NetworkObjective
from kan_core.problems import CATALOGUE
from kan_core.training import OPTIMIZERS
from tests.kan_core.problems_for_tests import exp_sin_dataset, moons_dataset


def make_network(*, widths: tuple[int, ...] = (2, 3, 1), seed: int = 0, grid_size: int = 5) -> KAN:
    spec = NetworkSpec(widths=widths, grid_size=grid_size)
    return KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("data", [exp_sin_dataset(), moons_dataset()], ids=["regression", "classification"])
def test_gradient_jacobian_and_model_match_finite_differences(data: Dataset) -> None:
    network = fit_normalization(make_network(), data)
    objective = NetworkObjective(network, data, l1=0.05, entropy=0.05)
    start = objective.parameters
    _, gradient = objective.loss_and_gradient(start)
    direction = np.random.default_rng(0).normal(size=len(start))
    width = 1e-6
    ahead, behind = objective.loss(start + width * direction), objective.loss(start - width * direction)
    assert gradient @ direction == pytest.approx((ahead - behind) / (2 * width), rel=1e-6)
    *_, last = objective.models(start)
    np.testing.assert_allclose(last.gradient, gradient, atol=1e-13)


def in_order(gradients: tuple[torch.Tensor, ...]) -> FloatArray:
    """Return gradients of coefficients and base weights, layer by layer, in the order of free parameters."""
    pairs = zip(gradients[::2], gradients[1::2], strict=True)
    return np.concatenate([join_weights(of_c.numpy(), of_w.numpy()).ravel() for of_c, of_w in pairs])


def test_jacobian_is_autograds() -> None:
    data = exp_sin_dataset(num_samples=7)
    network = make_network(widths=(2, 3, 2))
    targets = torch.cat([data.train_targets, data.train_targets], dim=1)
    tests = torch.cat([data.test_targets, data.test_targets], dim=1)
    two = Dataset(
        train_inputs=data.train_inputs, train_targets=targets, test_inputs=data.test_inputs, test_targets=tests
    )
    objective = NetworkObjective(network.copy(), two)
    jacobian = objective.residual_jacobian(objective.parameters)
    parameters = [p for layer in network.layers for p in (layer.coefficients, layer.base_weights)]
    outputs = network.forward_reference(data.train_inputs)
    rows = [in_order(torch.autograd.grad(output, parameters, retain_graph=True)) for output in outputs.ravel()]
    np.testing.assert_allclose(jacobian, np.array(rows).reshape(7, 2, -1), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "steps", "bound"), [("adam", 600, 0.1), ("lbfgs", 400, 0.05), ("lm", 40, 0.02)])
def test_optimizers_learn(optimizer: str, steps: int, bound: float) -> None:
    trainer = Trainer(make_network(), exp_sin_dataset(num_samples=500), TrainingSpec(optimizer=optimizer))
    results = [trainer.step() for _ in range(steps)]
    assert [result.step for result in results] == list(range(1, steps + 1))
    assert results[-1].test_rmse < bound
    assert results[-1].outcome is not Outcome.DIVERGED


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lm"])
def test_the_same_seed_gives_the_same_numbers(optimizer: str) -> None:
    spec = TrainingSpec(optimizer=optimizer, l1=0.01, batch_size=32, seed=3)
    runs = [Trainer(make_network(), exp_sin_dataset(), spec) for _ in range(2)]
    first, second = ([trainer.step().train_rmse for _ in range(12)] for trainer in runs)
    assert first == second


def test_the_network_given_is_left_alone() -> None:
    network = make_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    Trainer(network, exp_sin_dataset(), TrainingSpec(optimizer="lm")).step()
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_divergence_is_a_value_and_keeps_the_last_finite_network() -> None:
    inputs = torch.linspace(-1, 1, 20, dtype=torch.float64).unsqueeze(1)
    data = Dataset(train_inputs=inputs, train_targets=inputs, test_inputs=inputs, test_targets=inputs)
    network = make_network(widths=(1, 2, 1))
    trainer = Trainer(network, data)
    trainer.step()
    with torch.no_grad():
        trainer.network.layers[1].base_weights.fill_(1e200)
        trainer.network.layers[0].base_weights.fill_(1e200)
    result = trainer.step()
    assert result.outcome is Outcome.DIVERGED
    assert result.sentence.startswith("Training diverged at step 2; the network from before that step is kept.")


def test_nothing_left_to_train_is_said() -> None:
    network = make_network(widths=(2, 1))
    trainer = Trainer(prune_edges(network, network.edges()), exp_sin_dataset())
    result = trainer.step()
    assert (result.outcome, result.sentence) == (
        Outcome.CONVERGED,
        "Nothing is left to train: every edge is cut, or its constants are held.",
    )


def test_changing_optimizer_and_network_does_not_jump() -> None:
    trainer = Trainer(make_network(), exp_sin_dataset(), TrainingSpec(optimizer="adam"))
    before = [trainer.step() for _ in range(5)][-1]
    for optimizer in ("lbfgs", "lm"):
        trainer.set_spec(TrainingSpec(optimizer=optimizer))
        after = trainer.step()
        assert after.train_rmse <= before.train_rmse
        trainer.replace_network(trainer.network)
        before = after


def test_levenberg_marquardt_hands_large_networks_to_lbfgs() -> None:
    network = make_network(widths=(2, 60, 8, 1), grid_size=5)
    trainer = Trainer(network, exp_sin_dataset(num_samples=20), TrainingSpec(optimizer="lm"))
    sentence = trainer.step().sentence
    assert sentence == (
        f"A step of Levenberg-Marquardt with {network.num_parameters} parameters on 20 samples takes too long to "
        "watch: L-BFGS trains instead."
    )


@pytest.mark.slow
def test_classification_learns_by_cross_entropy() -> None:
    data = moons_dataset()
    trainer = Trainer(make_network(), data, TrainingSpec(optimizer="lm", l1=0.001))
    result = [trainer.step() for _ in range(30)][-1]
    predicted = (trainer.network(data.test_inputs) > 0).to(torch.float64)
    assert float((predicted == data.test_targets).double().mean()) > 0.95
    assert math.isfinite(result.objective)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_sparse_training_finds_the_one_hidden_node(seed: int) -> None:
    data = exp_sin_dataset(seed=seed, num_samples=1000)
    network = KAN(NetworkSpec(), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    trainer = Trainer(network, data, TrainingSpec(optimizer="lm", l1=0.006, entropy=0.03))
    for _ in range(60):
        trainer.step()
    strong = [int((scores > 0.03).sum()) for scores in edge_importance(trainer.network, data.train_inputs)]
    assert strong == [2, 1]


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["exp_sin", "moons", "gravity", "nested_4"])
@pytest.mark.parametrize("seed", range(3))
def test_sparse_training_does_not_undo_what_it_learnt(problem: str, seed: int) -> None:
    data = CATALOGUE[problem].sample(seed=seed)
    widths = (data.num_inputs, *CATALOGUE[problem].hidden, data.num_outputs)
    network = KAN(NetworkSpec(widths=widths), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    trainer = Trainer(network, data, TrainingSpec(optimizer="lm", l1=0.006, entropy=0.03))
    results = [trainer.step() for _ in range(100)]
    settled = [result.objective for result in results[20:]]
    # ranges that follow their nodes may cost a little, never what was learnt
    assert max(settled) <= 1.5 * settled[0]
    assert settled[-1] <= settled[0]
    mean_predictor = float(data.train_targets.std(correction=0))
    assert results[-1].train_rmse < 0.3 * mean_predictor


def test_specs_out_of_bounds_are_refused() -> None:
    with pytest.raises(SpecError, match="optimizer is one of adam, lbfgs, lm, auto, received optimizer='sgd'"):
        TrainingSpec(optimizer="sgd")
    with pytest.raises(SpecError, match="learning_rate is a number above 0 to 10, received learning_rate=nan"):
        TrainingSpec(learning_rate=math.nan)


def test_a_narrow_network_learns_inputs_far_from_zero() -> None:
    x = torch.linspace(0, 60, 200, dtype=torch.float64).unsqueeze(1) + 1.7e9
    y = torch.sin((x - 1.7e9) / 10)
    data = Dataset(train_inputs=x, train_targets=y, test_inputs=x[::3], test_targets=y[::3])
    trainer = Trainer(KAN(NetworkSpec(widths=(1, 1), grid_size=10)), data, TrainingSpec(optimizer="lm"))
    assert [trainer.step() for _ in range(20)][-1].test_rmse < 1e-2


@pytest.mark.parametrize("scale", [1e-90, 1e90])
def test_targets_may_be_of_any_size(scale: float) -> None:
    data = exp_sin_dataset()
    scaled = Dataset(
        train_inputs=data.train_inputs,
        train_targets=data.train_targets * scale,
        test_inputs=data.test_inputs,
        test_targets=data.test_targets * scale,
    )
    trainer = Trainer(make_network(), scaled, TrainingSpec(optimizer="lm"))
    result = [trainer.step() for _ in range(20)][-1]
    assert result.test_rmse < 0.2 * float((data.test_targets.std(correction=0)) * scale)


@pytest.mark.parametrize(
    ("change", "begins_anew"),
    [
        ({"learning_rate": 0.5, "batch_size": 7}, False),
        ({}, False),
        ({"l1": 0.1}, True),
        ({"entropy": 0.1}, True),
        ({"seed": 1}, True),
        ({"grids": (5, 10)}, True),
        ({"optimizer": "lm"}, True),
    ],
)
def test_only_what_it_uses_starts_the_recipe_again(change: dict[str, Any], begins_anew: bool) -> None:
    spec = TrainingSpec(optimizer="auto")
    trainer = Trainer(make_network(widths=(2, 1, 1)), exp_sin_dataset(), spec)
    trainer.step()
    network = trainer.network
    assert trainer.set_spec(replace(spec, **change)) is begins_anew
    assert (trainer.network is not network) is begins_anew


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_test_sample_beyond_all_numbers_does_not_end_training(optimizer: str) -> None:
    data = exp_sin_dataset()
    far = data.test_inputs.clone()
    far[3, 0] = 9e60
    spec = NetworkSpec(widths=(2, 2, 2, 1), products=(0, 2, 2, 1))
    network = KAN(spec, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    trainer = Trainer(network, replace(data, test_inputs=far), TrainingSpec(optimizer=optimizer))
    result = trainer.step()
    assert (result.outcome, result.test_rmse) == (Outcome.OK, sys.float_info.max)
    assert trainer.rmse() == (result.train_rmse, result.test_rmse)
    assert result.train_rmse < 10


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lm"])
def test_ranges_that_would_lose_the_function_are_not_moved(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def flatten(network: KAN, *_: object, **__: object) -> KAN:
        flat = network.copy()
        with torch.no_grad():
            flat.layers[-1].coefficients.zero_()
            flat.layers[-1].base_weights.zero_()
        return flat

    data, spec = exp_sin_dataset(), TrainingSpec(optimizer=optimizer)
    moved = Trainer(make_network(), data, spec)
    with monkeypatch.context() as never:
        never.setattr("kan_core.training.RANGE_CHECK_INTERVAL", 10**9)
        left_alone = Trainer(make_network(), data, spec)
    expected = [left_alone.step() for _ in range(25)]
    # every node seems to have left its range, and every move loses what was learnt
    monkeypatch.setattr("kan_core.training.HIDDEN_MARGIN", -1.0)
    monkeypatch.setattr("kan_core.training.fit_ranges", flatten)
    assert [moved.step() for _ in range(25)] == expected
