"""Exponents are those that were planted, their intervals hold them, and breaks are found where they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core.bases.basis import FloatArray
from kan_core.errors import DataError
from kan_core.scaling import Limits, PowerLaw, fit_exponent

SIZES = np.array([5.0, 10.0, 20.0, 40.0, 80.0, 160.0])


def planted(
    exponent: float, *, scale: float = 1.0, noise: float = 0.1, num_seeds: int = 3, seed: int = 0, floor: float = 0.0
) -> tuple[list[float], list[float]]:
    """Return sizes, each for every seed, and errors that fall by a power law with Gaussian noise in the logarithm."""
    generator = np.random.default_rng(seed)
    x = np.repeat(SIZES, num_seeds)
    y = (scale * x**-exponent + floor) * np.exp(noise * generator.normal(size=len(x)))
    return x.tolist(), y.tolist()


def law_of(x: list[float], y: list[float], *, seed: int = 0, limits: Limits | None = None) -> PowerLaw:
    """Return the law that there must be."""
    law = fit_exponent(x, y, seed=seed, limits=limits).law
    assert law is not None
    return law


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
    fit = law_of(x, y)
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
    law = law_of(x, y)
    assert (law.exponent, law.first, law.last) == (pytest.approx(4.0, abs=1e-9), 5.0, 160.0)
    assert law.predict(10.0) == pytest.approx(7.0e-4, rel=1e-9)
    assert law.high - law.low < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [1, 3])
@pytest.mark.parametrize("num_sizes", [3, 4, 5, 6])
def test_intervals_hold_the_planted_exponent_as_often_as_they_say(num_sizes: int, num_seeds: int) -> None:
    # what a size is off the law by is the same for all its seeds
    generator = np.random.default_rng(num_sizes)
    sizes, held, num_laws = SIZES[:num_sizes], 0, 300
    for _ in range(num_laws):
        misfit = 0.1 * generator.normal(size=(num_sizes, 1)) + 0.05 * generator.normal(size=(num_sizes, num_seeds))
        y = sizes[:, np.newaxis] ** -3.0 * np.exp(misfit)
        held += holds(3.0, np.repeat(sizes, num_seeds).tolist(), y.ravel().tolist())
    # 95 % but for three standard deviations of chance; more than that is no harm where seeds tell what they differ by
    assert held / num_laws >= 0.91


def holds(exponent: float, x: list[float], y: list[float]) -> bool:
    """Return whether the interval holds an exponent; where the sizes settle none, it says that it may be anything."""
    law = fit_exponent(x, y).law
    return law is None or law.low <= exponent <= law.high


def test_intervals_of_many_sizes_are_narrow() -> None:
    laws = [law_of(*planted(3.0, noise=0.05, seed=seed)) for seed in range(20)]
    assert np.median([law.high - law.low for law in laws]) < 0.2


def test_three_sizes_that_lie_off_a_line_settle_no_exponent() -> None:
    fit = fit_exponent([3, 5, 10], [7.4e-4, 2.2e-4, 1.2e-5], name="G")
    assert fit.law is None
    assert fit.sentence.startswith(
        "The error falls from 7.4e-04 to 1.2e-05 from G = 3 to 10, but these sizes settle no"
    )


def test_one_training_astray_moves_nothing() -> None:
    x, y = planted(4.0, noise=0.02)
    before = law_of(x, y)
    y[-1] *= 1e5
    assert law_of(x, y).exponent == pytest.approx(before.exponent, abs=0.05)
    y[-1] = math.inf
    assert law_of(x, y).exponent == pytest.approx(before.exponent, abs=0.05)


def test_a_size_at_which_most_trainings_failed_is_left_out() -> None:
    x, y = planted(4.0, noise=0.02)
    y[-2:] = [math.inf] * 2
    assert law_of(x, y).last == 80.0


def test_a_floor_of_rounding_is_found_and_named() -> None:
    x, y = planted(6.0, noise=0.02, floor=3e-12)
    fit = fit_exponent(x, y, name="G", limits=Limits(scale=1.0))
    assert fit.law is not None
    assert fit.law.exponent == pytest.approx(6.0, abs=0.1)
    assert (fit.law.first, fit.law.last) == (5.0, 40.0)
    assert "From G = 80 on it falls more slowly, to 3.0e-12: training comes near rounding in float64" in fit.sentence


def test_a_plateau_is_found() -> None:
    x, y = planted(4.0, noise=0.02, floor=1e-6)
    fit = fit_exponent(x, y)
    assert fit.law is not None
    assert fit.law.exponent == pytest.approx(4.0, abs=0.2)
    assert fit.law.last <= 20.0
    assert "something else than x is the limit there" in fit.sentence


def test_what_is_blind_is_never_part_of_a_law() -> None:
    x, y = planted(4.0, noise=0.02, scale=100.0)
    # two sizes do not follow the function, the second even less than the first
    y[:6] = [0.4] * 3 + [0.65] * 3
    fit = fit_exponent(x, y, limits=Limits(scale=1.0))
    assert fit.law is not None
    assert (fit.law.first, fit.law.last) == (20.0, 160.0)
    assert fit.law.exponent == pytest.approx(4.0, abs=0.1)
    assert "At x = 10 it is above a third of the targets' deviation, too large to follow a law." in fit.sentence
    y[6:] = [0.5] * 12
    assert fit_exponent(x, y, limits=Limits(scale=1.0)).sentence == (
        "No law can be told, as it takes three sizes next to each other: at 6 of the 6 sizes the error is above a "
        "third of the targets' deviation."
    )


@pytest.mark.parametrize(
    ("share", "pace"), [(0.2, "it falls more slowly"), (50.0, "it falls faster"), (0.02, "it rises")]
)
def test_what_is_off_the_law_though_it_follows_the_function_is_not_called_blind(share: float, pace: str) -> None:
    x, y = planted(4.0, noise=0.02, scale=100.0)
    y[:6] = [share * one for one in y[:6]]
    fit = fit_exponent(x, y, limits=Limits(scale=10.0))
    assert fit.law is not None
    assert (fit.law.first, fit.law.last) == (20.0, 160.0)
    assert f"Before, from x = 10 to 20, {pace}." in fit.sentence


def test_a_faster_fall_behind_the_law_is_called_that() -> None:
    x, y = planted(1.0, noise=0.02)
    y[-3:] = [1e-3 * one for one in y[-3:]]
    fit = fit_exponent(x, y, limits=Limits(scale=1.0))
    assert fit.law is not None
    assert fit.law.last == 80.0
    assert "From x = 160 on it falls faster, to " in fit.sentence


def test_where_parameters_meet_samples_the_law_ends() -> None:
    x, y = planted(2.0, noise=0.02)
    parameters = [int(12 * size) for size in x]
    fit = fit_exponent(x, y, name="G", limits=Limits(parameters=parameters, samples=900))
    assert fit.law is not None
    assert fit.law.last == 40.0
    assert "From G = 80 on there are at least as many parameters as samples (900)" in fit.sentence


def test_where_parameters_reach_the_samples_everywhere_a_law_is_told_all_the_same() -> None:
    x, y = planted(2.0, noise=0.02)
    fit = fit_exponent(x, y, name="G", limits=Limits(parameters=[int(12 * size) for size in x], samples=100))
    assert fit.law is not None
    assert (fit.law.first, fit.law.last) == (5.0, 160.0)
    assert (
        "From G = 10 on there are at least as many parameters as samples (100), which does not end it." in fit.sentence
    )


@pytest.mark.parametrize(("noise", "is_named"), [(1e-5, True), (1e-9, False), (0.0, False)])
def test_noise_is_named_where_it_may_be_the_limit(noise: float, is_named: bool) -> None:
    x, y = planted(4.0, noise=0.02, floor=1e-6)
    fit = fit_exponent(x, y, limits=Limits(noise=noise, scale=1.0))
    assert ("the noise of the training targets (1.0e-05) may be the limit" in fit.sentence) == is_named
    assert "it falls more slowly, to 9.9e-07: " in fit.sentence


def test_a_law_of_samples_blames_no_samples() -> None:
    x, y = planted(4.0, noise=0.02, floor=1e-6)
    fit = fit_exponent(x, y, name="N", limits=Limits(of_samples=True))
    assert "something else than N is the limit there, be it the network or where training ends." in fit.sentence


def test_a_law_that_goes_on_beyond_the_samples_is_said_to() -> None:
    x, y = planted(2.0, noise=0.02)
    parameters = [int(12 * size) for size in x]
    goes_on = fit_exponent(x, y, name="G", limits=Limits(parameters=parameters, samples=900))
    assert "as many parameters as samples (900), though the law goes on there." in goes_on.sentence
    y[-6:] = [y[-7]] * 6
    ends = fit_exponent(x, y, name="G", limits=Limits(parameters=parameters, samples=900))
    assert "From G = 80 on there are at least as many parameters as samples (900), and the law ends." in ends.sentence


def test_a_rise_behind_a_slower_fall_is_not_passed_over() -> None:
    x, y = planted(4.0, noise=0.02)
    y[-6:-3], y[-3:] = [1e-7 * 5] * 3, [0.05] * 3
    fit = fit_exponent(x, y)
    assert fit.law is not None
    assert "it rises again, to 5.0e-02" in fit.sentence


@pytest.mark.slow
@pytest.mark.parametrize("num_seeds", [1, 3])
def test_no_law_is_seen_in_noise(num_seeds: int) -> None:
    generator = np.random.default_rng(11)
    x = np.repeat(SIZES, num_seeds).tolist()
    laws = [fit_exponent(x, np.exp(0.5 * generator.normal(size=len(x))).tolist()).law for _ in range(200)]
    assert sum(law is not None for law in laws) <= 10


def test_errors_that_rise_again_are_said_to() -> None:
    x, y = planted(4.0, noise=0.02)
    y[-3:] = [0.1] * 3
    fit = fit_exponent(x, y)
    assert fit.law is not None
    assert fit.law.last == 80.0
    assert "From x = 160 on it rises again, to 1.0e-01" in fit.sentence


def test_what_does_not_fall_is_no_law() -> None:
    x, y = planted(0.0, noise=0.1)
    fit = fit_exponent(x, y)
    assert fit.law is None
    assert fit.sentence.startswith("No power law is seen from x = 5 to 160: the error goes from ")


def test_the_same_seed_gives_the_same_interval() -> None:
    x, y = planted(2.0)
    assert fit_exponent(x, y, seed=4) == fit_exponent(x, y, seed=4)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2, 2], [1, 1, 1], "a law takes at least 3 different sizes, received 2"),
        ([1, 2, 3], [1, 0, 1], "errors are positive, received 0"),
        ([1, 2, float("inf")], [1, 1, 1], "sizes are positive and finite, received inf"),
        ([1, 2, 3], [1, 1, float("inf")], "a law takes at least 3 different sizes, received 2"),
        ([1, 2, 3], [1, 1], r"rows of one length, received shapes \(3,\) and \(2,\)"),
    ],
)
def test_what_cannot_be_fitted_is_refused(x: list[float], y: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_exponent(x, y)
    with pytest.raises(DataError, match="parameters has a number for each of 3 errors, received 1"):
        fit_exponent([1, 2, 3], [3, 2, 1], limits=Limits(parameters=[1], samples=10))
