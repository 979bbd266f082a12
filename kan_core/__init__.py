"""The mathematics of Kolmogorov-Arnold networks: train, cut, replace curves by formulas, read the law.

Names are loaded when they are first used, so that a program that only parses formulas or tables does without torch.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kan_core.attribution import edge_importance, node_importance
    from kan_core.curves import EdgeCurves, sample_edge_curves
    from kan_core.datasets import Dataset
    from kan_core.discover import Discovery
    from kan_core.families import edge_family, swap_basis
    from kan_core.figures import edge_figure, network_figure
    from kan_core.formula import NetworkFormula, network_formula
    from kan_core.grids import fit_normalization, fit_ranges, refine
    from kan_core.mlp import MLP, MLPSpec
    from kan_core.mlp_training import MLPTrainer
    from kan_core.network import KAN, EdgeId, NetworkSpec, Trace
    from kan_core.pruning import cut_effect, prune_edge, prune_edges, restore_edge, severs_output, weak_edges
    from kan_core.symbolic import (
        Candidate,
        Library,
        fix_symbolic,
        lock_symbolic,
        release_symbolic,
        suggest_symbolic,
    )
    from kan_core.symbolic.constants import constants_of, snap_constant, unsnap_constant
    from kan_core.symbolic.laws import Law
    from kan_core.symbolic.normal_form import normal_form
    from kan_core.symbolic.search import Explanation, explain
    from kan_core.symbolic.snapping import snap_constants
    from kan_core.training import Outcome, StepResult, Trainer, TrainingSpec
    from kan_core.training_run import TrainingResult, train

__all__ = [
    "KAN",
    "MLP",
    "Candidate",
    "Dataset",
    "Discovery",
    "EdgeCurves",
    "EdgeId",
    "Explanation",
    "Law",
    "Library",
    "MLPSpec",
    "MLPTrainer",
    "NetworkFormula",
    "NetworkSpec",
    "Outcome",
    "StepResult",
    "Trace",
    "Trainer",
    "TrainingResult",
    "TrainingSpec",
    "constants_of",
    "cut_effect",
    "edge_family",
    "edge_figure",
    "edge_importance",
    "explain",
    "fit_normalization",
    "fit_ranges",
    "fix_symbolic",
    "lock_symbolic",
    "network_figure",
    "network_formula",
    "node_importance",
    "normal_form",
    "prune_edge",
    "prune_edges",
    "refine",
    "release_symbolic",
    "restore_edge",
    "sample_edge_curves",
    "severs_output",
    "snap_constant",
    "snap_constants",
    "suggest_symbolic",
    "swap_basis",
    "train",
    "unsnap_constant",
    "weak_edges",
]

_MODULES = MappingProxyType(
    {
        "edge_importance": "kan_core.attribution",
        "node_importance": "kan_core.attribution",
        "EdgeCurves": "kan_core.curves",
        "sample_edge_curves": "kan_core.curves",
        "Dataset": "kan_core.datasets",
        "Discovery": "kan_core.discover",
        "edge_family": "kan_core.families",
        "edge_figure": "kan_core.figures.networks",
        "network_figure": "kan_core.figures.networks",
        "NetworkFormula": "kan_core.formula",
        "network_formula": "kan_core.formula",
        "fit_normalization": "kan_core.grids",
        "fit_ranges": "kan_core.grids",
        "refine": "kan_core.grids",
        "EdgeId": "kan_core.network",
        "MLP": "kan_core.mlp",
        "MLPSpec": "kan_core.mlp",
        "MLPTrainer": "kan_core.mlp_training",
        "KAN": "kan_core.network",
        "NetworkSpec": "kan_core.network",
        "Trace": "kan_core.network",
        "cut_effect": "kan_core.pruning",
        "prune_edge": "kan_core.pruning",
        "prune_edges": "kan_core.pruning",
        "restore_edge": "kan_core.pruning",
        "severs_output": "kan_core.pruning",
        "weak_edges": "kan_core.pruning",
        "Candidate": "kan_core.symbolic",
        "Library": "kan_core.symbolic",
        "fix_symbolic": "kan_core.symbolic",
        "lock_symbolic": "kan_core.symbolic",
        "release_symbolic": "kan_core.symbolic",
        "suggest_symbolic": "kan_core.symbolic",
        "swap_basis": "kan_core.families",
        "constants_of": "kan_core.symbolic.constants",
        "snap_constant": "kan_core.symbolic.constants",
        "unsnap_constant": "kan_core.symbolic.constants",
        "Law": "kan_core.symbolic.laws",
        "normal_form": "kan_core.symbolic.normal_form",
        "Explanation": "kan_core.symbolic.search",
        "explain": "kan_core.symbolic.search",
        "snap_constants": "kan_core.symbolic.snapping",
        "Outcome": "kan_core.training",
        "StepResult": "kan_core.training",
        "Trainer": "kan_core.training",
        "TrainingSpec": "kan_core.training",
        "TrainingResult": "kan_core.training_run",
        "train": "kan_core.training_run",
    }
)


def __getattr__(name: str) -> object:
    """Return a name of the package, loading the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'kan_core' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names that the package offers."""
    return sorted(__all__)
