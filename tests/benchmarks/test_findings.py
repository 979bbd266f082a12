"""Findings: what a spec's run came to as Markdown, beside what people wrote about it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from benchmarks.findings import measured, put_measured, start_of
from kan_core.lab import LabProblem, parse_spec, spec_fits
from tests.kan_core.lab.specs_for_tests import RACE, SWEEP, planted_results, run_all

ROOT = Path(__file__).parents[2]


def test_what_people_wrote_stays_around_what_was_measured() -> None:
    page = put_measured("", "a-race", "Who wins?", "first")
    assert page.startswith(f"# Who wins?\n\n{start_of('a-race')}\nfirst\n")
    page = page.replace("# Who wins?\n", "# Who wins?\n\nNobody knows.\n") + "\nB-splines did.\n"
    again = put_measured(page, "a-race", "Another title", r"second \1")
    assert again == page.replace("first", r"second \1")
    with pytest.raises(typer.BadParameter, match="once each: put them back"):
        put_measured("# Who wins?\n", "a-race", "Who wins?", "third")


@pytest.mark.slow
def test_a_race_is_written_with_its_digest_command_medians_and_ranges() -> None:
    spec = parse_spec(RACE)
    results = run_all(spec)
    failed = replace(results[0], outcome="failed", test_rmse=None, sentence="It is broken.")
    text = measured("a-race", spec, [failed, *results[1:]], ["error_by_seconds"])
    assert text.startswith("> Who is first?\n\n- Spec `a-race`, digest `" + spec.digest)
    assert "`python -m benchmarks.findings a-race`" in text
    row = next(line for line in text.splitlines() if line.startswith("| Chebyshev, by Adam |"))
    errors = sorted(
        one.test_rmse or 0.0 for one in results if (one.problem, one.contestant) == ("exp_sin", "Chebyshev, by Adam")
    )
    assert row.split(" | ")[1].endswith(f"({errors[0]:.1e} to {errors[1]:.1e})")
    assert "Test RMSE after an equal time" in text
    assert f"- It is broken. ({failed.point.key})" in text
    assert text.endswith("(a-race-error_by_seconds.png)")
    assert "Fitted laws" not in text


def test_a_sweep_is_written_with_exponents_and_their_intervals() -> None:
    spec = parse_spec(SWEEP)
    results = planted_results(spec)
    fit = spec_fits(spec, results)[0]
    text = measured("a-sweep", spec, results, [])
    law = fit.law
    assert law is not None
    assert f"| exp_sin | cubic | {law.exponent:.2f} | {law.low:.2f} to {law.high:.2f} | 4 | {fit.sentence} |" in text
    assert all(f"| cubic, {size} |" in text for size in (4, 8, 16))


def test_bars_of_titles_are_no_borders_of_tables() -> None:
    spec = replace(parse_spec(SWEEP), problems=(LabProblem(name="kink"),))
    text = measured("kinks", spec, planted_results(spec), [])
    assert "|  | \\|x\\| + \\|y\\| |" in text


@pytest.mark.slow
def test_the_command_runs_a_spec_once_and_writes_it_into_a_page(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SWEEP)
    command = [sys.executable, "-m", "benchmarks.findings", str(file), "--folder", str(tmp_path), "--no-pictures"]
    environment = os.environ | {"KANOSCOPE_DATA_DIR": str(tmp_path / "data"), "KANOSCOPE_LAB_PROCESSES": "2"}
    first = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "6 points" in first.stderr
    page = tmp_path / "small.md"
    written = page.read_text()
    assert written.startswith("# A sweep\n\n<!-- measured: python -m benchmarks.findings small -->\n")
    assert "| exp_sin | cubic |" in written
    page.write_text(f"{written}\nNothing was learnt.\n")
    second = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "has done this already" in second.stderr
    # kept results are written the same, times included
    assert page.read_text() == f"{written}\nNothing was learnt.\n"
    assert re.search(r"digest `[0-9a-f]{64}`", written)
