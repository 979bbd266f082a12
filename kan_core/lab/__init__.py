"""The lab: races and scaling laws of KANs and MLPs, described by a spec and run point by point.

Figures and reports are loaded when they are first asked for: who only trains does without Plotly.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from kan_core.lab.contestants import Budget, Contestant, Sweep
from kan_core.lab.costs import estimate_seconds, point_seconds
from kan_core.lab.fits import PointFit, spec_fits
from kan_core.lab.points import LabPoint, lab_points, point_dataset, point_network, point_shape, point_training
from kan_core.lab.problems import LabProblem
from kan_core.lab.reading import parse_spec
from kan_core.lab.ready import READY, ready_spec, ready_text
from kan_core.lab.results import PointResult
from kan_core.lab.running import PointRun, failed_result
from kan_core.lab.sizes import count_parameters
from kan_core.lab.spec import MAX_POINTS, LabSpec

if TYPE_CHECKING:
    from kan_core.figures.races import race_figures
    from kan_core.figures.scaling import scaling_figures
    from kan_core.lab.report import html_report

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

_DRAWING = MappingProxyType(
    {
        "html_report": "kan_core.lab.report",
        "race_figures": "kan_core.figures.races",
        "scaling_figures": "kan_core.figures.scaling",
    }
)


def __getattr__(name: str) -> object:
    """Return a name of the package that takes Plotly, loading the module that defines it."""
    if name not in _DRAWING:
        raise AttributeError(f"module 'kan_core.lab' has no attribute {name!r}")
    value = getattr(import_module(_DRAWING[name]), name)
    globals()[name] = value
    return value
