"""A run as one HTML file that needs no network: the spec, what was found, and the figures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from kan_core.figures.fields import count_columns
from kan_core.figures.races import race_figures
from kan_core.figures.scaling import scaling_figures
from kan_core.lab.fits import PointFit
from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import Table, result_tables, say_exponent

HEADINGS = {
    "scaling": "Test error by size",
    "error_by_parameters": "Test error by parameters",
    "error_by_seconds": "Test error by time",
    "curves": "Test error as training goes on",
}
RMSE = (
    "Test RMSE is the typical error on samples that were not trained on, in units of the target; for classes, in units "
    "of probability. The smaller it is, the better."
)
CAPTIONS = {
    "scaling": "Medians with their ranges over the seeds, both axes logarithmic. Solid lines are fitted laws, dashed "
    "ones the slope that theory promises, drawn beside the law; dotted ones stand where there are as many parameters "
    "as samples.",
    "error_by_parameters": "Medians with their ranges over the seeds; small markers are single trainings. Nobody is "
    "better in both than those on the dotted line.",
    "error_by_seconds": "The same against the processor's time.",
    "curves": "The course of the seed with the median error.",
}
# pixels under which a field of a figure cannot be read
NARROWEST = 270
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #171a21;
  background: #fff; }
h1, h2 { line-height: 1.25; }
h2 { margin: 2.2rem 0 0.4rem; font-size: 1.2rem; }
p { max-width: 50rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #d9dde6; vertical-align: top; }
.numbers td, .laws td:not(:last-child) { white-space: nowrap; }
.laws td:last-child { min-width: 20rem; }
pre { background: #f4f5f8; padding: 1rem; overflow-x: auto; font-size: 0.8rem; }
code { overflow-wrap: anywhere; }
.note { color: #59606f; font-size: 0.85rem; }
.wide { overflow-x: auto; }
"""


def html_report(
    spec: LabSpec, results: Iterable[PointResult], fits: Iterable[PointFit], *, notes: Sequence[str] = ()
) -> str:
    """Return a page that shows the same without a server: plotly.js is in it, and all text is escaped.

    `notes` are sentences on how the results came about.
    """
    known, laws = list(results), list(fits)
    figures = race_figures(spec, known) if spec.sweep is None else scaling_figures(spec, known, laws)
    drawn = [_figure(spec, name, figure) for name, figure in figures.items()]
    parts = [
        f"<h1>{_text(spec.title)}</h1>",
        f"<p>{_text(spec.question)}</p>" if spec.question else "",
        f'<p class="note">{len(known):,} of {spec.num_points:,} points, seeds {", ".join(map(str, spec.seeds))}. '
        f"Digest of the spec: <code>{spec.digest}</code></p>",
        f'<p class="note">{"<br>".join(map(_text, notes))}</p>' if notes else "",
        f'<p class="note">{say_repeatable(spec)}</p>',
        f'<p class="note">{_text(RMSE)}</p>',
        *(drawn[:1] if spec.sweep is not None else []),
        _laws(spec, laws),
        *(_table(one) for one in result_tables(spec, known)),
        _failures(spec, known),
        *(drawn[1:] if spec.sweep is not None else drawn),
        '<h2>The spec</h2><p class="note">Saved as a file, <code>kanoscope lab FILE</code> runs it again.</p>'
        f"<pre>{_text(spec.to_toml())}</pre>",
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{_text(spec.title)}</title><style>{STYLE}</style>"
    )
    script = f"<script>{get_plotlyjs()}</script>"
    body = "\n".join(part for part in parts if part)
    return f'<!doctype html>\n<html lang="en"><head>{head}{script}</head><body>\n{body}\n</body></html>\n'


def say_repeatable(spec: LabSpec) -> str:
    """Return which of a spec's numbers come out the same when it is run again."""
    if spec.budget.seconds is not None:
        return "The budget is one of seconds, so that what comes out depends on the machine and on what else it does."
    if spec.sweep is None:
        return (
            "Run again, the spec gives the same errors; times, and so errors after an equal time, depend on the "
            "machine and on what else it does."
        )
    return "Run again, the spec gives the same errors; times depend on the machine and on what else it does."


def _laws(spec: LabSpec, fits: Sequence[PointFit]) -> str:
    if not fits:
        return ""
    rows = [
        [
            spec.problem(one.problem).title,
            one.contestant,
            *say_exponent(one.law),
            "–" if one.theory is None else f"{one.theory:g}",
            one.sentence,
        ]
        for one in fits
    ]
    columns = ("Problem", "Contestant", "Exponent", "95 %", "Theory", "What it says")
    return _table(Table(title="Laws", columns=columns, rows=rows), kind="laws")


def _failures(spec: LabSpec, results: Sequence[PointResult]) -> str:
    wrong = [one for one in results if one.outcome in ("failed", "diverged")]
    if not wrong:
        return ""
    items = "".join(f"<li>{_text(f'{_say_point(spec, one)}: {one.sentence}')}</li>" for one in wrong)
    return f"<h2>Points that failed or diverged</h2><ul>{items}</ul>"


def _say_point(spec: LabSpec, result: PointResult) -> str:
    swept = [] if result.value is None else [str(result.value)]
    return ", ".join([spec.problem(result.problem).title, result.contestant, *swept, f"seed {result.seed}"])


def _table(table: Table, *, kind: str = "numbers") -> str:
    head = "".join(f"<th>{_text(one)}</th>" for one in table.columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f'<h2>{_text(table.title)}</h2><div class="wide"><table class="{kind}"><tr>{head}</tr>{body}</table></div>'


def _figure(spec: LabSpec, name: str, figure: go.Figure) -> str:
    options = {"responsive": True, "displaylogo": False}
    drawn: str = plotly.io.to_html(figure, include_plotlyjs=False, full_html=False, div_id=name, config=options)
    narrowest = NARROWEST * count_columns(spec)
    return (
        f'<h2>{_text(HEADINGS[name])}</h2><p class="note">{_text(CAPTIONS[name])}</p>'
        f'<div class="wide"><div style="min-width: {narrowest}px">{drawn}</div></div>'
    )


def _text(value: str) -> str:
    return html.escape(value)
