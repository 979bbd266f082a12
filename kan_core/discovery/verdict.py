"""Which of the laws that were found to believe, and what to say of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kan_core.discovery.shapes import Shape, say_shape, wide_shape
from kan_core.symbolic.laws import Law
from kan_core.symbolic.search import EXACT

# what a unit of complexity has to be worth, in bits
BITS = 3.0
# a network whose error is more than this share of the targets' spread learnt nothing
NOTHING = 0.9
# a law that is off by no more than this factor of what a network of curves is off by is as good
AS_GOOD = 1.2
# shapes of networks to train, the large one among them, before anything is said of noise, and to be off by the same
FEWEST_SHAPES = 3
FEWEST_LEVEL = 2
# more than this share of the spread may as well be a law that is too fine for networks
MUCH = 0.1


def best_law(laws: Sequence[Law], *, num_held_out: int, spread: float) -> int:
    """Return the index of the law with the shortest description of `num_held_out` samples of that spread.

    Errors take n · log2 of their share of the spread, formulas `BITS` a unit of complexity; errors of rounding are all
    the same. Of noisy data a law is not taken for the last tenth of a per cent.
    """

    def bits(law: Law) -> float:
        error = max(law.test_rmse / spread, EXACT) if math.isfinite(law.test_rmse) else math.inf
        return num_held_out * math.log2(error) + BITS * law.complexity

    return min(range(len(laws)), key=lambda place: bits(laws[place]))


def verdict(law: Law, *, target: str, spread: float, network_errors: Mapping[Shape, float], num_held_out: int) -> str:
    """Return in words how far `law` is to be believed; `network_errors` are those of the shapes that were trained.

    Errors are root mean squares on `num_held_out` held-out samples, `spread` the targets' standard deviation there.
    Noise is spoken of only where networks of several shapes, a large one among them, were trained and are off as much.
    """
    error = law.test_rmse / spread
    if error <= EXACT:
        return f"The law is exact on {num_held_out} samples that were held out."
    closest = min(network_errors.values(), default=math.inf) / spread
    left = f"{error:.2g} of the spread of {target}"
    large = _large_shape(network_errors)
    if large is not None and min(closest, error) > NOTHING:
        return (
            f"No law: nothing in these inputs tells {target}; a mean is as good as every formula and as networks of "
            f"{len(network_errors)} shapes, up to {say_shape(large)}."
        )
    if error > AS_GOOD * closest:
        return (
            f"No simple law was found: the closest formula leaves {left}, a network of curves {closest:.2g}; more "
            "seconds may find one."
        )
    if large is None:
        return (
            "The search ended before networks of several shapes could tell what is left from noise: the closest "
            f"formula leaves {left} on samples that were held out; give it more seconds."
        )
    level = [shape for shape, one in network_errors.items() if one <= AS_GOOD * law.test_rmse]
    if large in level and len(level) >= FEWEST_LEVEL:
        noise = "looks like noise" if error <= MUCH else "looks like noise, or is finer than such networks can follow"
        return (
            f"The law leaves {left} on samples that were held out, as much as networks of curves do, of {len(level)} "
            f"shapes up to {say_shape(large)}: what is left {noise}."
        )
    return (
        f"The law leaves {left} on samples that were held out and is closer than networks of curves, the best of which "
        f"leaves {closest:.2g}: they cannot tell whether what is left is noise."
    )


def _large_shape(network_errors: Mapping[Shape, float]) -> Shape | None:
    """Return the shape that is large enough for most laws, None unless it and some others were trained."""
    if len(network_errors) < FEWEST_SHAPES:
        return None
    return next((shape for shape in network_errors if shape == wide_shape(shape[0][0])), None)
