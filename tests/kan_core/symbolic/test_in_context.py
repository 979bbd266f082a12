"""Refits around a formula, and formulas judged by what the whole network makes of them."""

from __future__ import annotations

import math

import pytest
import torch

from kan_core import KAN, Dataset, EdgeId, NetworkSpec, Trainer, TrainingSpec, lock_symbolic, suggest_symbolic
from kan_core.accuracy import measure_rmse
from kan_core.errors import EdgeError
from kan_core.problems import CATALOGUE
from kan_core.symbolic.edges import edge_form, fix_symbolic
from kan_core.symbolic.in_context import Trial, in_context, rank_in_context
from kan_core.symbolic.refit import FEWEST_STEPS, Refit, refit

INNER = EdgeId(layer=0, source=1, target=0)


def trained(dataset: Dataset, *, num_steps: int = 30) -> KAN:
    """Return a network of one hidden node near exp(sin πx + y²)."""
    network = KAN(NetworkSpec(widths=(2, 1, 1)), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    trainer = Trainer(network, dataset, TrainingSpec(optimizer="lm"))
    for _ in range(num_steps):
        trainer.step()
    return trainer.network.copy()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Samples of exp(sin πx + y²)."""
    return CATALOGUE["exp_sin"].sample(seed=0)


@pytest.fixture(scope="module")
def network(dataset: Dataset) -> KAN:
    """A network that has learned them; tests leave it alone."""
    return trained(dataset)


def values(network: KAN) -> dict[str, list[float]]:
    """Return every parameter and buffer, for comparison."""
    return {name: tensor.double().flatten().tolist() for name, tensor in network.state_dict().items()}


def rmse(network: KAN, dataset: Dataset) -> float:
    """Return the error on train samples."""
    return measure_rmse(network, dataset.train_inputs, dataset.train_targets, dataset.task)


def test_a_refit_step_by_step_is_the_refit_and_lowers_the_loss(dataset: Dataset) -> None:
    network = trained(dataset, num_steps=4)
    before = values(network)
    fit, losses = Refit(network, dataset, max_steps=8, settled=0.0), list[float]()
    while not fit.is_done:
        losses.append(rmse(fit.network, dataset))
        fit.step()
    assert len(losses) == 8
    assert losses == sorted(losses, reverse=True)
    assert rmse(fit.network, dataset) < 0.5 * losses[0]
    assert values(fit.network) == values(refit(network, dataset, max_steps=8, settled=0.0))
    assert values(network) == before
    # a step after the end changes nothing
    after = values(fit.network)
    fit.step()
    assert values(fit.network) == after


def test_a_refit_ends_where_little_is_gained_and_takes_no_steps_when_asked_for_none(
    network: KAN, dataset: Dataset
) -> None:
    fit, num_steps = Refit(network, dataset, settled=0.999), 0
    while not fit.is_done:
        fit.step()
        num_steps += 1
    assert num_steps == FEWEST_STEPS + 1
    assert values(refit(network, dataset, max_steps=0)) == values(network)


def test_a_refit_takes_lbfgs_where_levenberg_marquardt_would_take_long(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = trained(dataset, num_steps=4)

    def never(_num_parameters: int, _num_residuals: int) -> bool:
        return False

    monkeypatch.setattr("kan_core.symbolic.refit.is_affordable", never)
    assert rmse(refit(network, dataset), dataset) < rmse(network, dataset)


def test_locked_constants_stay_and_free_ones_move(network: KAN, dataset: Dataset) -> None:
    best = suggest_symbolic(network, INNER, dataset.train_inputs)[0]
    fixed = fix_symbolic(network, INNER, best)
    assert edge_form(refit(lock_symbolic(fixed, INNER), dataset), INNER) == edge_form(fixed, INNER)
    assert edge_form(refit(fixed, dataset), INNER) != edge_form(fixed, INNER)


def test_a_network_with_nothing_free_is_returned_as_it_is(dataset: Dataset) -> None:
    network = KAN(NetworkSpec(widths=(2, 1)), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for source in (0, 1):
        edge = EdgeId(layer=0, source=source, target=0)
        network = fix_symbolic(network, edge, suggest_symbolic(network, edge, dataset.train_inputs)[0])
        network = lock_symbolic(network, edge)
    assert values(refit(network, dataset)) == values(network)


def test_candidates_are_judged_on_both_kinds_of_samples_and_the_network_is_left_alone(
    network: KAN, dataset: Dataset
) -> None:
    before = values(network)
    candidates = suggest_symbolic(network, INNER, dataset.train_inputs, limit=6)
    ranked = rank_in_context(network, INNER, candidates, dataset)
    assert values(network) == before
    assert {one.candidate for one in ranked} == set(candidates)
    errors = [one.train_rmse for one in ranked]
    assert errors == sorted(errors)
    for one in ranked:
        assert one.network.kind(INNER) == "symbolic"
        assert one.train_rmse == rmse(one.network, dataset)
        test = measure_rmse(one.network, dataset.test_inputs, dataset.test_targets, dataset.task)
        assert one.test_rmse == test
        # no more than what stood there before the others were refitted
        assert one.train_rmse <= rmse(fix_symbolic(network, INNER, one.candidate), dataset)
    # y² is what the edge is, and a line is none of it
    assert ranked[0].candidate.function != "x"
    assert ranked[0].train_rmse < 0.1 * in_context_line(network, dataset)


def in_context_line(network: KAN, dataset: Dataset) -> float:
    """Return the error with a line in the place of the parabola."""
    line = next(one for one in suggest_symbolic(network, INNER, dataset.train_inputs, limit=80) if one.function == "x")
    return in_context(network, INNER, line, dataset).train_rmse


def test_a_trial_gives_what_there_is_at_any_time(network: KAN, dataset: Dataset) -> None:
    best = suggest_symbolic(network, INNER, dataset.train_inputs)[0]
    trial = Trial(network, INNER, best, dataset)
    first = trial.result().train_rmse
    assert first == pytest.approx(rmse(fix_symbolic(network, INNER, best), dataset), rel=1e-12)
    while not trial.is_done:
        trial.step()
    last = trial.result()
    assert last.train_rmse <= first
    assert math.isfinite(last.test_rmse)
    assert values(last.network) == values(in_context(network, INNER, best, dataset).network)


def test_an_unknown_edge_is_refused(network: KAN, dataset: Dataset) -> None:
    best = suggest_symbolic(network, INNER, dataset.train_inputs)[0]
    with pytest.raises(EdgeError):
        Trial(network, EdgeId(layer=5, source=0, target=0), best, dataset)
