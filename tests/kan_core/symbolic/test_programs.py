"""Programs compute what SymPy and NumPy say, slopes included."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from kan_core.bases.basis import FloatArray
from kan_core.errors import ExpressionError
from kan_core.symbolic import FUNCTIONS, SymbolicFunction
from kan_core.symbolic.program_kernels import run_program
from kan_core.symbolic.programs import Program, program_of

X = sp.Symbol("x", real=True)


def run(program: Program, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the program's values and slopes at x (P,)."""
    values, slopes = np.full((program.depth, len(x)), np.nan), np.full((program.depth, len(x)), np.nan)
    run_program(program.instructions, program.numbers, x, values, slopes)
    return values[0], slopes[0]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_programs_of_the_library_are_its_functions(function: SymbolicFunction) -> None:
    x = np.linspace(max(function.low, -3.0) + 1e-3, min(function.high, 3.0) - 1e-3, 40)
    values, slopes = run(function.program, x)
    np.testing.assert_allclose(values, function.numpy_value(x), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slopes, function.numpy_derivative(x), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "expression",
    [
        X * sp.exp(-X),
        sp.sin(X) / X,
        X**X,
        sp.Max(X, sp.Rational(3, 2)) - 2 * sp.Min(X, 2),
        (1 + X**2) ** sp.Rational(-3, 2) + X ** sp.Rational(1, 3),
        sp.log(1 + sp.exp(X)) * sp.tanh(X) - sp.pi,
        2 / (3 * X**2 * (1 + X)),
        sp.Heaviside(X - 2) + sp.sign(X - 1) * X,
        sp.Integer(2) ** X,
    ],
    ids=str,
)
def test_programs_of_typed_functions_are_sympys(expression: sp.Expr) -> None:
    x = np.linspace(0.31, 3.17, 25)
    values, slopes = run(program_of(expression, X), x)
    np.testing.assert_allclose(values, sp.lambdify(X, expression, "numpy")(x), rtol=1e-13)
    # SymPy gives jumps a slope, and programs do not
    slope = expression.diff(X)
    slope = slope.xreplace({jump: sp.Integer(0) for jump in slope.atoms(sp.DiracDelta)})
    np.testing.assert_allclose(slopes, np.broadcast_to(sp.lambdify(X, slope, "numpy")(x), x.shape), rtol=1e-11)


def test_there_is_no_value_outside_a_functions_domain() -> None:
    values, _ = run(program_of(sp.log(X) + sp.sqrt(X), X), np.array([-1.0, 2.0]))
    assert np.isnan(values[0])
    assert np.isfinite(values[1])


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (sp.besselj(0, X), "A library function is made of elementary functions, and j0 is none: leave it out"),
        (X + sp.I, "Every number in a function is real and finite, received I: change it."),
        (sp.Add(X, sp.zoo), "Every number in a function is real and finite"),
    ],
    ids=str,
)
def test_what_has_no_program_is_refused_in_a_sentence(expression: sp.Expr, sentence: str) -> None:
    with pytest.raises(ExpressionError, match=f"^{sentence}"):
        program_of(expression, X)


def test_a_function_that_nests_too_deep_is_refused() -> None:
    nested = X
    for _ in range(40):
        nested = X**nested
    with pytest.raises(ExpressionError, match=r"^A function holds at most 24 values at once, received 41: simplify it"):
        program_of(nested, X)
