"""Laws of one variable that are no single library function: one inside another, and products of two.

A chain of curves can be bent in many ways that compute the same, so a network does not show which functions it is made
of. A curve y(x) is therefore compared with F(g(x)) by ranking formulas of y over u = g(x), for functions g with the few
constants that F does not make up for, and with p(x)·F(g(x)) by doing the same with y/p.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from kan_core.bases.basis import FloatArray
from kan_core.discovery.composition import PASS, Sheet, Term
from kan_core.symbolic.edges import definition_of
from kan_core.symbolic.library import FUNCTIONS, Shape, SymbolicFunction
from kan_core.symbolic.ranking import Candidate, rank_candidates

# around others: those whose composition with another is found in laws
AROUND = ("x", "x^2", "x^3", "1/x", "1/x^2", "sqrt", "1/sqrt", "log", "exp", "sin", "tanh", "arctan", "arcsin")
INSIDE = ("x^2", "x^3", "1/x", "sqrt", "log", "exp", "sin", "cos", "tanh", "cosh", "sinh", "gaussian", "lorentzian")
POWERS = (1, -1, 2, -2, 3, -3)
_POWER_NAMES = {1: "x", 2: "x^2", 3: "x^3", -1: "1/x", -2: "1/x^2", -3: "1/x^3"}
# scales of g's argument: turns of waves and widths of bumps over the largest |x|
WAVES = np.geomspace(0.7, 16.0, 12)
WIDTHS = np.array((0.5, 1.0, 2.0, 4.0, 8.0))
# the scale of g may be off by this factor
OFF = 1.6
REFINED = 1e-4
# y as a function of u: neighbours may differ by so much of what shuffled ones do
SMOOTH = 0.1
SMALLEST_SHARE = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """x^power · F(g(x)), which leaves `unexplained` of the variance of y/x^power; `sign` is that of x."""

    unexplained: float
    complexity: int
    inside: Term
    outer: Term
    power: int
    sign: float

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The sheets of a network of one input."""
        return _sheets(self.inside, self.outer, self.power, self.sign)


def composites(x: FloatArray, y: FloatArray) -> Iterator[Composite | None]:
    """Yield what fits the curve y(x), both (P,), or None, after every comparison."""
    insides = list(_insides(x))
    for power in (0, *POWERS):
        if power and np.abs(x).min() < SMALLEST_SHARE * np.abs(x).max():
            continue
        rest = y / x**power
        for inside, u in insides:
            yield _compare(u, rest, inside, power, sign=-1.0 if power < 0 and float(x[0]) < 0.0 else 1.0)


def _insides(x: FloatArray) -> Iterator[tuple[Term, FloatArray]]:
    """Yield functions g with their constants, and their values on x."""
    largest = float(np.abs(x).max()) or 1.0
    yield PASS, x
    for name in INSIDE:
        function = FUNCTIONS[name]
        for a in _scales(function, largest):
            if not bool(function.contains((a * x)[None])[0]):
                continue
            with np.errstate(all="ignore"):
                u = function.value_and_derivative(a * x)[0]
            if bool(np.isfinite(u).all()) and float(np.ptp(u)) > 1e-9 * float(np.abs(u).max()):
                yield Term(function, a=float(a)), u


def _scales(function: SymbolicFunction, largest: float) -> FloatArray:
    if function.shape is Shape.POWER:
        return np.array([1.0])
    if function.shape is Shape.WAVE:
        return WAVES / largest
    both = np.concatenate([WIDTHS, -WIDTHS]) if function.parity == 0 else WIDTHS
    return both / largest


def _compare(u: FloatArray, y: FloatArray, inside: Term, power: int, *, sign: float) -> Composite | None:
    order = np.argsort(u, kind="stable")
    over, wanted = u[order], y[order]
    if not _is_function(wanted):
        return None
    best = _closest(over, wanted, AROUND)
    if best is None:
        return None
    outer = Term(best.definition, best.a, best.b, best.c, best.d)
    return Composite(
        unexplained=best.unexplained,
        complexity=best.complexity + FUNCTIONS[inside.function.name].complexity + abs(power),
        inside=inside,
        outer=outer,
        power=power,
        sign=sign,
    )


def _closest(u: FloatArray, y: FloatArray, names: Iterable[str]) -> Candidate | None:
    ranked = rank_candidates(u, y, functions=[FUNCTIONS[name] for name in names])
    return min(ranked, key=lambda one: one.unexplained, default=None)


def refine(fit: Composite, x: FloatArray, y: FloatArray) -> Composite:
    """Return the composite with the scale of g that fits the curve y(x), both (P,), best nearby."""
    inside, rest = fit.inside, y / x**fit.power
    if definition_of(inside.function).shape in (Shape.LINEAR, Shape.POWER):
        return fit

    def compare(log_factor: float) -> tuple[float, Term, Term | None]:
        term = replace(inside, a=inside.a * math.exp(log_factor))
        with np.errstate(all="ignore"):
            u = inside.function.value_and_derivative(term.a * x)[0]
        order = np.argsort(u, kind="stable")
        finite = bool(np.isfinite(u).all()) and float(np.ptp(u)) > 0.0
        best = _closest(u[order], rest[order], [fit.outer.function.name]) if finite else None
        if best is None:
            return math.inf, term, None
        return best.unexplained, term, Term(best.definition, best.a, best.b, best.c, best.d)

    def digits(log_factor: float) -> float:
        return math.log(compare(log_factor)[0] + 1e-16)

    bound = math.log(OFF)
    found: Any = minimize_scalar(digits, bounds=(-bound, bound), method="bounded", options={"xatol": REFINED})
    unexplained, term, outer = compare(float(found.x))
    if outer is None or unexplained > fit.unexplained:
        return fit
    return replace(fit, unexplained=unexplained, inside=term, outer=outer)


def _is_function(y: FloatArray) -> bool:
    """Return whether y (P,), in the order of u, may be a function of it: neighbours are near each other."""
    return float(np.square(np.diff(y)).mean()) < SMOOTH * 2.0 * float(y.var())


def _sheets(inside: Term, outer: Term, power: int, sign: float) -> tuple[Sheet, ...]:
    if power == 0:
        return (Sheet(1, 1, 0, {(0, 0): inside}), Sheet(1, 1, 0, {(0, 0): outer}))
    factor = Term(FUNCTIONS[_POWER_NAMES[power]], a=sign, c=sign**power)
    behind = Sheet(1, 1, 0, {(0, 0): PASS})
    if inside == PASS:
        return (Sheet(1, 1, 1, {(0, 0): factor, (1, 0): outer}), behind)
    return (
        Sheet(1, 2, 0, {(0, 0): factor, (1, 0): inside}),
        Sheet(2, 1, 1, {(0, 0): PASS, (1, 1): outer}),
        behind,
    )
