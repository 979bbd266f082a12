"""The command `kanoscope lab`: a spec with nobody watching."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.server.conftest import run_app
from tests.server.lab.examples import FAILING, LONG, SWEEP, timed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
# a killed command is found out sooner than by default
LEASE = {"KANOSCOPE_LAB_LEASE": "4"}
CONTRACT = {"problem", "contestant", "parameters", "seed", "test_rmse", "seconds"}


def _command(folder: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    # tests that run in the background ignore interrupts, and so would what they start
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "server.cli", "lab", *arguments],
            env=os.environ | {"KANOSCOPE_DATA_DIR": str(folder), "KANOSCOPE_LAB_PROCESSES": "2"} | LEASE,
            stdin=stdin,
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
    assert f"/lab/{first['run_id']}#edit=" in errors
    code, output, errors = _lab(tmp_path, file, "--json", "--fresh")
    again = json.loads(output)
    assert again["run_id"] != first["run_id"]
    assert [point["test_rmse"] for point in again["points"]] == [point["test_rmse"] for point in first["points"]]


def test_two_runs_are_set_side_by_side(tmp_path: Path) -> None:
    ids: list[str] = []
    for seeds in ("[0, 1]", "[0]"):
        file = _write(tmp_path, FAILING.replace("[0, 1]", seeds, 1))
        code, output, errors = _lab(tmp_path, file, "--only", "good", "--json")
        assert code == 0, errors
        ids.append(json.loads(output)["run_id"])
    code, output, errors = _lab(tmp_path, "--compare", *ids)
    assert code == 0, errors
    lines = output.splitlines()
    assert lines[:2] == ["Their specs differ in 1 thing.", "seeds is [0, 1] in the first and [0] in the second."]
    assert lines[-2].split()[:2] == ["good", "B-spline"]
    code, output, errors = _lab(tmp_path, "--compare", *ids, "--json")
    assert [place["problem"] for place in json.loads(output)["places"]] == ["good"]
    for arguments, sentence in (
        (("--compare", ids[0], "none"), "There is no run 'none': name one that kanoscope lab or the page has kept.\n"),
        ((), "Name a spec to run or two runs to --compare, one of both: see `kanoscope lab --help`.\n"),
    ):
        assert _lab(tmp_path, *arguments) == (2, "", sentence)


def test_people_read_a_table_and_why_points_failed(tmp_path: Path) -> None:
    file = _write(tmp_path, FAILING)
    code, output, errors = _lab(tmp_path, file)
    assert code == 0, errors
    lines = output.splitlines()
    assert lines[0].split() == ["problem", "contestant", "parameters", "test", "RMSE", "range", "seconds"]
    assert lines[1].startswith("bad")
    assert "2 of 2 without" in lines[1]
    assert lines[lines.index("What failed:") + 1].startswith(
        "bad, B-spline (2 seeds): The formula has no finite real value"
    )
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
    if number is signal.SIGINT:
        assert f"was interrupted and goes on: {kept} of 12 points are done" in errors
    else:
        # it may be that the lease of the dead one has not run out yet
        assert "goes on" in errors
    found = json.loads(output)
    names = [(point["seed"], point["value"]) for point in found["points"]]
    assert len(names) == len(set(names)) == _count(tmp_path) == 12


def test_a_second_command_follows_the_first_takes_over_and_is_cancelled_by_the_edit_link(tmp_path: Path) -> None:
    # long enough that it cannot end before it is cancelled
    file = _write(tmp_path, timed(120, 0.3))
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
        _wait_for_points(first, tmp_path, 2)
        assert second.poll() is None
        (second if follower == 0 else first).kill()
        living, stderr = (first, said[0]) if follower == 0 else (second, said[1])
        assert "has ended: it goes on here" in stderr.readline()
        run_id, key = links[0].groups()
        asyncio.run(_cancel(tmp_path, run_id, key))
        output, errors = living.communicate()
    assert (living.returncode, output) == (1, "")
    told = (
        rf"Run {run_id} was cancelled by somebody with its edit link. Cancelled: \d+ of 120 points are done and kept."
    )
    assert re.fullmatch(rf"{told}\n", errors)


async def _cancel(folder: Path, run_id: str, key: str) -> None:
    """Watch a run and cancel it, as a page does that is served beside the command."""
    async with run_app(folder, workers=1, lab_processes=1) as app:
        address = f"/api/lab/runs/{run_id}"
        async with connect(f"ws://{app.address}/ws/lab/{run_id}?key={key}", max_size=None) as page:
            run = json.loads(await page.recv())["run"]
            assert (run["state"], run["can_edit"]) == ("running", True)
            # what the command computes is told here
            while (told := json.loads(await page.recv()))["type"] != "lab_point":
                pass
            assert told["num_done"] == run["num_done"] + 1
            assert (await app.client.post(f"{address}/cancel", params={"key": key})).status_code == 204
            while told["type"] != "lab_state":
                told = json.loads(await page.recv())
            assert told["state"] == "cancelled"


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


@pytest.mark.parametrize("answer", ["n", "y", None])
def test_what_takes_hours_is_started_when_who_is_asked_says_so(tmp_path: Path, answer: str | None) -> None:
    file = _write(tmp_path, LONG)
    ours, theirs = pty.openpty()
    with _command(tmp_path, file, *(["--yes"] if answer is None else []), stdin=theirs) as process:
        os.close(theirs)
        assert process.stderr is not None
        if answer is not None:
            question = "This takes about 2 hours on 2 processes. Start it? [y/N] "
            assert process.stderr.read(len(question)) == question
            os.write(ours, f"{answer}\n".encode())
        if answer == "n":
            assert process.wait() == 1
            assert process.stderr.read() == "It was not started.\n"
        else:
            assert process.stderr.readline().startswith("4 points (1 contestant")
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
    os.close(ours)


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (None, "There is no file nothing.toml and no ready spec of that name: name a file or which-basis, "),
        ("titel = 3", "A spec has no key 'titel': did you mean title?"),
        (LONG, "This takes about 2 hours on 2 processes: say --yes to start it, or make the spec smaller."),
    ],
)
def test_bad_input_ends_with_2_and_one_line(tmp_path: Path, toml: str | None, sentence: str) -> None:
    code, output, errors = _lab(tmp_path, "nothing.toml" if toml is None else _write(tmp_path, toml), "--json")
    assert (code, output) == (2, "")
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    code, output, errors = _lab(tmp_path, str(tmp_path), "--json")
    assert (code, output) == (2, "")
    assert errors.startswith(f"Cannot read {tmp_path} (it is a folder): name a TOML file or which-basis, ")
    assert errors.count("\n") == 1
