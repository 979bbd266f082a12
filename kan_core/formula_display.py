"""A formula as people want to read it.

Constants are folded as the network is walked (into phases, factors and leading coefficients), then numbers close to
integers, small fractions and multiples of π are taken for these, but only if the whole formula, evaluated on data,
stays where it was. What is left is rounded to four digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from html import escape
from typing import Any

import numpy as np
import sympy as sp
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.formula import EdgeTerm, build_expressions, curve_function, exact_term, form_in, network_formula
from kan_core.latex import latex_equations
from kan_core.mathml import presentation
from kan_core.names import latex_names
from kan_core.network import KAN, EdgeId
from kan_core.plain_text import plain_text
from kan_core.symbolic.edges import edge_function, edge_units
from kan_core.symbolic.library import SymbolicFunction
from kan_core.symbolic.nice_numbers import number
from kan_core.symbolic.ranking import Candidate
from kan_core.symbolic.rewriting import without_unit

SNAP_TOLERANCE = 2e-5
DEVIATION = 1e-4
DIGITS = 4
MAX_DENOMINATOR = 6
MAX_NUMERATOR = 100
# a free constant is an integer only where four digits show all of it
MAX_INTEGER = 10**DIGITS
# integers beyond are written by powers of ten
LONGEST = 10**6

CurveValue = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class DisplayFormula:
    """A network's formula for reading: `expressions` are rounded, `equations_mathml` one an output."""

    expressions: tuple[sp.Expr, ...]
    text: str
    mathml: str
    latex: str


@dataclass(frozen=True, slots=True)
class SnappedFormula:
    """A formula with round constants where it may have them, all others in full, and what it is checked on.

    `columns` (B,) are the values of the `symbols` on the data, `curves` the functions that are named in it.
    """

    expressions: tuple[sp.Expr, ...]
    symbols: list[sp.Symbol]
    columns: list[FloatArray]
    curves: Mapping[str, CurveValue]


def snapped_formula(
    network: KAN, inputs: Tensor, *, input_names: Sequence[str], units: str = "original"
) -> SnappedFormula:
    """Return the network's formula with constants folded, and snapped where that is right on `inputs` (B, I)."""
    names = network_formula(network, input_names=input_names, units=units).input_names
    nodes = inputs.double() if units == "original" else network.scale_inputs(inputs).double()
    symbols, columns = [sp.Symbol(name) for name in names], list(nodes.numpy().T)
    curves = curve_values(network, units=units)
    folded = build_expressions(network, names, folded_term(network, units=units), units=units)
    return SnappedFormula(
        tuple(checked_snap(one, symbols, columns, curves) for one in folded), symbols, columns, curves
    )


def display_formula(
    network: KAN,
    inputs: Tensor,
    *,
    input_names: Sequence[str],
    output_names: Sequence[str],
    logit: bool = False,
    units: str = "original",
    expressions: Sequence[sp.Expr] | None = None,
) -> DisplayFormula:
    """Return the readable formula; `inputs` (B, I) are the data on which snapped constants are checked.

    With `logit` the outputs are named as logits of a probability. In `units` "scaled" what the variables and the
    outputs are in original units is said below. Where `expressions` are given, another form of the same, they are
    written.
    """
    outputs = [f"logit {name}" if logit else name for name in output_names]
    exact = network_formula(network, input_names=input_names, output_names=outputs, units=units)
    if expressions is None:
        expressions = snapped_formula(network, inputs, input_names=input_names, units=units).expressions
    expressions = tuple(map(rounded, expressions))
    names = list(exact.output_names)
    definitions = [rounded(one) for one in (*exact.input_definitions, *exact.output_definitions)]
    if definitions:
        names += [*exact.input_names, *outputs]
    shown = [*expressions, *definitions]
    text = "\n".join(f"{name} = {plain_text(one)}" for name, one in zip(names, shown, strict=True))
    every = dict.fromkeys([*input_names, *names, *exact.output_names, *exact.input_names])
    in_latex = dict(zip(every, latex_names(list(every)), strict=True))
    latex = latex_equations([in_latex[name] for name in names], shown, names=in_latex)
    rows = "".join(
        f"<mtr><mtd><mi>{escape(name)}</mi></mtd><mtd><mo>=</mo></mtd><mtd>{presentation(one)}</mtd></mtr>"
        for name, one in zip(names, shown, strict=True)
    )
    return DisplayFormula(expressions, text, f'<math display="block"><mtable>{rows}</mtable></math>', latex)


def edge_label(network: KAN, edge: EdgeId, name: str) -> tuple[str, str]:
    """Return a symbolic edge's formula in the variable `name` as plain text and as MathML."""
    symbol = sp.Symbol(name)
    layer = network.check_edge(edge)
    low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    scale, shift, _ = edge_units(network, edge)
    points = np.linspace(low, high, 33) * scale + shift
    expression = rounded(checked_snap(exact_term(network)(edge, symbol), [symbol], [points], {}))
    return plain_text(expression), f"<math>{presentation(expression)}</math>"


def candidate_label(candidate: Candidate, name: str) -> tuple[str, str]:
    """Return a candidate's formula in the variable `name` as plain text and as MathML."""
    a, b, c, d = (sp.Float(value, 17) for value in (candidate.a, candidate.b, candidate.c, candidate.d))
    expression = rounded(c * candidate.definition.sympy_value(a * sp.Symbol(name) + b) + d)
    return plain_text(expression), f"<math>{presentation(expression)}</math>"


def folded_term(network: KAN, *, units: str = "original") -> EdgeTerm:
    """Return the term of an edge with its constants folded as far as they go."""

    def term(edge: EdgeId, x: Any) -> Any:
        if network.kind(edge) == "spline":
            return curve_function(edge)(x)
        function = edge_function(network, edge)
        a, b, c, d = without_unit(function, list(form_in(network, edge, units)[1:]))
        return sp.Add(_scale(c, _fold(function, a, b, x)), number(d))

    return term


def _fold(function: SymbolicFunction, a: float, b: float, x: Any) -> Any:
    """Return f(a·x + b) with the constants drawn out of it where f allows."""
    constant, rest = sp.Add(_scale(a, x), number(b)).as_coeff_Add()
    name, shift = function.name, float(constant)
    if name == "exp":
        return number(math.exp(min(shift, 700.0))) * sp.exp(rest)
    if name in ("sin", "cos"):
        return _fold_wave(shift + (math.pi / 2 if name == "cos" else 0.0), rest)
    if name in ("x^2", "x^3", "x^4", "x^5") and not rest.is_Add:
        return sp.expand((rest + constant) ** int(name[-1]))
    return function.sympy_value(rest + constant)


def _fold_wave(phase: float, rest: Any) -> Any:
    """Return sin(rest + phase) as ±sin or ±cos with a positive leading coefficient and a phase within ±π/4."""
    if rest.could_extract_minus_sign():
        return -_fold_wave(-phase, -rest)
    quarter = round(phase / (math.pi / 2))
    left = phase - quarter * math.pi / 2
    argument = rest if abs(left) < SNAP_TOLERANCE else rest + number(left)
    wave = sp.sin(argument) if quarter % 2 == 0 else sp.cos(argument)
    return -wave if quarter % 4 in (2, 3) else wave


def _scale(factor: float, x: Any) -> Any:
    """Return factor · x with the factor carried into a sum."""
    if x.is_Add:
        return sp.Add(*[number(factor) * part for part in x.args])
    return number(factor) * x


def checked_snap(
    expression: Any, symbols: Sequence[Any], columns: Sequence[FloatArray], curves: Mapping[str, CurveValue]
) -> Any:
    """Return the expression with round constants where that keeps its values at `columns`, else as it is."""
    candidate = snapped(expression)
    wanted = evaluate(expression, symbols, columns, curves)
    got = evaluate(candidate, symbols, columns, curves)
    floor = 1e-12 * (1.0 + float(np.abs(wanted).max()))
    error = float(np.sqrt(np.square(got - wanted).mean()))
    return candidate if error <= DEVIATION * max(float(wanted.std()), floor) else expression


def evaluate(
    expression: Any, symbols: Sequence[Any], columns: Sequence[FloatArray], curves: Mapping[str, CurveValue]
) -> FloatArray:
    """Return the values (B,) at the columns (B,) of the symbols, NaN where there is no real one.

    `curves` gives the functions named in it.
    """
    # columns may be named like functions: arguments have names of our own
    arguments = [sp.Symbol(f"argument_{index}") for index in range(len(symbols))]
    own = expression.xreplace(dict(zip(symbols, arguments, strict=True)))
    function = sp.lambdify(arguments, own, modules=[dict(curves), "numpy"])
    with np.errstate(all="ignore"):
        values: Any = np.asarray(function(*columns))
        if np.iscomplexobj(values):
            values = np.where(values.imag == 0.0, values.real, np.nan)
        return np.broadcast_to(values.astype(float), columns[0].shape)


def curve_values(network: KAN, *, units: str = "original") -> dict[str, CurveValue]:
    """Return the function behind each remaining curve by its name in formulas, in `units`."""
    return {
        curve_function(edge).__name__: partial(_curve_value, network, edge, units)
        for edge in network.edges()
        if network.kind(edge) == "spline"
    }


def _curve_value(network: KAN, edge: EdgeId, units: str, x: FloatArray) -> FloatArray:
    alone = network.check_edge(edge).one_edge(edge.target, edge.source)
    x_scale, x_shift, y_scale = edge_units(network, edge) if units == "original" else (1.0, 0.0, 1.0)
    nodes = ((np.ravel(x) - x_shift) / x_scale).astype(alone.low.numpy().dtype)
    return alone.edge_values(nodes[:, None])[:, 0, 0].astype(np.float64) * y_scale


def snapped(expression: Any) -> Any:
    """Return the expression with every constant near a round number replaced by it; terms near 0 vanish."""
    replacements = {number: _round_number(float(number)) for number in expression.atoms(sp.Float)}
    return expression.xreplace(replacements)


def _round_number(value: float) -> Any:
    if abs(value) < SNAP_TOLERANCE:
        return sp.Integer(0)
    for unit, symbol in ((1.0, sp.Integer(1)), (math.pi, sp.pi)):
        ratio = value / unit
        if abs(ratio) >= MAX_INTEGER:
            continue
        fraction = Fraction(ratio).limit_denominator(MAX_DENOMINATOR)
        is_short = fraction.denominator == 1 or abs(fraction.numerator) <= MAX_NUMERATOR
        # never looser than for numbers around 1: as a share of itself every large number is close to a fraction
        tolerance = SNAP_TOLERANCE * min(abs(ratio), 1.0)
        if fraction != 0 and is_short and abs(float(fraction) - ratio) <= tolerance:
            return sp.Rational(fraction.numerator, fraction.denominator) * symbol
    return sp.Float(value)


def rounded(expression: Any) -> Any:
    """Return the expression with its remaining constants at four digits; factors that are 1 to four digits go.

    Integers and fractions stay exact unless they are too long to be read.
    """
    return expression.xreplace(
        {number: _short(number) for number in expression.atoms(sp.Float)}
        | {number: sp.Float(number, DIGITS) for number in expression.atoms(sp.Rational) if _is_long(number)}
    )


def _is_long(number: sp.Rational) -> bool:
    return max(abs(int(number.p)), int(number.q)) > LONGEST


def _short(number: sp.Float) -> Any:
    # as it is written: what is kept of a Float has some bits more than its digits
    value = float(f"{float(number):.{DIGITS}g}")
    return sp.Integer(int(value)) if abs(value) == 1.0 else sp.Float(number, DIGITS)
