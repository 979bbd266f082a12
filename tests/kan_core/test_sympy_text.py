"""Text for SymPy reads back as the expression that it is, whatever the columns are named."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kan_core.names import identifiers
from kan_core.sympy_text import functions_called, symbol_names, sympy_text

sympify: Any = sp.sympify
AWKWARD = (
    *("E", "I", "S", "N", "O", "Q", "pi", "oo", "nan", "zoo", "exp", "sqrt", "sin", "log", "Abs", "beta", "gamma"),
    *(
        "Integer",
        "Float",
        "Symbol",
        "Function",
        "Rational",
        "lambda",
        "None",
        "print",
        "self",
        "evaluate",
        "_",
        "µ",
        "ſ",
    ),
    *("α", "é", "x", "x y", "x_y", "x-y", "2", "", "v_lambda", "v_2", "phi_0_0_0", "GoldenRatio", "Größe (m/s²)"),
)


def expression(first: Any, second: Any) -> Any:
    """Return one with the constants and functions that laws have."""
    waves = sp.exp(-(second**2)) * sp.sin(sp.pi * first / 3) / sp.sqrt(2 * sp.pi)
    return sp.E * first + sp.pi * second + waves + sp.sqrt(first) - sp.Float(0.1234567890123456, 17) + sp.Abs(second)


@given(names=st.lists(st.sampled_from(AWKWARD), min_size=2, max_size=4, unique=True))
@pytest.mark.slow
def test_sympy_reads_it_back_with_the_columns_as_symbols(names: list[str]) -> None:
    symbols = symbol_names(names, called=functions_called([expression(*sp.symbols("a b"))]))
    assert len(set(symbols)) == len(names)
    written = sympy_text(expression(sp.Symbol(symbols[0]), sp.Symbol(symbols[1])), symbols=symbols)
    read = sympify(written, locals={symbol: sp.Symbol(symbol) for symbol in symbols})
    assert {symbol.name for symbol in read.free_symbols} == set(symbols[:2])
    values = {sp.Symbol(symbols[0]): 1.3, sp.Symbol(symbols[1]): 0.6}
    wanted = float(expression(sp.Float(1.3, 17), sp.Float(0.6, 17)))
    assert float(read.subs(values)) == pytest.approx(wanted, rel=1e-14)


def test_constants_named_like_columns_are_numbers() -> None:
    named_e, named_pi, x = sp.symbols("E pi x")
    assert sympy_text(sp.E * named_e + sp.pi * x, symbols=["E", "x"]) == "2.7182818284590452*E + pi*x"
    assert sympy_text(sp.E * x + sp.pi * named_pi, symbols=["pi", "x"]) == "3.1415926535897932*pi + E*x"
    assert sympify("3.1415926535897932") == pytest.approx(math.pi, rel=1e-16)


def test_names_that_can_be_symbols_stay() -> None:
    assert symbol_names(["E", "I", "S", "pi", "oo", "exp", "α"]) == ["E", "I", "S", "pi", "oo", "exp", "α"]
    assert symbol_names(["exp", "sin"], called={"exp"}) == ["v_exp", "sin"]
    assert symbol_names(["Integer", "lambda", "2", "µ"]) == ["v_Integer", "v_lambda", "v_2", "_"]


def test_names_that_are_made_yield() -> None:
    assert symbol_names(["x y", "x_y", "x-y"]) == ["x_y_", "x_y", "x_y__"]
    assert identifiers(["x y", "x_y", "x-y"]) == ["x_y_", "x_y", "x_y__"]
    assert identifiers(["lambda", "v_lambda", "v_lambda"]) == ["v_lambda_", "v_lambda", "v_lambda__"]


def test_functions_are_those_that_are_called() -> None:
    x = sp.Symbol("sin(x")
    assert functions_called([sp.exp(x) + 2, sp.sqrt(x) * (x + 1)]) == {"exp", "sqrt"}
