"""Laws of sweeps: planted ones are found for each problem and contestant, and what says nothing is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kan_core.lab import Contestant, Sweep, parse_spec, spec_fits
from kan_core.lab.fits import data_limit
from tests.kan_core.lab.specs_for_tests import planted_results, race, run_all, sweep

WIDE = replace(
    sweep(),
    sweep=Sweep(variable="grid_size", values=(5, 10, 20, 40)),
    contestants=(Contestant(name="cubic", hidden=(1,)), Contestant(name="quadratic", hidden=(1,), order=2)),
    num_train=1000,
)


def test_a_planted_law_is_found_for_each_contestant() -> None:
    # an edge of order 2 has one function fewer
    planted = planted_results(WIDE)
    results = [replace(one, parameters=one.parameters - 3 * (one.contestant == "quadratic")) for one in planted]
    cubic, quadratic = spec_fits(WIDE, results)
    assert (cubic.contestant, cubic.problem, cubic.variable) == ("cubic", "exp_sin", "grid_size")
    assert cubic.exponent == pytest.approx(4.0, abs=0.01)
    assert (cubic.theory, quadratic.theory) == (4.0, 3.0)
    assert (cubic.first, cubic.last) == (5.0, 40.0)
    assert cubic.low <= cubic.exponent <= cubic.high
    assert "exponent of 4 where the function is smooth, as it does." in cubic.sentence
    assert "exponent of 3 where the function is smooth, and more." in quadratic.sentence
    assert cubic.to_json()["exponent"] == cubic.exponent


def test_a_law_whose_interval_holds_the_promised_exponent_leaves_it_open() -> None:
    spec = replace(WIDE, sweep=Sweep(variable="grid_size", values=(3, 5, 10)), contestants=WIDE.contestants[:1])
    errors = {3: 7.4e-4, 5: 2.2e-4, 10: 1.2e-5}
    results = [replace(one, test_rmse=errors[one.value or 0] * (1 + 0.02 * one.seed)) for one in planted_results(spec)]
    (fit,) = spec_fits(spec, results)
    assert fit.exponent < 3.75 < 4.0 < fit.high
    assert "exponent of 4 where the function is smooth, which these sizes neither show nor rule out." in fit.sentence


def test_what_ended_on_another_grid_or_failed_is_left_out() -> None:
    results = [one for one in planted_results(WIDE) if one.contestant == "cubic"]
    astray = [replace(one, parameters=72, test_rmse=1.0) if one.value == 40 else one for one in results]
    (fit,) = spec_fits(WIDE, astray)
    assert fit.last == 20.0
    assert "One of the sizes is not measured, or ended on a coarser grid by the recipe (largest 20)." in fit.sentence
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
    assert fit.exponent == pytest.approx(4.0, abs=0.2)
    assert (fit.first, fit.last) == (5.0, 100.0)


def test_the_data_limit_is_where_parameters_meet_samples_whatever_is_swept() -> None:
    spec = replace(sweep(), num_train=45)
    (problem,), (contestant,) = spec.problems, spec.contestants
    # 3·(G + 4) = 45 at G = 11, found between 8 and 16 on a logarithmic scale
    assert data_limit(spec, problem, contestant) == pytest.approx(11.0, abs=0.3)
    assert data_limit(replace(spec, num_train=61), problem, contestant) is None
    # 3·(5 + 4) parameters, whatever the number of samples
    samples = replace(spec, sweep=Sweep(variable="samples", values=(10, 20, 40)))
    assert data_limit(samples, problem, contestant) == pytest.approx(27.0)
    assert data_limit(replace(samples, sweep=Sweep(variable="samples", values=(30, 40))), problem, contestant) is None
