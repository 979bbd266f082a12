"""The command `kanoscope lab`: a spec with nobody watching."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.lab.examples import FAILING, SWEEP, timed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
CONTRACT = {"problem", "contestant", "parameters", "seed", "test_rmse", "seconds"}


def _command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    # tests that run in the background ignore interrupts, and so would what they start
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "server.cli", "lab", *arguments],
            env=os.environ | {"KANOSCOPE_DATA_DIR": str(folder), "KANOSCOPE_LAB_PROCESSES": "2"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def _lab(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Return the exit code, output and errors of a command that ends by itself."""
    with _command(folder, *arguments) as process:
        output, errors = process.communicate()
    return process.returncode, output, errors


def _write(folder: Path, toml: str) -> str:
    file = folder / "spec.toml"
    file.write_text(toml)
    return str(file)


def test_a_spec_is_run_once_and_with_fresh_anew_with_the_same_numbers(tmp_path: Path) -> None:
    file = _write(tmp_path, SWEEP)
    code, output, errors = _lab(tmp_path, file, "--json")
    assert code == 0, errors
    first = json.loads(output)
    assert errors.startswith("12 points (1 contestant × 1 problem × 3 seeds × 4 values): a few seconds on 2 processes.")
    assert len(first["points"]) == 12
    assert set(first["points"][0]) >= CONTRACT
    assert [fit["variable"] for fit in first["fits"]] == ["grid_size"]
    assert set(first["fits"][0]) >= {"problem", "contestant", "variable", "exponent", "low", "high"}
    # a text that means the same is the same spec
    (tmp_path / "same.toml").write_text(f"# a remark\n{SWEEP}\n")
    code, output, errors = _lab(tmp_path, str(tmp_path / "same.toml"), "--json")
    assert (code, json.loads(output)) == (0, first)
    assert f"Run {first['run_id']} has done this already" in errors
    code, output, errors = _lab(tmp_path, file, "--json", "--fresh")
    again = json.loads(output)
    assert again["run_id"] != first["run_id"]
    assert [point["test_rmse"] for point in again["points"]] == [point["test_rmse"] for point in first["points"]]


def test_people_read_a_table_and_why_points_failed(tmp_path: Path) -> None:
    file = _write(tmp_path, FAILING)
    code, output, errors = _lab(tmp_path, file)
    assert code == 0, errors
    lines = output.splitlines()
    assert lines[0].split() == ["problem", "contestant", "parameters", "test", "RMSE", "range", "seconds"]
    assert lines[1].startswith("bad")
    assert "2 of 2 without" in lines[1]
    assert any(line.startswith("Failed: The formula has no finite real value") for line in lines)
    assert "Kept as run" in errors
    code, output, errors = _lab(tmp_path, file, "--only", "good", "--json")
    assert code == 0, errors
    assert {point["problem"] for point in json.loads(output)["points"]} == {"good"}
    code, output, errors = _lab(tmp_path, file, "--only", "none")
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert "'none'" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, number: signal.Signals) -> None:
    # long enough that it cannot end before it is interrupted
    file = _write(tmp_path, timed(12, 0.25))
    with _command(tmp_path, file, "--json") as process:
        _wait_for_points(process, tmp_path, 3)
        process.send_signal(number)
        output, errors = process.communicate()
    assert output == ""
    if number is signal.SIGINT:
        assert process.returncode == 130
        assert "the same command goes on with the rest" in errors
    kept = _count(tmp_path)
    assert 3 <= kept < 12
    code, output, errors = _lab(tmp_path, file, "--json")
    assert code == 0, errors
    assert f"was interrupted and goes on: {kept} points are done" in errors
    found = json.loads(output)
    names = [(point["seed"], point["value"]) for point in found["points"]]
    assert len(names) == len(set(names)) == _count(tmp_path) == 12


def _wait_for_points(process: subprocess.Popen[str], folder: Path, count: int) -> None:
    """Return once so many points are kept, leaving the processor to those who compute them."""
    while _count(folder) < count:
        try:
            code = process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the command ended with {code} before {count} points were kept")


def _count(folder: Path) -> int:
    """Return how many points are kept."""
    file = folder / "kanoscope.sqlite3"
    if not file.exists():
        return 0
    database = sqlite3.connect(file)
    try:
        return database.execute("SELECT count(*) FROM lab_points").fetchone()[0]
    except sqlite3.OperationalError:
        # it is being made
        return 0
    finally:
        database.close()


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (None, "There is no file nothing.toml and no ready spec of that name: name a file or which-basis, "),
        ("titel = 3", "A spec has no key 'titel': did you mean title?"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(tmp_path: Path, toml: str | None, sentence: str) -> None:
    code, output, errors = _lab(tmp_path, "nothing.toml" if toml is None else _write(tmp_path, toml), "--json")
    assert (code, output) == (2, "")
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1
