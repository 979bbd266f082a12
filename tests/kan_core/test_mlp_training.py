"""The perceptron's trainer: it learns by every optimizer, repeats itself, and says what is not its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kan_core import MLP, MLPSpec, MLPTrainer, Outcome, TrainingSpec
from kan_core.errors import SpecError
from tests.kan_core.problems_for_tests import exp_sin_dataset, moons_dataset


def make_mlp(*, widths: tuple[int, ...] = (2, 8, 1), activation: str = "tanh") -> MLP:
    spec = MLPSpec(widths=widths, activation=activation)
    return MLP(spec, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "steps", "bound"), [("adam", 1500, 0.2), ("lbfgs", 300, 0.2), ("lm", 60, 0.1)])
def test_optimizers_learn(optimizer: str, steps: int, bound: float) -> None:
    mlp, data = make_mlp(widths=(2, 16, 1)), exp_sin_dataset(num_samples=400)
    trainer = MLPTrainer(mlp, data, TrainingSpec(optimizer=optimizer))
    results = [trainer.step() for _ in range(steps)]
    assert [result.step for result in results] == list(range(1, steps + 1))
    assert results[-1].test_rmse < bound
    assert results[-1].outcome is not Outcome.DIVERGED


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lm"])
def test_errors_are_those_of_the_network_in_original_units(optimizer: str) -> None:
    data = exp_sin_dataset()
    trainer = MLPTrainer(make_mlp(), data, TrainingSpec(optimizer=optimizer))
    result = [trainer.step() for _ in range(3)][-1]
    for inputs, targets, error in (
        (data.train_inputs, data.train_targets, result.train_rmse),
        (data.test_inputs, data.test_targets, result.test_rmse),
    ):
        assert float((trainer.network(inputs) - targets).square().mean().sqrt().detach()) == pytest.approx(error)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lm"])
def test_the_same_seed_gives_the_same_numbers(optimizer: str) -> None:
    spec = TrainingSpec(optimizer=optimizer, batch_size=32, seed=3)
    first, second = (
        [trainer.step().train_rmse for _ in range(12)]
        for trainer in (MLPTrainer(make_mlp(), exp_sin_dataset(), spec) for _ in range(2))
    )
    assert first == second


def test_adam_steps_as_torchs_does() -> None:
    data = exp_sin_dataset(num_samples=50)
    trainer = MLPTrainer(make_mlp(), data, TrainingSpec(optimizer="adam", learning_rate=0.01))
    peer = trainer.network.copy()
    for parameter in peer.parameters():
        parameter.data = parameter.data.contiguous()
    optimizer = torch.optim.Adam(peer.parameters(), lr=0.01, eps=1e-8)
    for _ in range(20):
        trainer.step()
        optimizer.zero_grad()
        loss = ((peer(data.train_inputs) - data.train_targets) / peer.output_scale).square().mean()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(trainer.network(data.test_inputs), peer(data.test_inputs), rtol=1e-9, atol=1e-9)


def test_the_perceptron_given_is_left_alone() -> None:
    mlp = make_mlp()
    before = {name: tensor.clone() for name, tensor in mlp.state_dict().items()}
    MLPTrainer(mlp, exp_sin_dataset(), TrainingSpec(optimizer="lm")).step()
    for name, tensor in mlp.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_classes_are_learnt() -> None:
    data = moons_dataset()
    trainer = MLPTrainer(make_mlp(), data, TrainingSpec(optimizer="lm"))
    results = [trainer.step() for _ in range(30)]
    assert results[-1].test_rmse < 0.2


def test_divergence_is_a_value_and_keeps_the_perceptron_from_before() -> None:
    trainer = MLPTrainer(make_mlp(activation="relu"), exp_sin_dataset(), TrainingSpec(optimizer="adam"))
    trainer.step()
    with torch.no_grad():
        for layer in trainer.network.layers:
            layer.weight.fill_(1e200)
    result = trainer.step()
    assert result.outcome is Outcome.DIVERGED
    assert result.sentence.startswith("Training diverged at step 2; the network from before that step is kept.")
    assert np.all(trainer.network.layers[0].weight.detach().numpy() == 1e200)


def test_a_minimum_is_said() -> None:
    data = exp_sin_dataset(num_samples=30)
    trainer = MLPTrainer(make_mlp(widths=(2, 1)), data, TrainingSpec(optimizer="lm"))
    outcomes = [trainer.step().outcome for _ in range(30)]
    assert outcomes[0] is Outcome.OK
    assert outcomes[-1] is Outcome.CONVERGED


def test_large_perceptrons_are_trained_by_lbfgs() -> None:
    trainer = MLPTrainer(make_mlp(widths=(2, 700, 1)), exp_sin_dataset(num_samples=20), TrainingSpec(optimizer="lm"))
    assert trainer.step().sentence == (
        "A step of Levenberg-Marquardt with 2801 parameters on 20 samples takes too long to watch: "
        "L-BFGS trains instead."
    )


def test_settings_change_while_it_trains() -> None:
    trainer = MLPTrainer(make_mlp(), exp_sin_dataset(), TrainingSpec(optimizer="adam"))
    before = trainer.step()
    assert not trainer.set_spec(TrainingSpec(optimizer="adam", learning_rate=0.001))
    assert trainer.set_spec(TrainingSpec(optimizer="lm"))
    assert trainer.step().train_rmse < before.train_rmse


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (TrainingSpec(optimizer="auto"), "a perceptron is trained by adam, lbfgs or lm, received optimizer='auto'"),
        (TrainingSpec(l1=0.1), "sparsity is a KAN's, received l1=0.1 and entropy=0"),
    ],
)
def test_what_only_a_kan_has_is_refused(spec: TrainingSpec, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        MLPTrainer(make_mlp(), exp_sin_dataset(), spec)
