"""A formula is what the network computes, in every form it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import (
    KAN,
    Candidate,
    EdgeId,
    NetworkSpec,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    lock_symbolic,
    network_formula,
    prune_edges,
    release_symbolic,
)
from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.errors import CheckpointError, EdgeError, ExportError
from kan_core.export import numpy_source
from kan_core.formula_display import curve_values, display_formula, edge_label, evaluate, snapped
from kan_core.symbolic import edge_form
from kan_core.torch_source import pytorch_source
from tests.kan_core.problems_for_tests import exp_sin_dataset

DATA = exp_sin_dataset()
SMOOTH = ("sin", "cos", "x^2", "x^3", "exp", "tanh", "gaussian", "x", "arctan", "lorentzian", "sigmoid", "cosh")


def candidate(function: str, a: float, b: float, c: float, d: float) -> Candidate:
    return Candidate(function=function, a=a, b=b, c=c, d=d, r2=1.0, complexity=1, score=0.0)


def edge(layer: int, source: int, target: int) -> EdgeId:
    return EdgeId(layer=layer, source=source, target=target)


def base_network(seed: int = 0, widths: tuple[int, ...] = (2, 2, 1)) -> KAN:
    spec = NetworkSpec(widths=widths, initialization="variance")
    network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return fit_ranges(fit_normalization(network, DATA), DATA.train_inputs)


def mixed_network(seed: int, *, closed: bool) -> KAN:
    """Return a network of curves, formulas and cut edges, or of formulas and cut edges only."""
    generator = np.random.default_rng(seed)
    network = base_network(seed)
    for one in network.edges():
        draw = generator.random()
        if closed or draw < 0.5:
            a, b, c, d = generator.uniform(-1.0, 1.0, 4)
            network = fix_symbolic(network, one, candidate(str(generator.choice(SMOOTH)), a, b, c, d))
        elif draw < 0.65:
            network = prune_edges(network, [one])
    return network


def outputs(network: KAN, inputs: torch.Tensor) -> np.ndarray:
    return network(inputs)[:, 0].detach().numpy()


@given(seed=st.integers(0, 10_000), closed=st.booleans())
def test_expression_and_sources_equal_the_network(seed: int, closed: bool) -> None:
    network = mixed_network(seed, closed=closed)
    expected = outputs(network, DATA.test_inputs)
    formula = network_formula(network, input_names=["x", "lambda"])
    columns = list(DATA.test_inputs.numpy().T)
    symbols = [sp.Symbol("x"), sp.Symbol("lambda")]
    tolerance = 1e-9 * max(1.0, float(np.abs(expected).max()))
    values = evaluate(formula.expression, symbols, columns, curve_values(network))
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=tolerance)
    for source, arguments in ((numpy_source, columns), (pytorch_source, list(DATA.test_inputs.T))):
        module: dict[str, Any] = {}
        exec(source(network, input_names=["x", "lambda"]), module)
        got = np.asarray(module["predict"](*arguments))
        np.testing.assert_allclose(np.broadcast_to(got, expected.shape), expected, rtol=1e-9, atol=tolerance)
    assert formula.is_closed_form == (not formula.curves)


def story_network() -> KAN:
    """Return [2, 1, 1] with sin, a square and exp whose constants are those of training: correct but not round."""
    network = base_network(widths=(2, 1, 1))
    network = fix_symbolic(network, edge(0, 0, 0), candidate("cos", -np.pi, np.pi / 2 + 2e-9, 0.7, 3.25))
    network = fix_symbolic(network, edge(0, 1, 0), candidate("x^2", 1.004, 1e-12, 0.7 / 1.004**2, -2.0))
    shift = float(network.output_shift[0])
    return fix_symbolic(network, edge(1, 0, 0), candidate("exp", 1 / 0.7, -1.25 / 0.7, 1.0, -shift))


def test_the_displayed_formula_has_round_constants() -> None:
    network = story_network()
    truth = np.exp(np.sin(np.pi * DATA.test_inputs[:, 0].numpy()) + DATA.test_inputs[:, 1].numpy() ** 2)
    np.testing.assert_allclose(outputs(network, DATA.test_inputs), truth, rtol=1e-7)
    shown = display_formula(network, DATA.train_inputs, input_names=["x", "y"], output_names=["f"])
    x, y = sp.symbols("x y")
    assert shown.expressions == (sp.exp(sp.sin(sp.pi * x) + y**2),)
    assert shown.text == "f = exp(y^2 + sin(π·x))"


def test_constants_that_are_not_round_stay() -> None:
    network = fix_symbolic(base_network(widths=(2, 1, 1)), edge(0, 0, 0), candidate("sin", 2.7, 0.31, 1.0, 0.0))
    shown = display_formula(network, DATA.train_inputs, input_names=["x", "y"], output_names=["f"])
    assert "sin(2.7·x + 0.31)" in shown.text
    assert "phi_1_0_0(" in shown.text
    assert "<msub><mi>φ</mi><mn>1,0,0</mn></msub>" in shown.mathml


def test_a_label_is_the_edges_formula() -> None:
    network = fix_symbolic(base_network(), edge(0, 1, 1), candidate("sin", 3.21, 0.0, 2.0, 0.5))
    assert edge_label(network, edge(0, 1, 1), "y")[0] == "2·sin(3.21·y) + 1/2"


def test_symbolic_edges_keep_their_units_and_can_be_released() -> None:
    network = fix_symbolic(base_network(), edge(1, 0, 0), candidate("tanh", 0.8, 0.1, 2.0, -1.0))
    name, *constants = edge_form(network, edge(1, 0, 0))
    assert name == "tanh"
    np.testing.assert_allclose(constants, (0.8, 0.1, 2.0, -1.0), rtol=1e-12)
    released = release_symbolic(network, edge(1, 0, 0))
    assert (network.kind(edge(1, 0, 0)), released.kind(edge(1, 0, 0))) == ("symbolic", "spline")
    np.testing.assert_allclose(outputs(released, DATA.train_inputs), outputs(network, DATA.train_inputs), atol=1e-2)


def test_locked_constants_are_no_parameters() -> None:
    network = fix_symbolic(base_network(), edge(1, 0, 0), candidate("sin", 1.0, 0.0, 1.0, 0.0))
    assert lock_symbolic(network, edge(1, 0, 0)).num_parameters == network.num_parameters - 4


def test_refusals() -> None:
    network = base_network()
    with pytest.raises(EdgeError, match=r"only a symbolic edge has constants, received edge=0\.0\.0 which is spline"):
        release_symbolic(network, edge(0, 0, 0))
    with pytest.raises(EdgeError, match="a formula names a library function, received function='sinc'"):
        fix_symbolic(network, edge(0, 0, 0), candidate("sinc", 1.0, 0.0, 1.0, 0.0))
    with pytest.raises(ExportError, match="input_names has a name for each of 2 columns"):
        network_formula(network, input_names=["x"])


@given(seed=st.integers(0, 1000))
def test_checkpoints_give_the_network_back_bit_by_bit(seed: int) -> None:
    network = mixed_network(seed, closed=False)
    again = from_bytes(to_bytes(network))
    assert (again.spec, again.dtype) == (network.spec, network.dtype)
    assert again.state_dict().keys() == network.state_dict().keys()
    np.testing.assert_array_equal(outputs(again, DATA.test_inputs), outputs(network, DATA.test_inputs))


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_checkpoint_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        from_bytes(data)


def test_a_damaged_checkpoint_is_refused() -> None:
    good = to_bytes(base_network())
    with pytest.raises(CheckpointError, match="the checkpoint does not describe a network"):
        from_bytes(good[:-8])


def test_no_large_number_is_taken_for_a_multiple_of_pi_or_a_fraction() -> None:
    assert [snapped(sp.Float(value)) for value in (1e6, 4321.567, 1000.25)] == [1e6, 4321.567, 1000.25]
    assert [snapped(sp.Float(value)) for value in (37.5 * np.pi, 97.0 / 6.0)] == [
        sp.pi * sp.Rational(75, 2),
        sp.Rational(97, 6),
    ]
