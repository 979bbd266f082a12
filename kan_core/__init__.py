"""The mathematics of Kolmogorov-Arnold networks: train, cut, replace curves by formulas, read the law."""

from __future__ import annotations

from kan_core.attribution import edge_importance, node_importance
from kan_core.curves import EdgeCurves, sample_edge_curves
from kan_core.datasets import Dataset
from kan_core.formula import NetworkFormula, network_formula
from kan_core.grids import fit_normalization, fit_ranges, refine
from kan_core.network import KAN, EdgeId, NetworkSpec, Trace
from kan_core.pruning import cut_effect, prune_edge, prune_edges, restore_edge, severs_output, weak_edges
from kan_core.symbolic import (
    Candidate,
    fix_symbolic,
    lock_symbolic,
    release_symbolic,
    suggest_symbolic,
)
from kan_core.training import Outcome, StepResult, Trainer, TrainingSpec

__all__ = [
    "KAN",
    "Candidate",
    "Dataset",
    "EdgeCurves",
    "EdgeId",
    "NetworkFormula",
    "NetworkSpec",
    "Outcome",
    "StepResult",
    "Trace",
    "Trainer",
    "TrainingSpec",
    "cut_effect",
    "edge_importance",
    "fit_normalization",
    "fit_ranges",
    "fix_symbolic",
    "lock_symbolic",
    "network_formula",
    "node_importance",
    "prune_edge",
    "prune_edges",
    "refine",
    "release_symbolic",
    "restore_edge",
    "sample_edge_curves",
    "severs_output",
    "suggest_symbolic",
    "weak_edges",
]
