"""Plotly figures, made once for the page, notebooks and reports: networks, races and scaling sweeps."""

from __future__ import annotations

from kan_core.figures.networks import edge_figure, network_figure
from kan_core.figures.races import race_figures
from kan_core.figures.scaling import scaling_figures

__all__ = ["edge_figure", "network_figure", "race_figures", "scaling_figures"]
