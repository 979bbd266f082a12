"""Formulas become simpler only when they stay the same, and never for longer than asked."""

from __future__ import annotations

import os
from typing import IO, Any

import numpy as np
import pytest
import sympy as sp

import kan_core.simplification as module
from kan_core import network_formula
from kan_core.simplification import Simplifying, largest_difference, simplify_formula
from tests.kan_core.networks_for_tests import assert_equal_to, random_network, shifted_dataset

pytestmark = pytest.mark.slow
DATA = shifted_dataset()
NETWORK = random_network(2, data=DATA)
NAMES = ("x1", "lambda")
X: Any = sp.Symbol("x1")
Y: Any = sp.Symbol("lambda")
COLUMNS = list(DATA.train_inputs.numpy().T)


def test_a_formula_becomes_simpler() -> None:
    clumsy = sp.sin(X) ** 2 + sp.cos(X) ** 2 + X * Y / X - 1
    found = simplify_formula(clumsy + 0 * Y, NETWORK, DATA.train_inputs, input_names=NAMES, seconds=60.0)
    assert (found.expression, found.is_simpler) == (Y, True)
    assert found.sentence == f"Simplified from {sp.count_ops(clumsy)} operations to 0."


def test_a_networks_formula_with_curves_stays_what_it_is() -> None:
    formula = network_formula(NETWORK, input_names=NAMES)
    found = simplify_formula(formula.expression, NETWORK, DATA.train_inputs, input_names=NAMES, seconds=10.0)
    symbols = [sp.Symbol(name) for name in NAMES]
    curves = module.curve_values(NETWORK)
    assert_equal_to(
        NETWORK, DATA.test_inputs, module.evaluate(found.expression, symbols, list(DATA.test_inputs.numpy().T), curves)
    )


def test_nothing_simpler() -> None:
    found = simplify_formula(X + Y, NETWORK, DATA.train_inputs, input_names=NAMES, seconds=60.0)
    assert (found.expression, found.is_simpler, found.sentence) == (X + Y, False, "Nothing simpler was found.")


def test_time_that_is_over_kills_the_process_and_the_formula_stays() -> None:
    work = Simplifying(X + Y, seconds=0.0)
    found = work.result([X, Y], COLUMNS, {})
    assert found is not None
    assert (found.expression, found.is_simpler) == (X + Y, False)
    assert found.sentence == "Simplifying took longer than 0 s: the formula stays as it is."
    with pytest.raises(ProcessLookupError):
        os.kill(work.pid, 0)
    work.close()
    work.close()


def test_work_that_is_not_done_has_no_result_and_can_be_given_up() -> None:
    with Simplifying(X + Y, seconds=1000.0) as work:
        assert work.result([X, Y], COLUMNS, {}) is None
        os.kill(work.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(work.pid, 0)


def test_what_differs_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clumsy = sp.sqrt(X**2) + sp.sin(X) ** 2 + sp.cos(X) ** 2

    def load(_: object) -> Any:
        return X + sp.Rational(11, 10)

    monkeypatch.setattr(module.pickle, "load", load)
    found = simplify_formula(clumsy, NETWORK, DATA.train_inputs, input_names=NAMES, seconds=60.0)
    assert (found.expression, found.is_simpler) == (clumsy, False)
    assert "of the formula's size: the formula stays as it is." in found.sentence


def test_a_process_that_fails_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def dump(_: object, file: IO[bytes]) -> None:
        file.write(b"nothing")

    monkeypatch.setattr(module.pickle, "dump", dump)
    found = simplify_formula(X + Y, NETWORK, DATA.train_inputs, input_names=NAMES, seconds=60.0)
    assert (found.is_simpler, found.sentence) == (False, "Simplifying failed: the formula stays as it is.")


def test_what_holds_on_the_data_alone_is_a_difference() -> None:
    symbols = [X, Y]
    assert largest_difference(X, sp.Abs(X), symbols, COLUMNS, {}) < 1e-15
    near_zero = [np.linspace(0.0, 1.0, 20), COLUMNS[1][:20]]
    assert largest_difference(X, sp.Abs(X), symbols, near_zero, {}) > 0.1
    assert largest_difference(X, sp.sqrt(X) ** 2, symbols, near_zero, {}) < 1e-12
    assert largest_difference(X, sp.sqrt(X**3) / sp.sqrt(X), symbols, near_zero, {}) == np.inf
