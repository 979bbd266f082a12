"""Simplifying a formula without waiting for it, and without trusting the result unseen.

SymPy may take minutes, so it works in a process of its own that is killed when its time is over. What it finds replaces
the formula only if both agree numerically, on the data and on random points of a box twice as wide.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.formula_display import CurveValue, curve_values, evaluate
from kan_core.network import KAN

SECONDS = 5.0
TOLERANCE = 1e-9
NUM_BEYOND = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Simplification:
    """The simpler `expression` if there is one, else the original; `sentence` says which and why."""

    expression: Any
    is_simpler: bool
    sentence: str


class Simplifying:
    """An expression that is being simplified in a process of its own; use it in a `with`, or call `close`.

    `result` is None as long as the process works and has time left. The process has `seconds` from the start on. No
    method waits for it.
    """

    def __init__(self, expression: Any, *, seconds: float = SECONDS) -> None:
        self._expression = expression
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        # open until `close`, unlike those of a `with`
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._sentence = ""
        with tempfile.TemporaryFile() as given:
            pickle.dump(expression, given)
            given.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kan_core.simplification_process", str(math.ceil(seconds) + 1)],
                stdin=given,
                stdout=self._output,
                stderr=subprocess.DEVNULL,
            )

    def __enter__(self) -> Simplifying:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_done(self) -> bool:
        """Whether the process has ended; one whose time is over is killed."""
        if self._process.poll() is not None:
            return True
        if time.monotonic() < self._deadline:
            return False
        self._sentence = f"Simplifying took longer than {self._seconds:g} s: the formula stays as it is."
        self._process.kill()
        self._process.wait()
        return True

    def wait(self) -> None:
        """Return when the process has ended, which is after `seconds` at the latest."""
        try:
            self._process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            assert self.is_done

    def close(self) -> None:
        """Kill the process if it still works; closing twice is harmless."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def result(
        self, symbols: Sequence[Any], columns: Sequence[FloatArray], curves: Mapping[str, CurveValue]
    ) -> Simplification | None:
        """Return what was found, checked at the columns (B,) of the symbols and beyond; None while it is not done."""
        if not self.is_done:
            return None
        if self._sentence:
            return self._as_it_was(self._sentence)
        if self._process.returncode != 0:
            return self._as_it_was("Simplifying failed: the formula stays as it is.")
        self._output.seek(0)
        # written by the process that was started above
        found = pickle.load(self._output)
        before, after = int(sp.count_ops(self._expression)), int(sp.count_ops(found))
        if after >= before:
            return self._as_it_was("Nothing simpler was found.")
        worst = largest_difference(self._expression, found, symbols, columns, curves)
        if worst > TOLERANCE:
            return self._as_it_was(
                f"What was found differs by {worst:.1e} of the formula's size: the formula stays as it is."
            )
        return Simplification(
            expression=found, is_simpler=True, sentence=f"Simplified from {before} operations to {after}."
        )

    def _as_it_was(self, sentence: str) -> Simplification:
        return Simplification(expression=self._expression, is_simpler=False, sentence=sentence)


def simplify_formula(
    expression: Any, network: KAN, inputs: Tensor, *, input_names: Sequence[str], seconds: float = SECONDS
) -> Simplification:
    """Return a simpler form of a formula of `network`, or the formula and why; waits for at most `seconds`.

    `inputs` (B, I) are the data on which it has to stay the same, `input_names` its variables in their order. Sessions
    use `Simplifying`, which does not wait.
    """
    symbols = [sp.Symbol(name) for name in input_names]
    with Simplifying(expression, seconds=seconds) as work:
        work.wait()
        found = work.result(symbols, list(inputs.double().numpy().T), curve_values(network))
    assert found is not None
    return found


def largest_difference(
    expression: Any,
    other: Any,
    symbols: Sequence[Any],
    columns: Sequence[FloatArray],
    curves: Mapping[str, CurveValue],
) -> float:
    """Return the largest difference relative to the expression's largest value, on the data and in a box around them.

    Both count apart, so that large values far from the data excuse nothing on them. Infinite when the other one has no
    finite value somewhere the expression has one.
    """
    generator = np.random.default_rng(0)
    beyond: list[FloatArray] = []
    for column in columns:
        low, high = float(column.min()), float(column.max())
        half = (high - low) / 2.0
        beyond.append(generator.uniform(low - half, high + half, NUM_BEYOND))
    return max(
        _difference(*(evaluate(one, symbols, points, curves) for one in (expression, other)))
        for points in (columns, beyond)
    )


def _difference(wanted: FloatArray, got: FloatArray) -> float:
    finite = np.isfinite(wanted)
    if not finite.any():
        return 0.0
    if not np.isfinite(got[finite]).all():
        return float("inf")
    size = max(float(np.abs(wanted[finite]).max()), 1e-300)
    return float(np.abs(got[finite] - wanted[finite]).max()) / size
