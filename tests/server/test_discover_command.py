"""`kanoscope discover` finds laws in files, and says in one line what is wrong with others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
from typer.testing import CliRunner

from server.cli import app
from server.discover_command import symbol_names, time_to_snap

sympify: Any = sp.sympify


def write(path: Path, columns: dict[str, np.ndarray]) -> Path:
    table = np.column_stack(list(columns.values()))
    np.savetxt(path, table, delimiter=",", header=",".join(columns), comments="")
    return path


def samples(num_rows: int = 300) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {name: generator.uniform(1.0, 3.0, num_rows) for name in ("mass", "beta")}


@pytest.mark.slow
def test_the_json_names_a_law_that_sympy_reads(tmp_path: Path) -> None:
    given = samples()
    path = write(tmp_path / "data.csv", given | {"force": 9.81 * given["mass"] / given["beta"], "same": np.ones(300)})
    command = [sys.executable, "-m", "server.cli", "discover", str(path), "--target", "force", "--json"]
    done = subprocess.run([*command, "--seconds", "600"], capture_output=True, text=True, check=True)
    assert done.stderr == "Left out, since they never change: same.\n"
    found = json.loads(done.stdout)
    assert list(found)[:3] == ["formulas", "best", "seconds"]
    assert found["seconds"] < 600
    sizes = [formula["complexity"] for formula in found["formulas"]]
    assert sizes == sorted(sizes)
    best = found["formulas"][found["best"]]
    assert set(best) == {"expression", "complexity", "train_rmse", "test_rmse"}
    assert best["test_rmse"] < 1e-9
    symbols = {name: sp.Symbol(name) for name in given}
    expression: Any = sympify(best["expression"], locals=symbols)
    value = expression.subs({symbols["mass"]: 2.0, symbols["beta"]: 4.0})
    assert float(value) == pytest.approx(9.81 / 2.0, rel=1e-9)
    assert "9.81" in best["expression"]
    assert found["verdict"].startswith("The law is exact")


@pytest.mark.slow
def test_people_read_a_table(tmp_path: Path) -> None:
    given = samples()
    path = write(tmp_path / "data.csv", given | {"sum": given["mass"] + given["beta"]})
    command = [sys.executable, "-m", "server.cli", "discover", str(path), "--target", "sum", "--seconds", "600"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "sum = beta + mass" in done.stdout
    assert "The law is exact on 60 samples that were held out." in done.stdout
    assert done.stderr == ""


def refusal(path: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["discover", str(path), *options])
    assert result.exit_code == 2
    return result.output


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    given = samples(30)
    path = write(tmp_path / "data.csv", given)
    assert refusal(path, "--target", "force") == (
        "The table has no column 'force': choose --target among mass, beta.\n"
    )
    assert refusal(tmp_path / "none.csv", "--target", "x") == (
        f"Cannot read {tmp_path}/none.csv (No such file or directory): name a CSV file.\n"
    )
    few = write(tmp_path / "few.csv", samples(15))
    assert refusal(few, "--target", "beta") == "Discover needs 20 samples, received 15: add more rows.\n"
    alone = write(tmp_path / "alone.csv", given | {"mass": np.ones(30)})
    assert refusal(alone, "--target", "beta") == ("No column but 'beta' varies: add a column that it may depend on.\n")
    constant = write(tmp_path / "constant.csv", given | {"mass": np.ones(30)})
    assert refusal(constant, "--target", "mass") == (
        "Discover needs a target that changes, received one value in all rows: choose another target.\n"
    )
    assert "seconds" in refusal(path, "--target", "beta", "--seconds", "0")
    assert refusal(path, "--target", "beta", "--seconds", "0").count("\n") == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--seed", "-1"], "seed is an integer from 0 to 4294967295, received seed=-1: choose one in that range\n"),
        (["--seed", "1.5"], "Invalid value for '--seed': "),
        (["--seconds", "soon"], "Invalid value for '--seconds': "),
        (["--seconds", "nan"], "seconds is a number"),
        (["--seconds"], "Option '--seconds' requires an argument: see `kanoscope"),
        (["--fast"], "No such option: --fast"),
        (["more"], "Got unexpected extra argument"),
    ],
)
def test_options_that_are_wrong_are_one_line(tmp_path: Path, options: list[str], sentence: str) -> None:
    path = write(tmp_path / "data.csv", samples(30))
    said = refusal(path, "--target", "beta", *options)
    assert said.startswith(sentence)
    assert said.count("\n") == 1


def test_a_command_without_its_target_is_one_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "any.csv") == "Missing option '--target': see `kanoscope discover --help`.\n"


def test_processes_that_crash_are_one_line_and_no_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = "import sys; sys.exit('no memory')"
    monkeypatch.setattr("kan_core.discovery.worker.COMMAND", (sys.executable, "-S", "-c", crash))
    path = write(tmp_path / "data.csv", samples(30))
    result = CliRunner().invoke(app, ["discover", str(path), "--target", "beta", "--seconds", "600"])
    assert result.exit_code == 1
    assert result.output.startswith("The search broke off, since all its processes ended before their time: process 1 ")
    assert "ended with exit status 1: no memory" in result.output
    assert result.output.count("\n") == 1


def test_the_time_to_snap_is_part_of_the_time() -> None:
    assert (time_to_snap(600.0), time_to_snap(30.0), time_to_snap(5.0)) == (3.0, 3.0, 0.5)


def test_columns_that_are_no_symbols_get_names_that_are() -> None:
    assert symbol_names(["beta", "x", "a b", "lambda"]) == ["beta", "x", "a_b", "v_lambda"]
