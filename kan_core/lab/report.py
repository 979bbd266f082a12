"""A run as one HTML file that needs no network: the spec, what was found, and the figures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from kan_core.lab.figures import race_figures, scaling_figures
from kan_core.lab.fits import PointFit
from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import Table, result_tables

CAPTIONS = {
    "scaling": "Test error by size: medians and ranges over the seeds, fitted laws (solid), what theory promises "
    "(dashed), and where parameters meet samples (dotted).",
    "error_by_parameters": "Test error against the number of parameters.",
    "error_by_seconds": "Test error against the processor's time.",
    "curves": "Test error over time, of the seed with the median error.",
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #171a21;
  background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid #d9dde6; }
pre { background: #f4f5f8; padding: 1rem; overflow-x: auto; font-size: 0.8rem; }
.wide { overflow-x: auto; }
"""


def html_report(spec: LabSpec, results: Iterable[PointResult], fits: Iterable[PointFit]) -> str:
    """Return a page that shows the same without a server: plotly.js is in it, and all text is escaped."""
    known, laws = list(results), list(fits)
    figures = race_figures(spec, known) if spec.sweep is None else scaling_figures(spec, known, laws)
    parts = [
        f"<h1>{_text(spec.title)}</h1>",
        f"<p>{_text(spec.question)}</p>" if spec.question else "",
        f"<p>{len(known)} of {spec.num_points} points, seeds {', '.join(map(str, spec.seeds))}. "
        f"Digest of the spec: <code>{spec.digest}</code></p>",
        _laws(laws),
        *(_table(one) for one in result_tables(spec, known)),
        _failures(known),
        *(_figure(name, figure) for name, figure in figures.items()),
        f"<h2>The spec</h2><pre>{_text(spec.to_toml())}</pre>",
    ]
    head = f'<meta charset="utf-8"><title>{_text(spec.title)}</title><style>{STYLE}</style>'
    script = f"<script>{get_plotlyjs()}</script>"
    body = "\n".join(part for part in parts if part)
    return f'<!doctype html>\n<html lang="en"><head>{head}{script}</head><body>\n{body}\n</body></html>\n'


def _laws(fits: Sequence[PointFit]) -> str:
    if not fits:
        return ""
    items = "".join(f"<li>{_text(f'{one.problem}, {one.contestant}: {one.sentence}')}</li>" for one in fits)
    return f"<h2>Laws</h2><ul>{items}</ul>"


def _failures(results: Sequence[PointResult]) -> str:
    wrong = [one for one in results if one.outcome in ("failed", "diverged")]
    if not wrong:
        return ""
    items = "".join(f"<li>{_text(f'{one.point.key}: {one.sentence}')}</li>" for one in wrong)
    return f"<h2>Points that failed or diverged</h2><ul>{items}</ul>"


def _table(table: Table) -> str:
    head = "".join(f"<th>{_text(one)}</th>" for one in table.columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f'<h2>{_text(table.title)}</h2><div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _figure(name: str, figure: go.Figure) -> str:
    options = {"responsive": True, "displaylogo": False}
    drawn: str = plotly.io.to_html(figure, include_plotlyjs=False, full_html=False, div_id=name, config=options)
    return f"<h2>{_text(CAPTIONS[name])}</h2>{drawn}"


def _text(value: str) -> str:
    return html.escape(value)
