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
import torch
from typer.testing import CliRunner

from kan_core import KAN, Candidate, Dataset, NetworkSpec, fix_symbolic
from kan_core.discovery.reports import pack_law, unpack_law
from kan_core.symbolic.laws import Law, make_law
from kan_core.symbolic.snapping import Snapping
from server import discover_command
from server.cli import app
from server.discover_command import expressions_of, tidied, time_to_snap
from tests.kan_core.symbolic.constants_for_tests import formula_network

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
def test_tidied_laws_stay_right_in_si_units() -> None:
    generator = torch.Generator().manual_seed(0)
    x = 1.0 + 3.0 * torch.rand(200, 2, generator=generator, dtype=torch.float64)
    x = x * torch.tensor([1e-6, 1e-12], dtype=torch.float64)
    y = x[:, :1] / x[:, 1:]
    data = Dataset(train_inputs=x[:160], train_targets=y[:160], test_inputs=x[160:], test_targets=y[160:])
    # factors as a search leaves them: the units are anywhere
    forms = {(0, 0, 0): ("x", 0.7e6, 0.0, 1.3, 0.0), (0, 1, 1): ("1/x", 0.9e12, 0.0, 0.4, 0.0)}
    network = formula_network(data, forms, products=(0, 1))
    network.output_scale.fill_(1e6 * 0.9 / (0.7 * 1.3 * 0.4))
    law = make_law(network, data)
    handed_over = unpack_law(pack_law(law), data)
    spread = float(y.std())
    assert law.test_rmse < 1e-12 * spread
    assert make_law(handed_over.network, data).test_rmse < 1e-12 * spread
    tidy = tidied([handed_over], 0, data, seconds=60.0)[0]
    assert tidy.test_rmse < 1e-12 * spread
    a, b = sp.symbols("a b", positive=True)
    _, (text,) = expressions_of([tidy], ["a", "b"])
    expression: Any = sympify(text, locals={"a": a, "b": b})
    assert float(expression * b / a) == pytest.approx(1.0, rel=1e-12)


def test_a_law_that_snapping_makes_worse_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.linspace(1.0, 4.0, 200, dtype=torch.float64)[:, None]
    data = Dataset(train_inputs=x[::2], train_targets=x[::2], test_inputs=x[1::2], test_targets=x[1::2])
    network = formula_network(data, {(0, 0, 0): ("x", 1.0, 0.0, 1.0, 0.0)}, widths=(1, 1))
    network.output_shift.zero_()
    law = make_law(network, data)
    worse = formula_network(data, {(0, 0, 0): ("x", 1.0, 0.0, 1.5, 0.0)}, widths=(1, 1))

    def find_worse(_: KAN, __: Dataset, *, seconds: float) -> Snapping:
        assert seconds > 0.0
        return Snapping(network=worse, snaps=())

    monkeypatch.setattr(discover_command, "find_snaps", find_worse)
    assert tidied([law], 0, data, seconds=60.0) == [law]


@pytest.mark.slow
def test_a_quotient_is_found_in_si_units(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    a, b = generator.uniform(1.0, 3.0, 200), generator.uniform(1.0, 3.0, 200) * 1e-12
    path = write(tmp_path / "data.csv", {"a": a, "b": b, "y": 2.5 * a / b})
    command = [sys.executable, "-m", "server.cli", "discover", str(path), "--target", "y", "--json"]
    done = subprocess.run([*command, "--seconds", "600"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    best = found["formulas"][found["best"]]
    expression: Any = sympify(best["expression"])
    value = expression.subs({"a": 2.0, "b": 4e-12})
    assert float(value) == pytest.approx(1.25e12, rel=1e-9)
    assert best["test_rmse"] < 1e-9 * float(np.std(2.5 * a / b))
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


def law(*constants: float) -> Law:
    """Return y = c·first + d·second as a law."""
    inputs = torch.rand(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    targets = inputs @ torch.tensor([constants], dtype=torch.float64).T
    network = KAN(NetworkSpec(widths=(2, 1)), dtype=torch.float64)
    for edge in network.edges():
        line = Candidate(function="x", a=1.0, b=0.0, c=constants[edge.source], d=0.0, r2=1.0, complexity=1, score=0.0)
        network = fix_symbolic(network, edge, line)
    data = Dataset(train_inputs=inputs, train_targets=targets, test_inputs=inputs, test_targets=targets)
    return make_law(network, data)


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
    assert expressions_of([law(2.0, 3.0)], ["a b", "a_b"]) == (["a_b_", "a_b"], ["3*a_b + 2*a_b_"])


def test_columns_keep_names_that_sympy_has_for_constants() -> None:
    symbols, (text,) = expressions_of([law(np.e, np.pi)], ["E", "pi"])
    assert symbols == ["E", "pi"]
    read = sympify(text, locals={name: sp.Symbol(name) for name in symbols})
    assert float(read.subs({sp.Symbol("E"): 2.0, sp.Symbol("pi"): 5.0})) == pytest.approx(2 * np.e + 5 * np.pi)
