"""Laws of sweeps: planted ones are found for each problem and contestant, and what says nothing is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kan_core.lab import Contestant, LabSpec, PointResult, Sweep, parse_spec, spec_fits
from kan_core.lab.fits import data_limit
from tests.kan_core.lab.specs_for_tests import planted_results, race, run_all, sweep

WIDE = replace(
    sweep(),
    sweep=Sweep(variable="grid_size", values=(5, 10, 20, 40)),
    contestants=(Contestant(name="cubic", hidden=(1,)), Contestant(name="quadratic", hidden=(1,), order=2)),
    num_train=1000,
)


def test_a_planted_law_is_found_for_each_contestant() -> None:
    cubic, quadratic = spec_fits(WIDE, planted_results(WIDE))
    assert (cubic.contestant, cubic.problem, cubic.variable) == ("cubic", "exp_sin", "grid_size")
    assert cubic.law is not None
    assert cubic.law.exponent == pytest.approx(4.0, abs=0.01)
    assert (cubic.theory, quadratic.theory) == (4.0, 3.0)
    assert (cubic.law.first, cubic.law.last) == (5.0, 40.0)
    assert cubic.law.low <= cubic.law.exponent <= cubic.law.high
    assert "exponent of 4 where the function is smooth, as it does." in cubic.sentence
    assert "exponent of 3 where the function is smooth, and more." in quadratic.sentence
    told = cubic.to_json()
    assert (told["exponent"], told["first"], told["theory"]) == (cubic.law.exponent, 5.0, 4.0)


def one_contestant(errors: dict[int, float]) -> tuple[LabSpec, list[PointResult]]:
    """Return a sweep over the sizes that there are errors of, and its results, a few percent of scatter on them."""
    spec = replace(WIDE, sweep=Sweep(variable="grid_size", values=tuple(errors)), contestants=WIDE.contestants[:1])
    results = [replace(one, test_rmse=errors[one.value or 0] * (1 + 0.02 * one.seed)) for one in planted_results(spec)]
    return spec, results


def test_a_law_whose_interval_holds_the_promised_exponent_leaves_it_open() -> None:
    spec, results = one_contestant({3: 7.4e-4, 5: 2.2e-4, 10: 1.2e-5, 20: 1.1e-6})
    (fit,) = spec_fits(spec, results)
    assert fit.law is not None
    assert fit.law.low < 4.0 < fit.law.high
    assert fit.law.high - fit.law.low > 1.0
    assert "exponent of 4 where the function is smooth, which these sizes neither show nor rule out." in fit.sentence


def test_sizes_that_settle_nothing_are_not_held_against_theory() -> None:
    spec, results = one_contestant({3: 0.0137, 5: 0.0063, 10: 0.2, 20: 1.8e-5})
    (fit,) = spec_fits(spec, results)
    assert fit.law is None
    assert "these sizes settle no exponent" in fit.sentence
    assert "Splines" not in fit.sentence
    assert fit.to_json()["exponent"] is None


def test_what_ended_on_a_coarser_grid_counts_as_in_tables_and_is_said() -> None:
    results = [one for one in planted_results(WIDE) if one.contestant == "cubic"]
    coarser = [replace(one, parameters=72, test_rmse=20.0**-4) if one.value == 40 else one for one in results]
    (fit,) = spec_fits(WIDE, coarser)
    assert "ended on a coarser grid count with what they reached there: 2 at G = 40." in fit.sentence
    assert fit.law is not None
    assert fit.law.last == 20.0
    assert "From G = 40 on it falls more slowly" in fit.sentence


def test_sizes_at_which_trainings_failed_are_left_out_and_said() -> None:
    results = [one for one in planted_results(WIDE) if one.contestant == "cubic"]
    lost = [replace(one, outcome="diverged") if (one.value, one.seed) == (40, 1) else one for one in results]
    (fit,) = spec_fits(WIDE, lost)
    assert fit.law is not None
    assert fit.law.last == 20.0
    assert "There is no median at G = 40, where trainings failed or diverged." in fit.sentence
    failed = [replace(one, test_rmse=None, outcome="failed") if (one.value or 0) > 10 else one for one in results]
    assert spec_fits(WIDE, failed) == []


def test_a_race_has_no_law() -> None:
    assert spec_fits(race(), planted_results(race())) == []


EXP_SIN = """
title = "exp_sin"
problems = ["exp_sin"]
seeds = [0, 1, 2]
num_train = 3000
[budget]
steps = 5000
[[contestants]]
name = "cubic"
hidden = [1]
optimizer = "auto"
[sweep]
variable = "grid_size"
values = [5, 10, 20, 50, 100]
"""


@pytest.mark.slow
def test_cubic_splines_fall_with_the_fourth_power() -> None:
    spec = parse_spec(EXP_SIN)
    (fit,) = spec_fits(spec, run_all(spec))
    assert fit.law is not None
    assert fit.law.exponent == pytest.approx(4.0, abs=0.2)
    assert (fit.law.first, fit.law.last) == (5.0, 100.0)


def test_the_data_limit_is_where_parameters_meet_samples_whatever_is_swept() -> None:
    spec = replace(sweep(), num_train=45)
    (problem,), (contestant,) = spec.problems, spec.contestants
    # 3·(G + 4) = 45 at G = 11, found between 8 and 16 on a logarithmic scale
    assert data_limit(spec, problem, contestant) == pytest.approx(11.0, abs=0.3)
    assert data_limit(replace(spec, num_train=61), problem, contestant) is None
    # 3·(5 + 4) parameters, whatever the number of samples
    samples = replace(spec, num_train=1000, sweep=Sweep(variable="samples", values=(10, 20, 40)))
    assert data_limit(samples, problem, contestant) == pytest.approx(27.0)
    assert (
        data_limit(replace(samples, sweep=Sweep(variable="samples", values=(30, 40, 50))), problem, contestant) is None
    )
