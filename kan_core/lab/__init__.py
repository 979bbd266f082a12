"""The lab: races and scaling laws of KANs and MLPs, described by a spec and run point by point."""

from __future__ import annotations

from kan_core.lab.contestants import Budget, Contestant, Sweep
from kan_core.lab.points import LabPoint, lab_points, point_dataset, point_network, point_shape, point_training
from kan_core.lab.problems import LabProblem
from kan_core.lab.reading import parse_spec
from kan_core.lab.results import PointResult
from kan_core.lab.running import PointRun, failed_result
from kan_core.lab.sizes import count_parameters
from kan_core.lab.spec import MAX_POINTS, LabSpec

__all__ = [
    "MAX_POINTS",
    "Budget",
    "Contestant",
    "LabPoint",
    "LabProblem",
    "LabSpec",
    "PointResult",
    "PointRun",
    "Sweep",
    "count_parameters",
    "failed_result",
    "lab_points",
    "parse_spec",
    "point_dataset",
    "point_network",
    "point_shape",
    "point_training",
]
