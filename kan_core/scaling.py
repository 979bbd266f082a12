"""How an error falls with a size: the exponent of a power law, how sure it is, and where the law ends.

    y ≈ e^c · x^-a, by least squares of logarithms, over the sizes between which it holds

Several measurements of one size (seeds) count by their median, so that one training that went astray moves nothing.
Intervals are those of a parametric bootstrap: what the law misses is drawn anew, as uncertain in its size as so few
residuals leave it (for a fixed window that gives Student's t), and the window is chosen anew for each draw.

Shape legend: N measurements, n different sizes x, B draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import linregress

from kan_core._scaling_text import Story
from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.errors import DataError

FEWEST_SIZES = 3
CONFIDENCE = 0.95
NUM_DRAWS = 999
# what logarithms of errors are off a law by though it holds
SCATTER = 0.1
# leaving a size out of the law has to spare so much, in squares of the scatter
PRICE = 6.0
# a slower fall is no law to speak of
LEAST_EXPONENT = 0.25
# an interval so many times as wide as its exponent is large settles nothing
WIDEST = 2.0
# errors under this share of the targets' size are made of rounding
ROUNDING = 1e-12
# under this one they come near it, solved for as they are from squares
NEARLY = 1e-8
# and those above this share are too large to speak of the function being followed
BLIND = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """A law y ≈ e^`intercept` · x^-`exponent` from the size `first` to `last`.

    `low` and `high` bound the exponent with a confidence of 95 %.
    """

    exponent: float
    low: float
    high: float
    intercept: float
    first: float
    last: float

    def predict(self, x: float) -> float:
        """Return the law's error at a size."""
        return math.exp(self.intercept - self.exponent * math.log(x))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingFit:
    """The law that errors follow, None where the sizes settle none.

    `sentence` says in plain words what holds, where it breaks and why, or why there is no law.
    """

    law: PowerLaw | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is known beforehand of where a law must end.

    `parameters` of each measurement and the number of `samples`, where the law ends once the former reach the latter;
    `noise` of the training targets, as a share of their standard deviation. `scale` is that deviation, which tells
    rounding, noise, and errors too large for the function to be followed. Left out, the largest error is what rounding
    goes by. Where the sizes are those of the samples, `of_samples` is true.
    """

    parameters: Sequence[int] = ()
    samples: int | None = None
    noise: float = 0.0
    scale: float | None = None
    of_samples: bool = False


def fit_exponent(
    x: Sequence[float], y: Sequence[float], *, seed: int = 0, name: str = "x", limits: Limits | None = None
) -> ScalingFit:
    """Return the power law by which errors `y` (N,) fall with sizes `x` (N,), several y for one x being seeds.

    An infinite error is a training that failed, worse than any other; a size without a finite median is left out. The
    law is fitted between the sizes where it holds: none where errors are too large for the function to be followed or
    where rounding is all that is left, none at which parameters reach the samples unless that leaves too few, and at
    either end none that are far off it. `seed` draws the bootstrap, `name` is what sentences call x. Raises DataError
    for fewer than three different sizes that have a median, or numbers that are not positive.
    """
    limits = Limits() if limits is None else limits
    sizes, errors = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    _check(sizes, errors, limits)
    distinct, group = np.unique(sizes, return_inverse=True)
    logs = np.log(errors)
    medians = np.log([np.median(errors[group == index]) for index in range(len(distinct))])
    kept = np.isfinite(medians)
    if kept.sum() < FEWEST_SIZES:
        raise DataError(f"a law takes at least {FEWEST_SIZES} different sizes, received {kept.sum()}: measure more")
    spread = _spread(logs, medians, group)
    is_beyond = _typical_parameters(group, len(distinct), limits)[kept] >= (limits.samples or math.inf)
    return _fit(distinct[kept], medians[kept], np.maximum.accumulate(is_beyond), spread, seed, name, limits)


def _fit(
    sizes: FloatArray,
    medians: FloatArray,
    is_beyond: npt.NDArray[np.bool_],
    spread: float,
    seed: int,
    name: str,
    limits: Limits,
) -> ScalingFit:
    scale = float(np.exp(medians.max())) if limits.scale is None else limits.scale
    shares = np.exp(medians) / scale
    is_blind = (shares > BLIND) & (limits.scale is not None)
    is_rounded = shares < ROUNDING
    story = Story(
        sizes=sizes, errors=np.exp(medians), is_blind=is_blind, is_rounded=is_rounded, is_beyond=is_beyond, name=name,
        samples=limits.samples, noise=limits.noise * (limits.scale or 0.0), of_samples=limits.of_samples,
        rounding=NEARLY * scale,
    )  # fmt: skip
    usable = ~(is_blind | is_rounded)
    search = _Search(np.log(sizes), usable & ~is_beyond, spread)
    if not search.windows:
        search = _Search(np.log(sizes), usable, spread)
    if not search.windows:
        return ScalingFit(law=None, sentence=story.too_few())
    (chosen,), _ = search.choose(medians[np.newaxis])
    if chosen < 0:
        return ScalingFit(law=None, sentence=story.flat())
    window = search.windows[chosen]
    line = linregress(search.x[window], medians[window])
    exponent = -float(line.slope)  # pyright: ignore[reportAttributeAccessIssue]
    low, high = _interval(search, medians, window, spread, seed)
    if low <= 0.0 or high - low > WIDEST * exponent:
        return ScalingFit(law=None, sentence=story.unsettled(window, low, high))
    law = PowerLaw(
        exponent=exponent,
        low=low,
        high=high,
        intercept=float(line.intercept),  # pyright: ignore[reportAttributeAccessIssue]
        first=float(sizes[window.start]),
        last=float(sizes[window.stop - 1]),
    )
    return ScalingFit(law=law, sentence=story.law(window, exponent, low, high))


def _check(sizes: FloatArray, errors: FloatArray, limits: Limits) -> None:
    if sizes.ndim != 1 or sizes.shape != errors.shape:
        raise DataError(
            f"sizes and errors are rows of one length, received shapes {sizes.shape} and {errors.shape}: pair them"
        )
    if limits.parameters and len(limits.parameters) != len(sizes):
        raise DataError(
            f"parameters has a number for each of {len(sizes)} errors, received {len(limits.parameters)}: pair them"
        )
    for what, numbers, is_good in (
        ("sizes are positive and finite", sizes, np.isfinite(sizes) & (sizes > 0)),
        ("errors are positive", errors, errors > 0),
    ):
        if not bool(is_good.all()):
            raise DataError(f"{what}, received {numbers[~is_good][0]:g}: leave it out")


def _typical_parameters(group: IndexArray, count: int, limits: Limits) -> FloatArray:
    """Return the median of parameters at each size, nothing where they are not known."""
    if not limits.parameters:
        return np.zeros(count)
    parameters = np.asarray(limits.parameters, dtype=np.float64)
    return np.array([np.median(parameters[group == index]) for index in range(count)])


def _spread(logs: FloatArray, medians: FloatArray, group: IndexArray) -> float:
    """Return how far seeds alone put the median of a size off, robustly; 0 where there are too few to tell."""
    counts = np.bincount(group)
    several = ((counts > 2) & np.isfinite(medians))[group]
    if not several.any():
        return 0.0
    deviations = np.abs(logs[several] - medians[group[several]])
    # 1.48 makes a standard deviation of it, 1.25 / √m that of a median of m
    return 1.48 * 1.25 * float(np.median(deviations)) / math.sqrt(float(np.median(counts)))


class _Search:
    """The windows that a law may take: runs of at least three usable sizes, with logarithms `x` (n,).

    Where no seeds tell the scatter (`spread` is 0) they leave out a quarter of these at most: among many sizes without
    any law three in a line are soon found.
    """

    def __init__(self, x: FloatArray, usable: npt.NDArray[np.bool_], spread: float) -> None:
        self.x = x
        self._usable = usable
        self._scatter = max(SCATTER, spread)
        fewest = FEWEST_SIZES if spread > 0 else max(FEWEST_SIZES, math.ceil(0.75 * int(usable.sum())))
        self.windows = [
            slice(start, stop)
            for start in range(len(x) - fewest + 1)
            for stop in range(start + fewest, len(x) + 1)
            if bool(usable[start:stop].all())
        ]

    def weights(self, window: slice) -> FloatArray:
        """Return what multiplies the medians in a window, in a sum that is the slope of its line."""
        deviations = self.x[window] - self.x[window].mean()
        return deviations / (deviations @ deviations)

    def choose(self, medians: FloatArray) -> tuple[IndexArray, FloatArray]:
        """Return for rows of medians (B, n) the window (B,) over which each falls by one law, and the slopes (B,).

        Every window pays for what its line misses, in units of the scatter, a price for each usable size that it leaves
        out, and half as much times the share of the whole fall that it leaves out: a long flat end is not the law.
        Where no window falls by more than its scatter, the index is -1.
        """
        usable = medians[:, self._usable]
        count, fall = usable.shape[1], np.ptp(usable, axis=1)
        best, slopes = np.full(len(medians), math.inf), np.full(len(medians), math.nan)
        chosen = np.full(len(medians), -1)
        for index, window in enumerate(self.windows):
            part, weights = medians[:, window], self.weights(window)
            slope = part @ weights
            deviations = self.x[window] - self.x[window].mean()
            missed = part - part.mean(axis=1, keepdims=True) - slope[:, np.newaxis] * deviations
            left_out = 1.0 - np.divide(part[:, 0] - part[:, -1], fall, out=np.zeros_like(fall), where=fall > 0)
            price = PRICE * (count - part.shape[1] + 0.5 * count * left_out)
            cost = np.square(missed / self._scatter).sum(axis=1) + price
            is_fall = (-slope >= LEAST_EXPONENT) & (-slope * np.ptp(self.x[window]) >= 3 * self._scatter)
            is_better = is_fall & (cost < best)
            best, slopes = np.where(is_better, cost, best), np.where(is_better, slope, slopes)
            chosen[is_better] = index
        return chosen, slopes


def _interval(search: _Search, medians: FloatArray, window: slice, spread: float, seed: int) -> tuple[float, float]:
    """Return the bounds of the exponent of the law in a window.

    The medians are drawn around the law, and where there is none around what was measured, with the scatter of the
    residuals, or of seeds if that is more, itself drawn as uncertain as the residuals leave it.
    """
    x, inside = search.x[window], medians[window]
    weights = search.weights(window)
    line = inside.mean() + float(weights @ inside) * (x - x.mean())
    freedoms = len(x) - 2
    scatter = math.sqrt(max(float(np.square(inside - line).sum()) / freedoms, spread**2))
    middle = medians.copy()
    middle[window] = line
    generator = np.random.default_rng(seed)
    scatters = scatter * np.sqrt(freedoms / generator.chisquare(freedoms, size=(NUM_DRAWS, 1)))
    drawn = middle + scatters * generator.standard_normal((NUM_DRAWS, len(middle)))
    chosen, slopes = search.choose(drawn)
    # where no window falls, the one that was chosen counts all the same
    slopes = np.where(chosen < 0, drawn[:, window] @ weights, slopes)
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(-slopes, [tail, 1.0 - tail])
    return float(low), float(high)
