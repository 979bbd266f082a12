"""Exponents are those that were planted, their intervals hold them, and breaks are found where they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core.bases.basis import FloatArray
from kan_core.errors import DataError
from kan_core.scaling import Limits, fit_exponent

SIZES = np.array([5.0, 10.0, 20.0, 40.0, 80.0, 160.0])


def planted(
    exponent: float, *, scale: float = 1.0, noise: float = 0.1, num_seeds: int = 3, seed: int = 0, floor: float = 0.0
) -> tuple[list[float], list[float]]:
    """Return sizes, each for every seed, and errors that fall by a power law with Gaussian noise in the logarithm."""
    generator = np.random.default_rng(seed)
    x = np.repeat(SIZES, num_seeds)
    y = (scale * x**-exponent + floor) * np.exp(noise * generator.normal(size=len(x)))
    return x.tolist(), y.tolist()


@pytest.mark.slow
@settings(deadline=None, max_examples=20)
@given(
    exponent=st.floats(0.5, 6.0),
    scale=st.floats(1e-6, 1e6),
    num_seeds=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_planted_exponents_are_recovered(exponent: float, scale: float, num_seeds: int, seed: int) -> None:
    x, y = planted(exponent, scale=scale, noise=0.05, num_seeds=num_seeds, seed=seed)
    fit = fit_exponent(x, y)
    # five standard deviations of a slope over all six sizes, or more where some are left out
    assert fit.exponent == pytest.approx(exponent, abs=5 * 0.05 / np.sqrt(np.square(spread(fit.first, fit.last)).sum()))
    assert fit.low <= fit.exponent <= fit.high
    assert fit.last / fit.first >= 8


def spread(first: float, last: float) -> FloatArray:
    """Return the logarithms of the sizes from first to last, about their mean."""
    logs = np.log(SIZES[(first <= SIZES) & (last >= SIZES)])
    return logs - logs.mean()


def test_an_exact_law_is_found_exactly() -> None:
    x, y = planted(4.0, scale=7.0, noise=0.0)
    fit = fit_exponent(x, y)
    assert (fit.exponent, fit.first, fit.last) == (pytest.approx(4.0, abs=1e-9), 5.0, 160.0)
    assert fit.predict(10.0) == pytest.approx(7.0e-4, rel=1e-9)
    assert fit.high - fit.low < 1e-9


@pytest.mark.slow
def test_intervals_hold_the_planted_exponent_about_as_often_as_they_say() -> None:
    fits = [fit_exponent(*planted(3.0, noise=0.1, seed=seed), seed=seed) for seed in range(60)]
    assert 51 <= sum(fit.low <= 3.0 <= fit.high for fit in fits) <= 60
    assert max(fit.high - fit.low for fit in fits) < 0.5


def test_one_training_astray_moves_nothing() -> None:
    x, y = planted(4.0, noise=0.02)
    before = fit_exponent(x, y)
    y[-1] *= 1e5
    after = fit_exponent(x, y)
    assert after.exponent == pytest.approx(before.exponent, abs=0.05)


@pytest.mark.parametrize("num_seeds", [1, 3])
def test_a_floor_of_rounding_is_found_and_named(num_seeds: int) -> None:
    x, y = planted(6.0, noise=0.02, num_seeds=num_seeds, floor=3e-12)
    fit = fit_exponent(x, y, name="G", limits=Limits(scale=1.0))
    assert fit.exponent == pytest.approx(6.0, abs=0.1)
    assert (fit.first, fit.last) == (5.0, 40.0)
    assert "From G = 80 on it stays near 3e-12: what is left is rounding in float64" in fit.sentence


def test_a_plateau_is_found() -> None:
    x, y = planted(4.0, noise=0.02, floor=1e-6)
    fit = fit_exponent(x, y)
    assert fit.exponent == pytest.approx(4.0, abs=0.2)
    assert fit.last <= 20.0
    assert "something else than x is the limit there" in fit.sentence


def test_a_start_that_is_too_coarse_is_left_out() -> None:
    x, y = planted(4.0, noise=0.02)
    y[:6] = [1e-3 * 20.0**-4 * 2e5] * 6
    fit = fit_exponent(x, y)
    assert (fit.first, fit.last) == (20.0, 160.0)
    assert fit.exponent == pytest.approx(4.0, abs=0.1)
    assert "Below x = 20 it is off this law" in fit.sentence


@pytest.mark.parametrize(("share", "pace"), [(0.02, "more slowly, or not at all"), (50.0, "faster")])
def test_what_is_off_the_law_though_it_follows_the_function_is_not_called_blind(share: float, pace: str) -> None:
    x, y = planted(4.0, noise=0.02)
    y[:6] = [share * one for one in y[:6]]
    fit = fit_exponent(x, y, limits=Limits(scale=1.0))
    assert (fit.first, fit.last) == (20.0, 160.0)
    assert f"Below x = 20 it falls {pace}." in fit.sentence


def test_where_parameters_meet_samples_the_law_ends() -> None:
    x, y = planted(2.0, noise=0.02)
    parameters = [int(12 * size) for size in x]
    fit = fit_exponent(x, y, name="G", limits=Limits(parameters=parameters, samples=900))
    assert fit.last == 40.0
    assert "From G = 80 on there are at least as many parameters as samples (900)" in fit.sentence


def test_noise_is_named_as_what_breaks_it() -> None:
    x, y = planted(4.0, noise=0.02)
    y[-6:] = [1e-5] * 6
    fit = fit_exponent(x, y, limits=Limits(noise=0.1))
    assert "the training targets are noisy" in fit.sentence


def test_errors_that_rise_again_are_said_to() -> None:
    x, y = planted(4.0, noise=0.02)
    y[-3:] = [0.1] * 3
    fit = fit_exponent(x, y)
    assert fit.last == 80.0
    assert "From x = 160 on the error rises again" in fit.sentence


def test_what_does_not_fall_is_no_law() -> None:
    x, y = planted(0.0, noise=0.1)
    fit = fit_exponent(x, y)
    assert fit.exponent == pytest.approx(0.0, abs=0.1)
    assert fit.sentence.startswith("The error hardly falls with x from x = 5 to 160: no power law is seen")


def test_the_same_seed_gives_the_same_interval() -> None:
    x, y = planted(2.0)
    assert fit_exponent(x, y, seed=4) == fit_exponent(x, y, seed=4)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2, 2], [1, 1, 1], "a law takes at least 3 different sizes, received 2"),
        ([1, 2, 3], [1, 0, 1], "errors are positive and finite, received 0"),
        ([1, 2, float("inf")], [1, 1, 1], "sizes are positive and finite, received inf"),
        ([1, 2, 3], [1, 1], r"rows of one length, received shapes \(3,\) and \(2,\)"),
    ],
)
def test_what_cannot_be_fitted_is_refused(x: list[float], y: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_exponent(x, y)
    with pytest.raises(DataError, match="parameters has a number for each of 3 errors, received 1"):
        fit_exponent([1, 2, 3], [3, 2, 1], limits=Limits(parameters=[1], samples=10))
