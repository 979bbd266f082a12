"""Which formulas describe a curve best, weighing fit against simplicity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_core._checks import check_number
from kan_core.bases.basis import FloatArray
from kan_core.errors import EdgeError
from kan_core.symbolic.affine_fit import FREE_CONSTANTS, AffineFit, ScaledCurve, fit_scaled, scaled_curve
from kan_core.symbolic.fine_tuning import fine_tuning, parabola_basis
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction

# shares of variance below this are one: a curve is known to 7 digits, as many as single precision has
KNOWN = 1e-14
# an unexplained share above which a simple formula is no better than another that fits less badly
POOR = 0.1
# what a unit of complexity costs
BITS = 2.0
FEWEST_INDEPENDENT = 4
MAX_WEIGHT = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The edge function c·f(a·x + b) + d, x in the units of the edge's curve; the lower the score the better.

    The fit that the score was made from stays: `unexplained` share of the curve's variance, `num_constants` fitted and
    `num_independent`, as how many independent residuals the curve's points count; `tuning` are the bits of
    `fine_tuning`. `own` is the function where it is one that a person added to their library.
    """

    function: str
    a: float
    b: float
    c: float
    d: float
    r2: float
    complexity: int
    score: float
    unexplained: float = 0.0
    num_constants: int = 4
    num_independent: int = FEWEST_INDEPENDENT
    tuning: float = 0.0
    own: SymbolicFunction | None = field(default=None, repr=False, compare=False)

    @property
    def definition(self) -> SymbolicFunction:
        """The function f; raises EdgeError when the library has none of that name."""
        found = FUNCTIONS.get(self.function) if self.own is None else self.own
        if found is None:
            raise EdgeError(
                f"a formula names a library function, received function={self.function!r}: "
                f"choose one of {', '.join(FUNCTIONS)}"
            )
        return found

    @property
    def is_poor(self) -> bool:
        """Whether the formula explains less than nine tenths of the curve's variance."""
        return self.unexplained > POOR

    @property
    def formula_bits(self) -> float:
        """The bits that the formula takes: 2 for a unit of complexity, and 1/2 · log2 n for a constant.

        n is `num_independent`: a constant is worth stating to half the digits of n (J. Rissanen, Automatica 14, 1978).
        Where no more of f is used than a line or a parabola, its constants take `tuning` bits beyond.
        """
        constants = 0.5 * self.num_constants * math.log2(self.num_independent)
        return BITS * self.complexity + constants + self.tuning

    @property
    def residual_bits(self) -> float:
        """The bits that residuals take, n/2 · log2 of their share of variance, but for what all candidates share."""
        return 0.5 * self.num_independent * math.log2(max(self.unexplained, 0.0) + KNOWN)

    def evaluate(self, x: FloatArray) -> FloatArray:
        """Return the values at x of any shape."""
        return self.c * self.definition.value_and_derivative(self.a * x + self.b)[0] + self.d


def rank_candidates(
    x: FloatArray, y: FloatArray, *, functions: Iterable[SymbolicFunction] | None = None, weight: float = 1.0
) -> list[Candidate]:
    """Return a candidate for each function that has a fit to the curve y(x), both (P,), best first as in `resort`.

    Of functions that are the same curve here, by their nature (sine and cosine) or for these constants (a hyperbolic
    sine far out is an exponential), only the simplest stays.
    """
    curve = scaled_curve(x, y)
    if curve is None:
        return []
    library = list(FUNCTIONS.values() if functions is None else functions)
    fits = [(function, fit) for function in library if (fit := fit_scaled(function, curve)) is not None]
    if not fits:
        return []
    values = {function.name: _values(function, fit, curve) for function, fit in fits}
    residuals = {function.name: _residuals(values[function.name], fit, curve) for function, fit in fits}
    closest = min(fits, key=lambda one: one[1].unexplained)[0]
    num_independent = count_independent(residuals[closest.name])
    basis = parabola_basis(curve.points[0])
    candidates = [
        _candidate(
            function,
            fit,
            num_independent=num_independent,
            tuning=fine_tuning(function, values[function.name], basis),
        )
        for function, fit in fits
    ]
    families = {function.name: function.family or function.name for function, _ in fits}
    return resort(_without_equals(candidates, residuals, families), weight=weight)


def resort(candidates: Sequence[Candidate], *, weight: float = 1.0) -> list[Candidate]:
    """Return the candidates with scores for another `weight` of simplicity, at least 0, best first; nothing is fitted.

    Formulas that explain less than nine tenths of the curve's variance follow those that do, by how much they explain.
    Raises SpecError for a weight out of bounds.
    """
    check_number("weight", weight, low=0.0, high=MAX_WEIGHT)
    scored = [replace(one, score=description_length(one, weight=weight)) for one in candidates]
    return sorted(scored, key=lambda one: (one.is_poor, one.unexplained if one.is_poor else one.score, one.complexity))


def description_length(candidate: Candidate, *, weight: float = 1.0) -> float:
    """Return the bits that a curve takes as a formula and what the formula leaves, its own bits `weight` times."""
    return weight * candidate.formula_bits + candidate.residual_bits


def count_independent(residuals: FloatArray) -> int:
    """Return as how many independent residuals those of the closest fit count, residuals (P,) in the order of x.

    Noise changes its sign at every other point on average, so each point counts. What a smooth curve leaves turns a few
    times, however many points it is seen at, and is an error of the curve that says little about the formula: with the
    square of how often its sign changes, beside noise, it counts for less than its turns.
    """
    share = 2 * np.count_nonzero(np.diff(np.signbit(residuals))) / max(len(residuals), 1)
    return max(round(min(float(share), 1.0) ** 2 * len(residuals)), FEWEST_INDEPENDENT)


def _values(function: SymbolicFunction, fit: AffineFit, curve: ScaledCurve) -> FloatArray:
    """Return f(a·x + b) on the curve (P,)."""
    arguments = fit.a * curve.half * curve.points[0] + (fit.a * curve.centre + fit.b)
    with np.errstate(all="ignore"):
        return function.value_and_derivative(arguments)[0]


def _residuals(values: FloatArray, fit: AffineFit, curve: ScaledCurve) -> FloatArray:
    """Return what c·values + d leaves of the curve (P,), in units of the curve's deviation."""
    if curve.is_flat or fit.c == 0.0:
        return -curve.points[1]
    return (fit.c / curve.spread) * values + (fit.d - curve.mean) / curve.spread - curve.points[1]


def _candidate(function: SymbolicFunction, fit: AffineFit, *, num_independent: int, tuning: float) -> Candidate:
    return Candidate(
        function=function.name,
        a=fit.a,
        b=fit.b,
        c=fit.c,
        d=fit.d,
        r2=fit.r2,
        complexity=function.complexity,
        score=0.0,
        unexplained=fit.unexplained,
        num_constants=len(FREE_CONSTANTS[function.shape]),
        num_independent=num_independent,
        tuning=tuning,
        own=function if function.expression else None,
    )


def _without_equals(
    candidates: list[Candidate], residuals: dict[str, FloatArray], families: dict[str, str]
) -> list[Candidate]:
    """Return the candidates without those that are the curve of a simpler one."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (one.complexity, one.num_constants, abs(one.b))):
        family, mine = families[candidate.function], residuals[candidate.function]
        if not any(
            families[other.function] == family or float(np.square(residuals[other.function] - mine).mean()) < KNOWN
            for other in kept
        ):
            kept.append(candidate)
    return kept
