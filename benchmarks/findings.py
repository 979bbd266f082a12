"""A finding: a spec run by the lab, and its numbers written down for people to read and to draw conclusions from.

    python -m benchmarks.findings which-basis
    python -m benchmarks.findings kan-or-mlp
    python -m benchmarks.findings how-they-scale

The spec (a ready one's name, or a file) runs as by `kanoscope lab`, on all cores, and is kept where that keeps it:
interrupted it goes on, and one that is done is written down again without being run, unless --fresh says so. What was
measured goes into docs/findings/NAME.md, between the lines that mark it, with pictures beside it, which take a Chromium
as the tests of the page do; what people wrote around these lines stays.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import plotly.graph_objects as go
import typer

from benchmarks.interleave import table_lines
from kan_core.lab import LabSpec, PointFit, PointResult, parse_spec, race_figures, scaling_figures, spec_fits
from kan_core.lab.report import CAPTIONS, say_repeatable
from kan_core.lab.tables import result_tables, say_exponent
from server.lab.command import BadInput, run_spec
from server.refusal import Refusal
from server.settings import Settings

FINDINGS = Path(__file__).parents[1] / "docs" / "findings"
END = "<!-- end of what was measured -->"
TO_WRITE = "<!-- by hand: what was found, what was not, and what would change one's mind -->"


def command_of(name: str) -> str:
    """Return the command that writes a finding."""
    return f"python -m benchmarks.findings {name}"


def start_of(name: str) -> str:
    """Return the line before what was measured."""
    return f"<!-- measured: {command_of(name)} -->"


def measured(name: str, spec: LabSpec, results: Sequence[PointResult], figures: Sequence[str]) -> str:
    """Return what was measured, as Markdown; `figures` are the names of those that there are pictures of."""
    fits = spec_fits(spec, results)
    parts = [
        *([f"> {spec.question}"] if spec.question else []),
        "\n".join(_facts(name, spec, results)),
        *([_table("Fitted laws", LAW_COLUMNS, [law_row(fit) for fit in fits])] if fits else []),
        *(_table(one.title, one.columns, one.rows) for one in result_tables(spec, results)),
        *_failures(results),
        *(f"![{CAPTIONS[figure]}]({name}-{figure}.png)" for figure in figures),
    ]
    return "\n\n".join(parts)


LAW_COLUMNS = ("problem", "contestant", "exponent", "95 %", "in theory", "what it says")


def law_row(fit: PointFit) -> list[str]:
    """Return a fitted law as the cells of a table."""
    theory = "–" if fit.theory is None else f"{fit.theory:g}"
    return [fit.problem, fit.contestant, *say_exponent(fit.law), theory, fit.sentence]


def put_measured(text: str, name: str, title: str, written: str) -> str:
    """Return a finding's text with `written` as what was measured; an empty one becomes a page to be continued."""
    start = start_of(name)
    text = text or f"# {title}\n\n{start}\n{END}\n\n{TO_WRITE}\n"
    found, count = re.subn(
        f"{re.escape(start)}.*{re.escape(END)}", lambda _: f"{start}\n{written}\n{END}", text, flags=re.DOTALL
    )
    if count != 1:
        raise typer.BadParameter(f"the finding has to hold the lines {start} and {END} once each: put them back")
    return found


def _facts(name: str, spec: LabSpec, results: Sequence[PointResult]) -> list[str]:
    """Return how it was measured, as a list."""
    seconds, ran = sum(one.seconds for one in results), sum(one.outcome != "failed" for one in results)
    seeds = ", ".join(map(str, spec.seeds))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = f"Kanoscope {version('kanoscope')}, PyTorch {version('torch')}, Python {platform.python_version()}"
    return [
        f"- Spec `{name}`, digest `{spec.digest}`: {spec.num_points} points, seeds {seeds}, float64",
        f"- Command: `{command_of(name)}`; `kanoscope lab {name}` runs the same. {say_repeatable(spec)}",
        f"- Machine: {platform.machine()}, {cores} cores, a training on each, one thread a training; {versions}",
        f"- {ran} trainings took {seconds:.0f} seconds of the processor in all",
    ]


def _failures(results: Sequence[PointResult]) -> list[str]:
    """Return why points failed or diverged, each reason with its points."""
    reasons: dict[str, list[str]] = {}
    for one in results:
        if one.outcome in ("failed", "diverged"):
            reasons.setdefault(one.sentence or one.outcome, []).append(one.point.key)
    if not reasons:
        return []
    lines = [f"- {sentence} ({', '.join(keys)})" for sentence, keys in reasons.items()]
    return ["Points that failed or diverged:", "\n".join(lines)]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([f"{title}:", "", *table_lines(_escaped(columns), [_escaped(row) for row in rows])])


def _escaped(cells: Sequence[str]) -> list[str]:
    """Return cells whose bars, as of |x|, are no borders of the table."""
    return [cell.replace("|", "\\|") for cell in cells]


def save_pictures(folder: Path, name: str, figures: dict[str, go.Figure]) -> None:
    """Write the figures as pictures beside the finding."""
    from tests.live import save_figure

    for title, figure in figures.items():
        # which figures leave to the page
        figure.update_layout(template="plotly_white", paper_bgcolor="white", plot_bgcolor="white")
        height: int | None = figure.layout.height  # pyright: ignore[reportAttributeAccessIssue]
        save_figure(figure, folder / f"{name}-{title}.png", width=1100, height=height or 480)


def main(
    spec: Annotated[str, typer.Argument(help="A ready spec's name, or a TOML file.")],
    folder: Annotated[Path, typer.Option(help="Where findings are.")] = FINDINGS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run it anew though it has been run.")] = False,
    pictures: Annotated[bool, typer.Option(help="Draw the figures, by a Chromium.")] = True,
) -> None:
    """Run the spec and write what was measured."""
    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        found = asyncio.run(run_spec(spec, settings, fresh=fresh, yes=True))
    except (BadInput, Refusal) as error:
        raise typer.BadParameter(str(error)) from error
    name, read = Path(spec).stem, parse_spec(found.plan.toml)
    results = [PointResult.from_json(one) for one in found.results]
    figures: dict[str, go.Figure] = {}
    if pictures:
        drawn = (
            race_figures(read, results)
            if read.sweep is None
            else scaling_figures(read, results, spec_fits(read, results))
        )
        figures = {title: drawn[title] for title in ("scaling", "error_by_seconds") if title in drawn}
        save_pictures(folder, name, figures)
    path = folder / f"{name}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    written = measured(name, read, results, list(figures))
    path.write_text(put_measured(text, name, read.title, written), encoding="utf-8")
    typer.echo(f"Written: {path}")


if __name__ == "__main__":
    typer.run(main)
