"""The command `kanoscope lab`: a spec with nobody watching."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.conftest import run_app
from tests.server.lab.examples import FAILING, SWEEP, timed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
# a killed command is found out sooner than by default
LEASE = {"KANOSCOPE_LAB_LEASE": "4"}
CONTRACT = {"problem", "contestant", "parameters", "seed", "test_rmse", "seconds"}


def _command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    # tests that run in the background ignore interrupts, and so would what they start
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "server.cli", "lab", *arguments],
            env=os.environ | {"KANOSCOPE_DATA_DIR": str(folder), "KANOSCOPE_LAB_PROCESSES": "2"} | LEASE,
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
    file = _write(tmp_path, timed(12, 0.5))
    with _command(tmp_path, file, "--json") as process:
        while _count(tmp_path) < 3:
            assert process.poll() is None
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
    if number is signal.SIGINT:
        assert f"was interrupted and goes on: {kept} of 12 points are done" in errors
    else:
        # it may be that the lease of the dead one has not run out yet
        assert "goes on" in errors
    found = json.loads(output)
    names = [(point["seed"], point["value"]) for point in found["points"]]
    assert len(names) == len(set(names)) == _count(tmp_path) == 12


def test_a_second_command_follows_the_first_takes_over_and_is_cancelled_by_the_edit_link(tmp_path: Path) -> None:
    file = _write(tmp_path, timed(12, 1.0))
    with _command(tmp_path, file, "--json") as first, _command(tmp_path, file, "--json") as second:
        said = [first.stderr, second.stderr]
        assert said[0] is not None
        assert said[1] is not None
        told = [said[0].readline(), said[1].readline()]
        follower = next(index for index, line in enumerate(told) if "is under way in another process" in line)
        assert "is under way" not in told[1 - follower]
        links = [re.search(r"/lab/([\w-]+)#edit=([\w-]+)\.$", line) for line in told]
        assert links[0] is not None
        assert links[1] is not None
        assert links[0].groups() == links[1].groups()
        while _count(tmp_path) < 2:
            assert (first.poll(), second.poll()) == (None, None)
        (second if follower == 0 else first).kill()
        living, stderr = (first, said[0]) if follower == 0 else (second, said[1])
        assert "has ended: it goes on here" in stderr.readline()
        run_id, key = links[0].groups()
        asyncio.run(_cancel(tmp_path, run_id, key))
        output, errors = living.communicate()
    assert (living.returncode, output) == (1, "")
    assert re.fullmatch(
        rf"Run {run_id} was cancelled by somebody with its edit link. Cancelled: \d+ of 12 points are done and kept.\n",
        errors,
    )


async def _cancel(folder: Path, run_id: str, key: str) -> None:
    """Cancel a run as a page does that is served beside the command."""
    async with run_app(folder, workers=1, lab_processes=1) as app, app.client as client:
        address = f"/api/lab/runs/{run_id}"
        assert (await client.get(address)).json()["state"] == "running"
        assert (await client.post(f"{address}/cancel", params={"key": key})).status_code == 204


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
