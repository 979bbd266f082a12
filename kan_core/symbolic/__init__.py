"""From curves to formulas: library, fit, ranking, and the edits of edges."""

from __future__ import annotations

from kan_core.symbolic.edges import (
    edge_curve,
    edge_form,
    edge_units,
    fix_symbolic,
    lock_symbolic,
    release_symbolic,
    suggest_symbolic,
)
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction
from kan_core.symbolic.own_functions import BUILT_IN, Library
from kan_core.symbolic.ranking import Candidate, rank_candidates, resort

__all__ = [
    "BUILT_IN",
    "FUNCTIONS",
    "Candidate",
    "Library",
    "SymbolicFunction",
    "edge_curve",
    "edge_form",
    "edge_units",
    "fix_symbolic",
    "lock_symbolic",
    "rank_candidates",
    "release_symbolic",
    "resort",
    "suggest_symbolic",
]
