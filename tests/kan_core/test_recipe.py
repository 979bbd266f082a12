"""The recipe: what it says and when, what it keeps, when it stops, and that it gets there from any start."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from kan_core import (
    KAN,
    Dataset,
    EdgeId,
    NetworkSpec,
    Outcome,
    Trainer,
    TrainingSpec,
    fix_symbolic,
    prune_edge,
    suggest_symbolic,
    train,
)
from kan_core.accuracy import measure_rmse
from kan_core.errors import SpecError
from kan_core.families import edge_family, swap_basis
from kan_core.fitting import Fit, hold_out
from kan_core.grids import fit_normalization
from kan_core.optimizers.objective import NetworkObjective
from kan_core.optimizers.smoothing import SmoothedObjective, curve_widths, roughness
from kan_core.problems import CATALOGUE
from kan_core.recipe import PATIENCE, Rehearsal
from kan_core.refinement import Refinement
from kan_core.starts import Judge, coarse_size
from tests.kan_core.problems_for_tests import exp_sin_dataset, moons_dataset


def make_network(*, widths: tuple[int, ...] = (1, 1), seed: int = 0, grid_size: int = 5) -> KAN:
    spec = NetworkSpec(widths=widths, grid_size=grid_size)
    return KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def wave_dataset(*, num_samples: int = 200, noise: float = 0.0) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2 * num_samples, 1, generator=generator, dtype=torch.float64) * 2 - 1
    y = torch.sin(3 * x)
    y[:num_samples] += noise * torch.randn(num_samples, 1, generator=generator, dtype=torch.float64)
    return Dataset(
        train_inputs=x[:num_samples],
        train_targets=y[:num_samples],
        test_inputs=x[num_samples:],
        test_targets=y[num_samples:],
    )


def without_numbers(sentence: str) -> str:
    return re.sub(r"\d[\d.e+-]*\d|\d", "#", sentence)


def test_it_says_what_it_does_in_order() -> None:
    result = train(make_network(widths=(1, 2, 1)), wave_dataset(), max_steps=2000)
    said = [without_numbers(sentence) for sentence in result.sentences]
    kinds = [
        "Start # of #: the network as it is, on # intervals.",
        *["Start # of #: fresh curves, on # intervals."] * 4,
        "Start # was the best (validation error #); it goes on.",
        "Refined from # intervals to # intervals: at # the validation error was #.",
    ]
    assert [sentence for sentence in said if sentence in kinds] == kinds
    ends = ("reaches a validation error of # in # steps", "is stuck at a validation error of #: it is abandoned")
    assert sum(any(end in sentence for end in ends) for sentence in said) == 5
    assert said[-3].startswith("Refinement stops at # intervals: ")
    assert said[-2:] == [
        "Final polish on all training data (# samples).",
        "Done: # intervals, training error #.",
    ]
    assert result.end.outcome is Outcome.CONVERGED
    assert result.end.test_rmse < 1e-4


def test_a_single_layer_starts_once_and_grows_exact() -> None:
    result = train(make_network(), wave_dataset())
    assert result.sentences[0] == "Start 1 of 1: the network as it is, on 5 intervals."
    assert result.end.test_rmse < 1e-6


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, second, other = (train(make_network(widths=(2, 1, 1)), exp_sin_dataset(), seed=s) for s in (3, 3, 4))
    assert (first.sentences, first.end) == (second.sentences, second.end)
    assert first.end != other.end


def test_the_network_given_is_left_alone() -> None:
    network = make_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train(network, wave_dataset())
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_at_the_end_nothing_changes_any_more() -> None:
    trainer = Trainer(make_network(), wave_dataset(num_samples=50), TrainingSpec(optimizer="auto"))
    while (last := trainer.step()).outcome is Outcome.OK:
        pass
    network = trainer.network.copy()
    again = trainer.step()
    assert again == replace(last, step=last.step + 1, sentence="")
    torch.testing.assert_close(trainer.network.state_dict(), network.state_dict(), rtol=0, atol=0)


def test_the_network_shown_is_the_one_measured() -> None:
    data = wave_dataset()
    trainer = Trainer(make_network(), data, TrainingSpec(optimizer="auto"))
    sizes: set[int] = set()
    for _ in range(100):
        result = trainer.step()
        sizes.add(trainer.network.spec.grid_size)
        measured = measure_rmse(trainer.network, data.test_inputs, data.test_targets, data.task)
        assert result.test_rmse == measured
        assert trainer.rmse() == (result.train_rmse, result.test_rmse)
    assert {5, 10} <= sizes


def test_cut_and_symbolic_edges_are_kept() -> None:
    network = fit_normalization(make_network(widths=(2, 2, 1)), exp_sin_dataset())
    cut, fixed = EdgeId(layer=0, source=0, target=0), EdgeId(layer=0, source=1, target=1)
    square = suggest_symbolic(network, fixed, exp_sin_dataset().train_inputs)[0]
    network = fix_symbolic(prune_edge(network, cut), fixed, square)
    result = train(network, exp_sin_dataset(), max_steps=150)
    kinds = [result.network.kind(edge) for edge in network.edges()]
    assert kinds == [network.kind(edge) for edge in network.edges()]
    assert result.sentences[0] == "Start 1 of 1: the network as it is, on 5 intervals."
    assert result.sentences[2].startswith("The start is made (validation error ")


def test_refinement_stops_where_the_validation_error_rises() -> None:
    result = train(make_network(), wave_dataset(num_samples=300, noise=0.3))
    stop = next(sentence for sentence in result.sentences if sentence.startswith("Refinement stops"))
    assert re.fullmatch(
        r"Refinement stops at 5 intervals: at 10 the validation error (rose|only fell) from \S+ to \S+\.", stop
    )
    assert result.network.spec.grid_size == 5
    assert result.end.test_rmse < 0.1


def test_grids_that_are_asked_for_are_gone_through() -> None:
    trainer = Trainer(make_network(), wave_dataset(), TrainingSpec(optimizer="auto", grids=(3, 8)))
    sizes: list[int] = []
    while trainer.step().outcome is Outcome.OK:
        size = trainer.network.spec.grid_size
        sizes += [size] if not sizes or sizes[-1] != size else []
    assert sizes == [3, 8]


@pytest.mark.parametrize("grids", [(), (5, 5), (10, 5), (0, 5)])
def test_grids_that_do_not_grow_are_refused(grids: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match="grids"):
        TrainingSpec(optimizer="auto", grids=grids)


@pytest.mark.parametrize("num_samples", [1, 5, 21])
def test_few_samples_will_do(num_samples: int) -> None:
    result = train(make_network(widths=(2, 2, 1)), exp_sin_dataset(num_samples=num_samples))
    assert result.end.outcome is Outcome.CONVERGED
    assert math.isfinite(result.end.test_rmse)
    if num_samples < 20:
        reason = f"{num_samples} samples are too few to hold some out as a check"
        assert f"Refinement stops at 5 intervals: {reason}." in result.sentences
        assert "Start 1 of 5 reaches a training error of " in result.sentences[1]


def test_a_constant_target_is_learnt() -> None:
    data = wave_dataset(num_samples=40)
    flat = replace(data, train_targets=torch.full_like(data.train_targets, 7.0))
    result = train(make_network(), flat)
    assert result.end.outcome is Outcome.CONVERGED
    assert result.end.train_rmse < 1e-6


def test_nothing_left_to_train_ends_at_once() -> None:
    network = make_network()
    result = train(prune_edge(network, network.edges()[0]), wave_dataset())
    assert result.end.outcome is Outcome.CONVERGED
    assert "Refinement stops at 5 intervals: no curve is left to refine." in result.sentences


def test_limits_end_a_run_early() -> None:
    assert train(make_network(), wave_dataset(), max_steps=7).end.step == 7
    assert train(make_network(), wave_dataset(), seconds=0.0).end.step == 1


@pytest.mark.slow
def test_classification_learns() -> None:
    data = moons_dataset()
    result = train(make_network(widths=(2, 3, 1)), data)
    predicted = (result.network(data.test_inputs) > 0).to(torch.float64)
    assert float((predicted == data.test_targets).double().mean()) > 0.97
    assert result.end.outcome is Outcome.CONVERGED


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 6])
def test_every_start_finds_the_narrow_network(seed: int) -> None:
    data = CATALOGUE["exp_sin"].sample(seed=seed)
    assert train(make_network(widths=(2, 1, 1), seed=seed), data, seed=seed).end.test_rmse < 1e-4


@pytest.mark.slow
def test_sparsity_is_not_undone() -> None:
    data = exp_sin_dataset(num_samples=400)
    spec = TrainingSpec(optimizer="auto", l1=0.006, entropy=0.03)
    result = train(make_network(widths=(2, 3, 1)), data, spec=spec)
    spreads = result.network.trace(data.train_inputs).edge_outputs[1].std(dim=0)
    assert int((spreads > 0.03 * spreads.max()).sum()) == 1


def test_the_optimizer_can_be_changed_on_the_way() -> None:
    trainer = Trainer(make_network(), wave_dataset(), TrainingSpec(optimizer="lm"))
    before = [trainer.step() for _ in range(10)][-1]
    trainer.set_spec(TrainingSpec(optimizer="auto"))
    trainer.step()
    assert trainer.network.spec.grid_size == 5
    trainer.set_spec(TrainingSpec(optimizer="lbfgs"))
    assert trainer.step().train_rmse <= 1.1 * before.train_rmse


def test_smoothing_has_the_derivatives_it_says() -> None:
    data = exp_sin_dataset()
    network = fit_normalization(make_network(widths=(2, 2, 1)), data)
    smoothed = SmoothedObjective(
        NetworkObjective(network, data), num_residuals=200, widths=curve_widths(network, loss=0.1)
    )
    smoothed.weigh()
    start = smoothed.parameters
    loss, gradient = smoothed.loss_and_gradient(start)
    direction = np.random.default_rng(0).normal(size=len(start))
    ahead, behind = (smoothed.loss(start + step * direction) for step in (1e-6, -1e-6))
    assert gradient @ direction == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)
    (model,) = smoothed.models(start)
    assert model.loss == pytest.approx(loss)
    np.testing.assert_allclose(model.gradient, gradient, atol=1e-12)


def test_parabolas_are_not_rough() -> None:
    layer = make_network().layers[0]
    points = torch.linspace(-1, 1, 50, dtype=torch.float64)
    values = layer.bases[0].values(points)
    parabola, cubic = (torch.linalg.lstsq(values, points.unsqueeze(1) ** power).solution.numpy() for power in (2, 3))
    matrix = roughness(layer.bases[0])
    assert float((parabola.T @ matrix @ parabola)[0, 0]) == pytest.approx(0.0, abs=1e-12)
    assert float((cubic.T @ matrix @ cubic)[0, 0]) > 1e-3


def test_samples_are_held_out_from_the_training_data_only() -> None:
    data = wave_dataset(num_samples=100)
    split = hold_out(data, seed=0)
    assert split is not None
    parts = torch.cat([split.train_inputs, split.test_inputs])
    assert (len(split.train_inputs), len(split.test_inputs)) == (80, 20)
    torch.testing.assert_close(parts.sort(dim=0).values, data.train_inputs.sort(dim=0).values, rtol=0, atol=0)


@pytest.mark.slow
def test_waves_too_fast_for_the_first_grid_are_learnt() -> None:
    data = CATALOGUE["j0"].sample(seed=0)
    network = KAN(NetworkSpec(widths=(1, 1)), dtype=torch.float64)
    assert train(network, data).end.test_rmse < 1e-6


def test_fresh_starts_have_the_families_of_single_edges() -> None:
    network = make_network(widths=(2, 1, 1))
    for source in range(2):
        network = swap_basis(network, EdgeId(layer=0, source=source, target=0), "fourier")
    families = [edge_family(network, edge) for edge in network.edges()]
    trainer = Trainer(network, exp_sin_dataset(), TrainingSpec(optimizer="auto"))
    said = ""
    while "Start 3 of 5" not in said:
        said = trainer.step().sentence
        assert [edge_family(trainer.network, edge) for edge in trainer.network.edges()] == families


def test_training_by_the_recipe_takes_everything_of_a_spec_but_its_optimizer() -> None:
    result = train(make_network(), wave_dataset(), spec=TrainingSpec(l1=0.01), max_steps=2000)
    assert result.sentences[-1].startswith("Done: ")


@pytest.mark.parametrize(("size", "coarse"), [(50, 5), (49, 5), (47, 5), (12, 4), (7, 5), (3, 3), (1, 1)])
def test_starts_are_coarse_whatever_the_grid(size: int, coarse: int) -> None:
    assert coarse_size(size) == coarse


@pytest.mark.parametrize(
    ("errors", "middles", "kept"),
    [
        # the error rises, but most samples come nearer: the next grid is looked at, and not kept
        ([1.0, 1.2, 1.1], [1.0, 0.4, 0.4], 5),
        # the same, and the next grid is worth it
        ([1.0, 1.2, 0.5, 0.6], [1.0, 0.4, 0.1, 0.1], 20),
        # most samples stay where they are: no further grid is looked at
        ([1.0, 1.2], [1.0, 0.9], 5),
        ([1.0, 0.5, 0.5], [1.0, 0.9, 0.9], 10),
    ],
)
def test_what_is_kept_is_the_grid_with_the_smallest_error(
    errors: list[float], middles: list[float], kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"error": iter(errors), "middle_error": iter(middles)}
    for name, numbers in script.items():

        def scripted(_: Judge, __: KAN, numbers: Iterator[float] = numbers) -> float:
            return next(numbers)

        monkeypatch.setattr(Judge, name, scripted)
    data = wave_dataset()
    judge = Judge(data, data.train_inputs, is_held_out=True)
    refinement = Refinement(fit_normalization(make_network(), data), judge, l1=0.0, entropy=0.0, grids=None)
    while not refinement.is_done:
        refinement.step()
    assert refinement.network.spec.grid_size == kept
    assert next(script["error"], None) is None


def test_starts_that_are_stuck_are_abandoned() -> None:
    result = train(make_network(widths=(2, 1, 1)), exp_sin_dataset(num_samples=500), seed=7)
    assert any("is stuck" in sentence for sentence in result.sentences)


def test_a_trained_network_goes_on_alone() -> None:
    data = exp_sin_dataset(num_samples=500)
    first = train(make_network(widths=(2, 1, 1)), data)
    again = train(first.network, data)
    assert again.sentences[0].startswith("Start 1 of 1: the network as it is, on ")
    assert again.end.test_rmse < 2 * first.end.test_rmse


def test_grids_must_be_those_of_the_family() -> None:
    network = KAN(NetworkSpec(widths=(1, 1), basis="chebyshev"))
    with pytest.raises(SpecError, match="grid_size"):
        Trainer(network, wave_dataset(), TrainingSpec(optimizer="auto", grids=(5, 200)))


def test_grids_that_are_asked_for_hold_for_cut_networks_too() -> None:
    network = fit_normalization(make_network(widths=(2, 2, 1), grid_size=10), exp_sin_dataset())
    network = prune_edge(network, EdgeId(layer=0, source=0, target=0))
    result = train(network, exp_sin_dataset(), spec=TrainingSpec(grids=(5, 15)), max_steps=400)
    assert result.sentences[0].startswith("Start 1 of 1: the network as it is, on 5 intervals")


def test_noise_that_cannot_be_learnt_is_told() -> None:
    data = wave_dataset(num_samples=60)
    noise = torch.randn(60, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    result = train(make_network(widths=(1, 2, 1)), replace(data, train_targets=noise))
    assert "is no better than the mean's" in result.sentences[-1]
    clean = train(make_network(widths=(1, 2, 1)), data)
    assert "mean" not in clean.sentences[-1]


def test_the_polish_stops_where_the_rehearsal_was_best(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter([1.0, 0.9, 0.8, 0.85, *[0.9] * 100])

    def scripted(_: Judge, __: KAN) -> float:
        return next(errors)

    data = wave_dataset(noise=0.3)
    fit = Fit(fit_normalization(make_network(), data), data)
    judge = Judge(data, data.train_inputs, is_held_out=True)
    monkeypatch.setattr(Judge, "error", scripted)
    rehearsal = Rehearsal(fit, judge)
    while not rehearsal.is_over:
        rehearsal.step()
    assert rehearsal.num_steps == 2
    assert len(fit.losses) <= 2 + PATIENCE


@pytest.mark.slow
def test_the_polish_of_noisy_data_does_not_spoil_them() -> None:
    for seed in range(6):
        data = CATALOGUE["exp_sin"].sample(seed=seed, num_train=150, noise=0.3)
        trainer = Trainer(make_network(widths=(2, 3, 1), seed=seed), data, TrainingSpec(optimizer="auto", seed=seed))
        before = math.inf
        while (result := trainer.step()).outcome is Outcome.OK:
            if result.sentence.startswith("Refinement stops"):
                before = result.test_rmse
        assert result.test_rmse < 1.25 * before
