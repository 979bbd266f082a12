"""How exactly a function's constants have to be chosen for no more of it to be used than a line or a parabola.

Shape legend: P points of a curve.

A stretch of the argument of length h, small beside the function's own scale, leaves a share of about h² of the values'
variance to all but a line (h⁴ beside an inflection, where it has to be put), and one of h⁴ to all but a parabola where
the line is most of it. That h is so small is as much a matter of choice as the digits of a constant, log2(1/h) bits of
it: ½·log2 of what a line leaves, or of how much less a parabola leaves than the line, tells both. Where f hardly moves
beside its size, c·f and d cancel, and they are to be stated to as many digits more.
"""

from __future__ import annotations

import math

import numpy as np

from kan_core.bases.basis import FloatArray
from kan_core.symbolic.library import Shape, SymbolicFunction

# bits that are no choice, for of whole features a line, or a parabola, is part, too
FREE = 1.0
# what is left of less than this share is rounding
ROUNDING = 1e-14


def parabola_basis(t: FloatArray) -> FloatArray:
    """Return the orthonormal polynomials at t (P,), P at least 2, up to the second degree, (3, P) or (2, P)."""
    return np.ascontiguousarray(np.linalg.qr(np.stack([np.ones_like(t), t, t * t], axis=1))[0].T)


def fine_tuning(function: SymbolicFunction, values: FloatArray, basis: FloatArray) -> float:
    """Return the bits that constants of `function` take beyond, its values (P,) on a curve given; `basis` as above.

    Lines take none, and a parabola only those that tell it from a line.
    """
    if function.shape in (Shape.CONSTANT, Shape.LINEAR) or not np.isfinite(values).all():
        return 0.0
    along = basis @ values
    power = float(np.square(values - values.mean()).sum())
    if not 0.0 < power < math.inf:
        return 0.0
    offset = abs(float(values.mean())) / math.sqrt(power / len(values))
    curved = values - basis[:2].T @ along[:2]
    line = float(np.square(curved).sum()) / power
    parabola = float(np.square(curved - basis[2:].T @ along[2:]).sum()) / power
    bits = max(math.log2(1.0 + offset), -0.5 * math.log2(max(min(line, 1.0), ROUNDING)) - FREE)
    return max(bits, 0.5 * math.log2(line / parabola) - FREE) if line > parabola > ROUNDING else bits
