"""How an error falls with a size: the exponent of a power law, how sure it is, and where the law ends.

    y ≈ e^c · x^-a, by least squares of logarithms, over the sizes between which it holds

Shape legend: N measurements, n different sizes x. Several measurements of one size (seeds) count by their median, so
that one training that went astray moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.errors import DataError

FEWEST_SIZES = 3
CONFIDENCE = 0.95
NUM_RESAMPLES = 999
# what logarithms of errors are off a law by though it holds
SCATTER = 0.1
# leaving a size out of the law has to spare so much, in squares of the scatter
PRICE = 6.0
# a slower fall is no law to speak of
LEAST_EXPONENT = 0.25
# errors under this share of the targets' size are made of rounding, solved for as they are from squares
ROUNDING = 1e-8
# and those above this share say that the function is not followed at all
BLIND = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentFit:
    """A power law y ≈ e^`intercept` · x^-`exponent` from the size `first` to `last`.

    `low` and `high` bound 95 % of the exponents of resampled residuals. `sentence` says in plain words what holds,
    where it breaks and why.
    """

    exponent: float
    low: float
    high: float
    intercept: float
    first: float
    last: float
    sentence: str

    def predict(self, x: float) -> float:
        """Return the law's error at a size."""
        return math.exp(self.intercept - self.exponent * math.log(x))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is known beforehand of where a law must end.

    `parameters` of each measurement and the number of `samples`, where the law ends once the former reach the latter;
    `noise` of the training targets, as a share of their standard deviation. `scale` is the size of the targets, which
    rounding goes by; the largest error when left out.
    """

    parameters: Sequence[int] = ()
    samples: int | None = None
    noise: float = 0.0
    scale: float | None = None


def fit_exponent(
    x: Sequence[float], y: Sequence[float], *, seed: int = 0, name: str = "x", limits: Limits | None = None
) -> ExponentFit:
    """Return the power law by which errors `y` (N,) fall with sizes `x` (N,), several y for one x being seeds.

    The law is fitted between the sizes where it holds: those at either end are left out that are far off it, and all
    whose parameters reach the samples. `seed` draws the resamples, `name` is what sentences call x. Raises DataError
    for fewer than three different sizes, or numbers that are not positive and finite.
    """
    limits = Limits() if limits is None else limits
    sizes, errors = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    _check(sizes, errors, limits)
    distinct, group = np.unique(sizes, return_inverse=True)
    logs = np.log(errors)
    medians = _medians(logs, group, len(distinct))
    end = _data_limit(group, len(distinct), limits)
    scatter = _scatter(logs, medians, group)
    start, stop = _choose_window(np.log(distinct[:end]), medians[:end], scatter)
    window = slice(start, stop)
    slope, intercept = _line(np.log(distinct[window]), medians[window])
    low, high = _interval(np.log(distinct), logs, group, window, seed)
    said = _Said(distinct, np.exp(medians), window, end, name, limits)
    return ExponentFit(
        exponent=-slope,
        low=low,
        high=high,
        intercept=intercept,
        first=float(distinct[start]),
        last=float(distinct[stop - 1]),
        sentence=said.sentence(-slope, low, high),
    )


def _check(sizes: FloatArray, errors: FloatArray, limits: Limits) -> None:
    if sizes.ndim != 1 or sizes.shape != errors.shape:
        raise DataError(
            f"sizes and errors are rows of one length, received shapes {sizes.shape} and {errors.shape}: pair them"
        )
    if limits.parameters and len(limits.parameters) != len(sizes):
        raise DataError(
            f"parameters has a number for each of {len(sizes)} errors, received {len(limits.parameters)}: pair them"
        )
    for what, numbers in (("sizes", sizes), ("errors", errors)):
        if not bool((np.isfinite(numbers) & (numbers > 0)).all()):
            wrong = numbers[~(np.isfinite(numbers) & (numbers > 0))][0]
            raise DataError(f"{what} are positive and finite, received {wrong:g}: leave it out")
    if len(np.unique(sizes)) < FEWEST_SIZES:
        raise DataError(
            f"a law takes at least {FEWEST_SIZES} different sizes, received {len(np.unique(sizes))}: measure more"
        )


def _medians(logs: FloatArray, group: IndexArray, count: int) -> FloatArray:
    return np.array([np.median(logs[group == index]) for index in range(count)])


def _data_limit(group: IndexArray, count: int, limits: Limits) -> int:
    """Return how many sizes, from the smallest on, have fewer parameters than samples; all if that leaves too few."""
    if limits.samples is None or not limits.parameters:
        return count
    parameters = np.asarray(limits.parameters)
    typical = [float(np.median(parameters[group == index])) for index in range(count)]
    end = next((index for index, number in enumerate(typical) if number >= limits.samples), count)
    return end if end >= FEWEST_SIZES else count


def _scatter(logs: FloatArray, medians: FloatArray, group: IndexArray) -> float:
    """Return how far the median of a size may be off the law: by what seeds differ, robustly, but never nothing."""
    deviations = np.abs(logs - medians[group])
    counts = np.bincount(group)
    several = deviations[(counts > 2)[group]]
    if not len(several):
        return SCATTER
    # 1.48 makes a standard deviation of it, 1.25 / √m that of a median of m
    return max(SCATTER, 1.48 * 1.25 * float(np.median(several)) / math.sqrt(float(np.median(counts))))


def _choose_window(sizes: FloatArray, medians: FloatArray, scatter: float) -> tuple[int, int]:
    """Return the ends of the run of sizes over which the errors fall by one law.

    Every run of at least three pays for what its line misses, in units of the scatter, a price for each size that it
    leaves out, and half as much times the share of the whole fall that it leaves out: a long flat end is not the law.
    Where no run falls by more than its scatter, all sizes are taken.
    """
    count, fall = len(sizes), float(np.ptp(medians))
    best, chosen = math.inf, (0, count)
    for start in range(count - FEWEST_SIZES + 1):
        for stop in range(start + FEWEST_SIZES, count + 1):
            part = slice(start, stop)
            slope, intercept = _line(sizes[part], medians[part])
            if -slope < LEAST_EXPONENT or -slope * (sizes[stop - 1] - sizes[start]) < 3 * scatter:
                continue
            missed = np.square((medians[part] - intercept - slope * sizes[part]) / scatter).sum()
            left_out = 1.0 - float(medians[start] - medians[stop - 1]) / fall
            cost = float(missed) + PRICE * (count - (stop - start) + 0.5 * count * left_out)
            if cost < best:
                best, chosen = cost, (start, stop)
    return chosen


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return slope and intercept by least squares."""
    deviations = x - x.mean()
    slope = float(deviations @ y / (deviations @ deviations))
    return slope, float(y.mean() - slope * x.mean())


def _interval(sizes: FloatArray, logs: FloatArray, group: IndexArray, window: slice, seed: int) -> tuple[float, float]:
    """Return the bounds of the exponent.

    Residuals of all measurements in the window are put back at random, medians taken and the line fitted again.
    """
    inside = np.flatnonzero((group >= window.start) & (group < window.stop))
    places = group[inside] - window.start
    count = window.stop - window.start
    x = sizes[window]
    slope, intercept = _line(x, _medians(logs[inside], places, count))
    residuals = logs[inside] - intercept - slope * x[places]
    # a line through n points has taken two freedoms of them
    residuals = residuals * math.sqrt(count / (count - 2))
    weights = (x - x.mean()) / np.square(x - x.mean()).sum()
    if not np.ptp(residuals) > 0:
        return -slope, -slope

    def exponents(drawn: FloatArray, axis: int = -1) -> FloatArray:
        drawn = np.moveaxis(drawn, axis, -1)
        medians = [np.median(drawn[..., places == index], axis=-1) for index in range(count)]
        return -slope - np.stack(medians, axis=-1) @ weights

    found = bootstrap(
        (residuals,),
        exponents,
        n_resamples=NUM_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a fit says: sizes (n,), their median errors (n,), the window of the law, where the data end it."""

    sizes: FloatArray
    errors: FloatArray
    window: slice
    end: int
    name: str
    limits: Limits

    def sentence(self, exponent: float, low: float, high: float) -> str:
        """Return what holds, where it breaks and why."""
        first, last = self.sizes[self.window.start], self.sizes[self.window.stop - 1]
        span = f"from {self.name} = {first:g} to {last:g}"
        if exponent < LEAST_EXPONENT:
            return f"The error hardly falls with {self.name} {span}: no power law is seen ({self._level()})."
        law = f"The error falls as {self.name}^-{exponent:.2f} (95 %: {low:.2f} to {high:.2f}) {span}."
        return " ".join(one for one in (law, self._before(exponent), self._after()) if one)

    def _level(self) -> str:
        return f"it stays between {self.errors.min():.1e} and {self.errors.max():.1e}"

    def _before(self, exponent: float) -> str:
        start = self.window.start
        if start == 0:
            return ""
        below = f"Below {self.name} = {self.sizes[start]:g}"
        if float(self.errors[:start].min()) >= BLIND * self._scale():
            return f"{below} it is off this law: too little to follow the function at all."
        law = self.errors[start] * (self.sizes[start] / self.sizes[start - 1]) ** exponent
        pace = "more slowly, or not at all" if self.errors[start - 1] < law else "faster"
        return f"{below} it falls {pace}."

    def _scale(self) -> float:
        return float(self.errors.max()) if self.limits.scale is None else self.limits.scale

    def _after(self) -> str:
        stop = self.window.stop
        if stop == len(self.sizes):
            return ""
        size, error = self.sizes[stop], float(self.errors[stop:].min())
        if stop >= self.end:
            return (
                f"From {self.name} = {size:g} on there are at least as many parameters as samples "
                f"({self.limits.samples:,}): the data are the limit, and the law ends."
            )
        if error < ROUNDING * self._scale():
            return (
                f"From {self.name} = {size:g} on it stays near {error:.0e}: what is left is rounding in float64, as "
                "squares of errors are summed."
            )
        if self.limits.noise > 0:
            return (
                f"From {self.name} = {size:g} on it breaks: the training targets are noisy, and finer networks learn "
                "the noise."
            )
        if self.errors[stop] > self.errors[stop - 1]:
            return (
                f"From {self.name} = {size:g} on the error rises again: more freedom than the samples can settle, or "
                "trainings that end in worse minima."
            )
        return (
            f"From {self.name} = {size:g} on it falls more slowly, to {error:.1e}: something else than {self.name} is "
            "the limit there, be it the samples, the rest of the network or where training ends."
        )
