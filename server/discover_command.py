"""The command `kanoscope discover`: from a CSV file to a list of laws."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
import torch
import typer

from kan_core.datasets import Dataset
from kan_core.discover import LEAST_SECONDS, Discovery, check_seconds
from kan_core.discovery.verdict import best_law
from kan_core.errors import KanError
from kan_core.formula import network_formula
from kan_core.formula_display import display_formula
from kan_core.symbolic.held_out import HeldOut
from kan_core.symbolic.laws import Law, make_law
from kan_core.symbolic.snapping import find_snaps
from kan_core.sympy_text import functions_called, symbol_names, sympy_text
from kan_core.tables import Table, read_csv

POLL = 0.1
# for how long nice numbers are looked for once laws are found, at most, and as a share of all the time there is
SNAP_SECONDS = 3.0
SNAP_SHARE = 0.1


class BrokenOff(Exception):
    """All processes of a search ended before they found anything; the message is one sentence."""


class BadInput(Exception):
    """Something about the file or the options that the caller has to change; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The samples of a table, with a note on columns that were left out, if any."""

    dataset: Dataset
    note: str


def read_dataset(path: Path, target: str) -> Columns:
    """Return all rows of a CSV file as training samples, every other column that varies as an input."""
    try:
        table = read_csv(path.read_bytes())
    except OSError as error:
        raise BadInput(f"Cannot read {path} ({error.strerror}): name a CSV file.") from error
    except KanError as error:
        raise BadInput(str(error)) from error
    if target not in table.columns:
        raise BadInput(f"The table has no column {target!r}: choose --target among {', '.join(table.columns)}.")
    names = [name for name in table.columns if name != target]
    varying = [name for name in names if float(np.ptp(table.column(name))) > 0.0]
    if not varying:
        raise BadInput(f"No column but {target!r} varies: add a column that it may depend on.")
    idle = [name for name in names if name not in varying]
    note = f"Left out, since they never change: {', '.join(idle)}." if idle else ""
    return Columns(dataset=_dataset(table, varying, target), note=note)


def _dataset(table: Table, inputs: Sequence[str], target: str) -> Dataset:
    x = torch.from_numpy(np.column_stack([table.column(name) for name in inputs]))
    y = torch.from_numpy(table.column(target).copy())[:, None]
    return Dataset(
        train_inputs=x,
        train_targets=y,
        test_inputs=x,
        test_targets=y,
        input_names=tuple(inputs),
        output_names=(target,),
    )


def time_to_snap(seconds: float) -> float:
    """Return how many of all the seconds there are go to looking for nice numbers."""
    return min(SNAP_SECONDS, SNAP_SHARE * seconds)


def run_discovery(dataset: Dataset, *, seconds: float, seed: int, tell: Callable[[Discovery], None]) -> Discovery:
    """Return a discovery that is over, some of the seconds spared; `tell` is called some times a second meanwhile."""
    try:
        left = max(check_seconds(seconds) - time_to_snap(seconds), LEAST_SECONDS)
        discovery = Discovery(dataset, seconds=left, seed=seed)
    except KanError as error:
        raise BadInput(str(error)) from error
    with discovery:
        while not discovery.is_done:
            discovery.wait(POLL)
            tell(discovery)
    return discovery


def tidied(laws: Sequence[Law], best: int, dataset: Dataset, *, seconds: float) -> list[Law]:
    """Return the laws with constants at the nice numbers that they are, the best first served in the time there is.

    A law to whose nice numbers held-out samples object stays as it is.
    """
    end = time.monotonic() + seconds
    tidy = list(laws)
    for place in sorted(range(len(laws)), key=lambda one: one != best):
        left = end - time.monotonic()
        if left > 0.0:
            snapped = find_snaps(laws[place].network, dataset, seconds=left).network
            if HeldOut(laws[place].network, dataset).allows(snapped):
                tidy[place] = replace(make_law(snapped, dataset), complexity=laws[place].complexity)
    return tidy


def result(discovery: Discovery, laws: Sequence[Law], place: int, *, seconds: float) -> dict[str, Any]:
    """Return the JSON object of the command: `laws` as they were found, the best at `place`, after so many seconds."""
    split = discovery.split
    names = list(split.input_names or ())
    symbols, texts = expressions_of(laws, names)
    found: dict[str, Any] = {
        "formulas": [
            {
                "expression": text,
                "complexity": law.complexity,
                "train_rmse": law.train_rmse,
                "test_rmse": law.test_rmse,
            }
            for law, text in zip(laws, texts, strict=True)
        ],
        "best": place,
        "seconds": round(seconds, 3),
        "findings": discovery.findings,
        "verdict": discovery.conclusion(laws[place]),
    }
    if symbols != names:
        found["symbols"] = dict(zip(symbols, names, strict=True))
    return found


def expressions_of(laws: Sequence[Law], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the symbols that stand for the columns, and each law as SymPy reads it back, its constants in full."""
    formulas = [network_formula(law.network, input_names=names).expression for law in laws]
    symbols = symbol_names(names, called=functions_called(formulas))
    written = {sp.Symbol(name): sp.Symbol(symbol) for name, symbol in zip(names, symbols, strict=True)}
    return symbols, [sympy_text(formula.xreplace(written), symbols=symbols) for formula in formulas]


def readable(law: Law, dataset: Dataset) -> str:
    """Return the law for people, constants rounded."""
    formula = display_formula(
        law.network,
        dataset.train_inputs,
        input_names=dataset.input_names or (),
        output_names=dataset.output_names or (),
    )
    return formula.text


def discover(path: Path, *, target: str, seconds: float, seed: int, as_json: bool) -> None:
    """Carry the command out; raises BadInput and BrokenOff."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = read_dataset(path, target)
    console = Console(stderr=True)
    if columns.note:
        console.print(columns.note, highlight=False, markup=False)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        task = progress.add_task("Starting", total=1.0)

        def tell(discovery: Discovery) -> None:
            progress.update(task, completed=discovery.progress, description=_say(discovery))

        discovery = run_discovery(columns.dataset, seconds=seconds, seed=seed, tell=tell)
    if not discovery.laws:
        sentence = discovery.conclusion(None)
        raise BrokenOff(sentence) if discovery.loss else BadInput(sentence)
    split = discovery.split
    spread = float(split.test_targets.std(correction=0)) or 1.0
    place = best_law(discovery.laws, num_held_out=len(split.test_inputs), spread=spread)
    start = time.monotonic()
    # what an exact law left of the time is there for nice numbers, too
    left = min(max(seconds - discovery.elapsed, time_to_snap(seconds)), SNAP_SECONDS)
    laws = tidied(discovery.laws, place, split, seconds=left)
    found = result(discovery, laws, place, seconds=discovery.elapsed + time.monotonic() - start)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, allow_nan=False))
        return
    _print_table(laws, split, found)


def _say(discovery: Discovery) -> str:
    """Return one line about a search that goes on."""
    spread = float(discovery.split.test_targets.std(correction=0)) or 1.0
    best = min((law.test_rmse for law in discovery.laws), default=spread) / spread
    return f"{len(discovery.laws)} formulas, the closest leaves {best:.1e} of the spread"


def _print_table(laws: Sequence[Law], dataset: Dataset, found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable

    console = Console()
    table = RichTable(box=None, pad_edge=False)
    for title in ("", "complexity", "train RMSE", "held-out RMSE", "formula"):
        table.add_column(title, justify="left" if title in ("", "formula") else "right", overflow="fold")
    for place, law in enumerate(laws):
        mark = "→" if place == found["best"] else ""
        errors = (f"{law.train_rmse:.3g}", f"{law.test_rmse:.3g}")
        table.add_row(mark, str(law.complexity), *errors, readable(law, dataset))
    console.print(table, highlight=False, markup=False)
    for sentence in (*found["findings"], found["verdict"]):
        console.print(sentence, highlight=False, markup=False)
    console.print(f"{found['seconds']:.1f} s", highlight=False)
