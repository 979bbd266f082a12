"""The lab: races and scaling laws of KANs and MLPs, described by a spec and run point by point."""

from __future__ import annotations

from kan_core.lab.contestants import Budget, Contestant, Sweep
from kan_core.lab.costs import estimate_seconds, point_seconds
from kan_core.lab.figures import race_figures, scaling_figures
from kan_core.lab.fits import PointFit, spec_fits
from kan_core.lab.points import LabPoint, lab_points, point_dataset, point_network, point_shape, point_training
from kan_core.lab.problems import LabProblem
from kan_core.lab.reading import parse_spec
from kan_core.lab.ready import READY, ready_spec, ready_text
from kan_core.lab.report import html_report
from kan_core.lab.results import PointResult
from kan_core.lab.running import PointRun, failed_result
from kan_core.lab.sizes import count_parameters
from kan_core.lab.spec import MAX_POINTS, LabSpec

__all__ = [
    "MAX_POINTS",
    "READY",
    "Budget",
    "Contestant",
    "LabPoint",
    "LabProblem",
    "LabSpec",
    "PointFit",
    "PointResult",
    "PointRun",
    "Sweep",
    "count_parameters",
    "estimate_seconds",
    "failed_result",
    "html_report",
    "lab_points",
    "parse_spec",
    "point_dataset",
    "point_network",
    "point_seconds",
    "point_shape",
    "point_training",
    "race_figures",
    "ready_spec",
    "ready_text",
    "scaling_figures",
    "spec_fits",
]
