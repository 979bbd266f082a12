"""Figures and reports: every point can be opened from its marker, colours are kept, and text stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from kan_core.figures.fields import DASHES, MARKERS, PALETTE
from kan_core.lab import (
    Contestant,
    LabProblem,
    LabSpec,
    PointResult,
    failed_result,
    html_report,
    lab_points,
    race_figures,
    scaling_figures,
    spec_fits,
)
from kan_core.lab.tables import equal_time, error_at, error_rows, result_tables, summarize
from tests.kan_core.lab.specs_for_tests import planted_results, race, sweep

SWEEP = sweep()
SWEPT = [replace(one, parameters=3 * ((one.value or 0) + 4)) for one in planted_results(SWEEP)]


def raced(spec: LabSpec) -> list[PointResult]:
    """Return results of a race with different errors for all."""
    return [replace(one, test_rmse=0.1 + 0.01 * index) for index, one in enumerate(planted_results(spec))]


def traces(figure: go.Figure) -> list[dict[str, Any]]:
    return figure.to_dict()["data"]


FRONT = "nobody is better in both"


def keys(figure: go.Figure) -> set[str]:
    """Return all keys that markers and lines carry."""
    return {key for trace in traces(figure) for row in trace.get("customdata", ()) for key in row}


def test_every_point_can_be_opened_from_a_race() -> None:
    spec = race()
    figures = race_figures(spec, raced(spec))
    assert list(figures) == ["error_by_parameters", "error_by_seconds", "curves"]
    everyone = {point.key for point in lab_points(spec)}
    assert keys(figures["error_by_parameters"]) == keys(figures["error_by_seconds"]) == everyone
    assert keys(figures["curves"]) < everyone


def test_a_contestant_has_one_colour_everywhere_and_one_entry_in_each_legend() -> None:
    spec = race()
    for figure in race_figures(spec, raced(spec)).values():
        named = [trace for trace in traces(figure) if trace.get("name", FRONT) != FRONT]
        assert [trace["name"] for trace in named if trace.get("showlegend")] == [one.name for one in spec.contestants]
        colours: dict[str, set[str]] = {}
        for trace in named:
            colours.setdefault(trace["name"], set()).add((trace.get("marker") or trace["line"])["color"])
        assert all(len(used) == 1 for used in colours.values())
        assert len(set.union(*colours.values())) == len(spec.contestants)


def test_medians_carry_their_range() -> None:
    spec = race()
    trace = traces(race_figures(spec, raced(spec))["error_by_parameters"])[0]
    assert trace["y"][0] + trace["error_y"]["array"][0] == pytest.approx(0.16)
    assert trace["y"][0] - trace["error_y"]["arrayminus"][0] == pytest.approx(0.1)
    assert list(trace["customdata"][0]) == ["exp_sin/B-spline/0", "exp_sin/B-spline/7"]


def test_pages_choose_background_and_text() -> None:
    for figure in race_figures(race(), raced(race())).values():
        layout: dict[str, Any] = json.loads(str(figure.to_json()))["layout"]
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0, 0, 0, 0)"
        assert "color" not in layout.get("font", {})
        assert "layout" not in layout["template"]


def test_a_sweep_shows_law_theory_and_data_limit() -> None:
    spec = replace(SWEEP, num_train=45)
    figure = scaling_figures(spec, SWEPT, spec_fits(SWEEP, SWEPT))["scaling"]
    drawn = traces(figure)
    assert keys(figure) == {point.key for point in lab_points(spec)}
    law, theory = (trace for trace in drawn if "G<sup>−" in str(trace.get("hovertext", "")))
    assert law["y"][0] / law["y"][1] == pytest.approx(4.0**4, rel=0.05)
    assert theory["y"][0] / theory["y"][1] == pytest.approx(4.0**4)
    (limit,) = (trace for trace in drawn if trace.get("hovertext") == "as many parameters as samples")
    # 3·(G + 4) = 45 at G = 11, found between 8 and 16 on a logarithmic scale
    assert limit["x"][0] == limit["x"][1] == pytest.approx(11.0, abs=0.3)


def test_theory_is_drawn_where_no_law_is_seen_too() -> None:
    errors = {4: 1e-2, 8: 1e-1, 16: 2e-3}
    results = [replace(one, test_rmse=errors[one.value or 0]) for one in SWEPT]
    (fit,) = spec_fits(SWEEP, results)
    assert fit.law is None
    drawn = traces(scaling_figures(SWEEP, results, [fit])["scaling"])
    (theory,) = (trace for trace in drawn if str(trace.get("hovertext", "")).startswith("theory: G<sup>−4</sup>"))
    assert list(theory["x"]) == [4.0, 16.0]
    assert theory["y"][0] / theory["y"][1] == pytest.approx(4.0**4)


def test_tables_tell_the_shapes() -> None:
    table = next(one for one in result_tables(race(), []) if one.title.startswith("Shapes"))
    assert table.rows[0] == ["B-spline", "[2, 5, 1], 5", "[2, 4, 1], 5"]
    assert table.rows[2] == ["MLP", "[2, 6, 4, 1]", "[2, 6, 4, 1]"]


def test_the_legend_says_what_the_lines_of_a_sweep_are() -> None:
    figure = scaling_figures(replace(SWEEP, num_train=45), SWEPT, spec_fits(SWEEP, SWEPT))["scaling"]
    named = {trace["name"]: trace["line"]["dash"] for trace in traces(figure) if list(trace["x"]) == [None]}
    assert named == {
        "fitted law": "solid",
        "slope that theory promises": "dash",
        "as many parameters as samples": "dot",
    }
    without = scaling_figures(replace(SWEEP, num_train=1000), SWEPT, [])["scaling"]
    assert not any(list(trace["x"]) == [None] for trace in traces(without))


def test_a_formula_of_ones_own_is_called_by_its_name() -> None:
    own = LabProblem(name="mine", expression="sin(x) + 0*" + "x*" * 40 + "x", ranges=(("x", (-1.0, 1.0)),))
    spec = replace(race(), problems=(own, LabProblem(name="product")))
    layout: dict[str, Any] = json.loads(str(race_figures(spec, [])["curves"].to_json()))["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["mine", "x·y"]


def test_figures_of_nothing_yet_are_empty_and_whole() -> None:
    assert not any(traces(figure) for figure in race_figures(race(), []).values())
    assert not any(traces(figure) for figure in scaling_figures(SWEEP, [], []).values())


@pytest.mark.slow
def test_more_contestants_than_colours_are_told_apart_by_lines_and_symbols() -> None:
    spec = replace(race(), contestants=tuple(Contestant(name=f"c{k}", grid_size=k + 1) for k in range(24)))
    figures = race_figures(spec, raced(spec))
    lines = {(trace["line"]["color"], trace["line"]["dash"]) for trace in traces(figures["curves"])}
    assert len(lines) == 24
    markers = [trace["marker"] for trace in traces(figures["error_by_seconds"]) if trace["mode"] == "markers"]
    assert len({(marker["color"], marker["symbol"]) for marker in markers}) == 24


def test_the_page_draws_contestants_as_figures_do() -> None:
    frontend = Path(__file__).parents[3] / "frontend" / "src"
    look = (frontend / "drawing" / "contestant-look.ts").read_text()
    tokens = (frontend / "styles" / "tokens.css").read_text()
    assert re.findall(r"--race-\d: (#\w{6});", tokens) == list(PALETTE)
    assert re.findall(r"^  '?([\w-]+)'?: 'M", look, re.MULTILINE) == list(MARKERS)
    dashes = re.search(r"DASHES = \[(.*)\]", look)
    assert dashes is not None
    assert len(dashes[1].split(",")) == len(DASHES)


def test_tables_have_medians_ranges_and_errors_at_equal_times() -> None:
    spec = race()
    results = raced(spec)
    assert error_rows(spec, results)[0] == ["B-spline", "1.3e-01 (1.0e-01 to 1.6e-01)", "1.6e-01 (1.3e-01 to 1.9e-01)"]
    assert error_rows(spec, [])[0] == ["B-spline", "–", "–"]
    assert [error_at(results[0], seconds) for seconds in (0.0, 0.05, 0.1, 9.0)] == [1.0, 1.0, 0.5, 0.5]
    failed = failed_result(spec, lab_points(spec)[0], "It failed.")
    assert error_at(failed, 1.0) is None
    assert summarize([failed], lambda one: one.seconds) == {}


def test_an_equal_time_is_one_that_nobody_went_short_of() -> None:
    spec = race()
    # the middle of two seeds is 0.45 s, but for one who had converged before and one who took more
    results = [
        replace(one, seconds=one.seconds * 3) if one.contestant == "MLP" else one
        for one in (
            replace(r, outcome="converged", seconds=0.01) if r.contestant == "B-spline" else r for r in raced(spec)
        )
    ]
    assert equal_time(spec, results, "exp_sin") == pytest.approx(0.45)
    all_converged = [replace(one, outcome="converged") for one in results]
    assert equal_time(spec, all_converged, "exp_sin") == pytest.approx(1.35)
    assert equal_time(spec, [], "exp_sin") is None


def test_an_equal_time_is_of_trainings_that_got_through() -> None:
    spec = race()
    results = raced(spec)
    one_failed = [replace(one, outcome="failed", test_rmse=None) if one.seed == 0 else one for one in results]
    assert equal_time(spec, one_failed, "exp_sin") == equal_time(spec, [r for r in results if r.seed != 0], "exp_sin")
    all_failed = [failed_result(spec, point, "It failed.") for point in lab_points(spec)]
    table = next(one for one in result_tables(spec, all_failed) if "equal time" in one.title)
    assert table.rows == [[one.name, "–", "–"] for one in spec.contestants]


def test_trainings_that_failed_count_as_worse_than_any_other() -> None:
    spec = replace(race(), seeds=(0, 1, 2))
    lost = {1: "diverged", 2: "failed"}
    for num_lost, told in ((1, "2.5e-01 (1.3e-01 to 2.5e-01, 2 of 3)"), (2, "– (1 of 3)")):
        seeds = list(lost)[:num_lost]
        results = [
            replace(one, outcome=lost[one.seed], test_rmse=None if lost[one.seed] == "failed" else 1e-9)
            if one.seed in seeds
            else one
            for one in raced(spec)
        ]
        assert error_rows(spec, results)[0][2] == told
        assert "worse than any other" in result_tables(spec, results)[0].title
        drawn = keys(race_figures(spec, results)["error_by_parameters"])
        assert ("product/B-spline/0" in drawn) == (num_lost == 1)
        assert "product/B-spline/1" not in drawn


class _Page(HTMLParser):
    """Collects what a page would fetch, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
def test_a_report_is_one_file_with_everything_in_it_and_text_as_text() -> None:
    contestant = Contestant(name="<img src=x onerror=alert(1)>")
    spec = replace(race(), title="</title><script>alert(2)</script>", contestants=(contestant,))
    results = [*raced(spec)[1:], failed_result(spec, lab_points(spec)[0], "No <b>luck</b>.")]
    text = html_report(spec, results, [])
    page = _Page()
    page.feed(re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert page.fetched == []
    assert "img" not in page.tags
    assert "b" not in page.tags
    assert spec.title in page.text
    assert spec.digest in page.text
    assert "exp(sin(πx) + y²), <img src=x onerror=alert(1)>, seed 0: No <b>luck</b>." in page.text
    assert spec.to_toml() in page.text
    assert "Plotly.newPlot" in text
    assert "alert(2)</script>" not in text


@pytest.mark.slow
def test_a_report_of_a_sweep_says_its_laws() -> None:
    fits = spec_fits(SWEEP, SWEPT)
    text = html_report(SWEEP, SWEPT, fits)
    assert fits[0].sentence in text
    assert "the slope that theory promises" in text
