"""Which of the laws that were found to believe, and what to say of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kan_core.symbolic.laws import Law
from kan_core.symbolic.search import EXACT

# what a unit of complexity has to be worth, in bits
BITS = 3.0
# a network whose error is more than this share of the targets' spread learnt nothing
NOTHING = 0.9
# a law that is off by no more than this factor of what a network of curves is off by is as good
AS_GOOD = 1.2


def best_law(laws: Sequence[Law], *, num_held_out: int, spread: float) -> int:
    """Return the index of the law with the shortest description of `num_held_out` samples of that spread.

    Errors take n · log2 of their share of the spread, formulas `BITS` a unit of complexity; errors of rounding are all
    the same. Of noisy data a law is not taken for the last tenth of a per cent.
    """

    def bits(law: Law) -> float:
        error = max(law.test_rmse / spread, EXACT) if math.isfinite(law.test_rmse) else math.inf
        return num_held_out * math.log2(error) + BITS * law.complexity

    return min(range(len(laws)), key=lambda place: bits(laws[place]))


def verdict(law: Law, *, target: str, spread: float, network_error: float, num_held_out: int) -> str:
    """Return in words how far `law` is to be believed; `network_error` is that of the best network of curves.

    Errors are root mean squares on `num_held_out` held-out samples, `spread` the targets' standard deviation there.
    """
    error = law.test_rmse / spread
    if error <= EXACT:
        return f"The law is exact on {num_held_out} samples that were held out."
    if min(network_error / spread, error) > NOTHING:
        return f"No law: nothing in these inputs tells {target}; a mean is as good as every formula and every network."
    if error <= AS_GOOD * network_error / spread:
        return (
            f"The law leaves {error:.2g} of the spread of {target} on samples that were held out, as much as a network "
            "of curves does: what is left looks like noise."
        )
    return (
        f"No simple law was found: the closest formula leaves {error:.2g} of the spread of {target}, "
        f"a network of curves {network_error / spread:.2g}."
    )
