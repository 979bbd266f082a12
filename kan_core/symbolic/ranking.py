"""Which formulas describe a curve best, weighing fit against simplicity."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kan_core.bases.basis import FloatArray
from kan_core.symbolic.affine_fit import FREE_CONSTANTS, AffineFit, fit_affine
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction

MAX_POINTS = 64
EXACT = 1e-20
# an unexplained share above which a simple formula is no better than another that fits less badly
POOR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The edge function c·f(a·x + b) + d, x in the units of the edge's curve; the lower the score the better."""

    function: str
    a: float
    b: float
    c: float
    d: float
    r2: float
    complexity: int
    score: float

    def evaluate(self, x: FloatArray) -> FloatArray:
        """Return the values at x of any shape."""
        return self.c * FUNCTIONS[self.function].value_and_derivative(self.a * x + self.b)[0] + self.d


def rank_candidates(
    x: FloatArray, y: FloatArray, *, functions: Iterable[SymbolicFunction] | None = None
) -> list[Candidate]:
    """Return a candidate for each function that has a fit to the curve y(x), both (P,), best first.

    Formulas that explain less than nine tenths of the curve's variance follow those that do, by how much they explain.
    Of functions that are one another up to constants only the better stays. Curves of more than 64 points are thinned.
    """
    order = np.argsort(x, kind="stable")
    order = order[np.unique(np.linspace(0, len(order) - 1, MAX_POINTS).astype(int))]
    points, values = x[order].astype(np.float64), y[order].astype(np.float64)
    fits: list[tuple[bool, float, Candidate]] = []
    for function in FUNCTIONS.values() if functions is None else functions:
        fit = fit_affine(function, points, values)
        if fit is not None:
            candidate = _candidate(function, fit)
            is_poor = fit.unexplained > POOR
            fits.append((is_poor, fit.unexplained if is_poor else candidate.score, candidate))
    fits.sort(key=lambda one: (*one[:2], one[2].complexity))
    return _without_equals([candidate for _, _, candidate in fits])


def description_length(unexplained: float, *, complexity: int, num_constants: int) -> float:
    """Return complexity + constants + log2 of the unexplained share of variance.

    The last term is twice the bits that one residual takes, relative to the curve: a unit of complexity must halve the
    unexplained variance to be worth it, whatever the units. A curve is never known to more than 10 digits.
    """
    return complexity + num_constants + math.log2(max(unexplained, 0.0) + EXACT)


def _candidate(function: SymbolicFunction, fit: AffineFit) -> Candidate:
    num_constants = len(FREE_CONSTANTS[function.shape])
    score = description_length(fit.unexplained, complexity=function.complexity, num_constants=num_constants)
    return Candidate(
        function=function.name,
        a=fit.a,
        b=fit.b,
        c=fit.c,
        d=fit.d,
        r2=fit.r2,
        complexity=function.complexity,
        score=score,
    )


def _without_equals(ranked: list[Candidate]) -> list[Candidate]:
    """Drop each candidate whose family has come before."""
    seen: set[str] = set()
    kept: list[Candidate] = []
    for candidate in ranked:
        family = FUNCTIONS[candidate.function].family
        if family not in seen:
            kept.append(candidate)
        if family:
            seen.add(family)
    return kept
