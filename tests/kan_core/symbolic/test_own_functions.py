"""Functions that people add: read safely, ranked, trained, saved, and refused in one sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
import torch

from kan_core import KAN, Candidate, EdgeId, NetworkSpec, fix_symbolic, network_formula, suggest_symbolic
from kan_core.bases.basis import FloatArray
from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.errors import KanError
from kan_core.export import numpy_source
from kan_core.formula_display import candidate_label, display_formula
from kan_core.symbolic import BUILT_IN, FUNCTIONS, Library, rank_candidates
from kan_core.symbolic.library import Shape
from kan_core.symbolic.own_functions import own_function
from kan_core.torch_source import pytorch_source

X = np.linspace(-1.0, 3.0, 200)
EDGE = EdgeId(layer=0, source=0, target=0)
INPUTS = torch.linspace(-1, 3, 50, dtype=torch.float64)[:, None]
RICKER = BUILT_IN.add_function("ricker", "x*exp(-x^2)")


def fixed_network() -> KAN:
    """Return a network of one edge, which is a function of a person's own."""
    network = KAN(NetworkSpec(widths=(1, 1)), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ricker = Candidate(
        function="ricker", a=1.2, b=-0.8, c=2.0, d=0.5, r2=1.0, complexity=4, score=0.0, own=RICKER["ricker"]
    )
    return fix_symbolic(network, EDGE, ricker)


def ricker(x: FloatArray) -> FloatArray:
    """Return what `fixed_network` computes."""
    u = 1.2 * x - 0.8
    return 2.0 * u * np.exp(-(u**2)) + 0.5


@pytest.mark.parametrize(
    ("expression", "a", "b"),
    [
        ("x*exp(-x^2)", 1.3, -1.0),
        ("sin(x)/x", 4.0, 0.7),
        ("log(1+exp(x))", 3.0, -2.0),
        ("x*log(x)", 0.8, 1.1),
        ("sqrt(1-x^2)", 0.4, -0.45),
        ("x/(1+x^2)^2", 1.5, -2.0),
        ("cos(x) + cos(2x)/2", 2.0, 0.3),
        ("x^x", 0.6, 0.8),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_persons_own_function_is_found_again(expression: str, a: float, b: float, noise: float) -> None:
    library = BUILT_IN.add_function("mine", expression)
    curve = 1.7 * library["mine"].numpy_value(a * X + b) - 0.4
    disturbed = curve + noise * curve.std() * np.random.default_rng(0).normal(size=len(X))
    best = rank_candidates(X, disturbed, functions=library.values())[0]
    assert best.function == "mine"
    assert np.sqrt(np.square(best.evaluate(X) - curve).mean()) < max(0.3 * noise, 1e-7) * curve.std()


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        ("x*exp(-x^2)", -math.inf, math.inf),
        ("log(x)", 0.0, math.inf),
        ("1/(x-2)", -math.inf, 2.0),
        ("1/x", 0.0, math.inf),
        ("tan(x)", -math.pi / 2, math.pi / 2),
        ("sqrt(4-x^2)", -2.0, 2.0),
        ("arcsin(x-3)", 2.0, 4.0),
        ("1/(x^2-1)", -1.0, 1.0),
        ("sin(x)/x", -math.inf, math.inf),
        ("exp(-x)", -math.log(np.finfo(np.float64).max), math.inf),
        ("1/sin(x)^2", 0.0, math.pi),
    ],
)
def test_the_domain_is_found(expression: str, low: float, high: float) -> None:
    function = own_function("mine", expression)
    assert (function.low, function.high) == (
        pytest.approx(low, abs=1e-6),
        pytest.approx(high, abs=1e-6),
    )
    inside = np.array([max(function.low, -5.0), min(function.high, 5.0)])
    assert np.isfinite(function.numpy_value(inside)).all()


@pytest.mark.parametrize(
    ("expression", "shape", "parity"),
    [
        ("2x+1", Shape.LINEAR, 0),
        ("x^6", Shape.POWER, 1),
        ("x^7", Shape.POWER, -1),
        ("log(x)/3", Shape.POWER, 0),
        ("2^x", Shape.EXPONENTIAL, 0),
        ("x^2+x^4", Shape.ANY, 1),
        ("sin(x)", Shape.ANY, -1),
    ],
)
def test_constants_that_others_give_are_seen(expression: str, shape: Shape, parity: int) -> None:
    function = own_function("mine", expression)
    assert (function.shape, function.parity) == (shape, parity)


def test_another_name_for_a_function_of_the_library_adds_nothing() -> None:
    library = BUILT_IN.add_function("double", "3*exp(2*x) - 1").add_function("shifted", "cos(x - 1)")
    for curve, name in ((np.exp(1.4 * X), "exp"), (np.sin(3 * X), "sin")):
        ranked = [one.function for one in rank_candidates(X, curve, functions=library.values())]
        assert ranked[0] == name
        assert not {"double", "shifted"} & set(ranked)


def test_libraries_never_change() -> None:
    larger = RICKER.add_function("sinc", sp.sin(sp.Symbol("x")) / sp.Symbol("x"), complexity=5, domain=(0.01, 50.0))
    assert "ricker" not in FUNCTIONS
    assert [list(library)[len(FUNCTIONS) :] for library in (BUILT_IN, RICKER, larger)] == [
        [],
        ["ricker"],
        ["ricker", "sinc"],
    ]
    assert list(larger.remove_function("ricker"))[len(FUNCTIONS) :] == ["sinc"]
    assert (larger["sinc"].complexity, larger["sinc"].low, larger["sinc"].high) == (5, 0.01, 50.0)
    assert RICKER["ricker"].complexity == 5


def test_an_own_function_is_an_edge_like_any_other() -> None:
    network = fixed_network()
    x = INPUTS[:, 0].numpy()
    expected = ricker(x)
    np.testing.assert_allclose(network(INPUTS)[:, 0].detach().numpy(), expected, rtol=1e-12)
    formula = sp.lambdify(sp.Symbol("x1"), network_formula(network).expression, "numpy")
    np.testing.assert_allclose(formula(x), expected, rtol=1e-10)
    shown = display_formula(network, INPUTS, input_names=["x"], output_names=["y"])
    assert "exp(" in shown.text
    for source, argument in (
        (numpy_source(network, input_names=["x"]), x),
        (pytorch_source(network, input_names=["x"]), INPUTS[:, 0]),
    ):
        namespace: dict[str, object] = {}
        exec(source, namespace)
        predict = namespace["predict"]
        assert callable(predict)
        np.testing.assert_allclose(np.asarray(predict(argument)), expected, rtol=1e-12)


def test_torch_differentiates_own_functions() -> None:
    x = torch.linspace(0.3, 2.5, 7, dtype=torch.float64, requires_grad=True)
    every = "max(x,1)*min(x,2) + step(x-1) + abs(sin(x))^1.5 + tanh(x)/sqrt(x) + 2^x"
    function = own_function("mine", every)
    assert torch.autograd.gradcheck(function.value, [x])
    np.testing.assert_allclose(function.value(x).detach().numpy(), function.numpy_value(x.detach().numpy()), rtol=1e-13)


def test_checkpoints_carry_own_functions() -> None:
    network = fixed_network()
    restored = from_bytes(to_bytes(network))
    assert torch.equal(restored(INPUTS), network(INPUTS))
    again = from_bytes(to_bytes(restored))
    assert torch.equal(again(INPUTS), network(INPUTS))


def test_suggestions_come_from_the_library_that_is_passed() -> None:
    network = fixed_network()
    best = suggest_symbolic(network, EDGE, INPUTS, library=RICKER)[0]
    assert (best.function, candidate_label(best, "x")[0].count("exp")) == ("ricker", 1)
    assert best.unexplained < 1e-12
    assert "ricker" not in [one.function for one in suggest_symbolic(network, EDGE, INPUTS)]


@pytest.mark.parametrize(
    ("name", "expression", "settings", "sentence"),
    [
        ("2x", "x", {}, "A function's name is made of letters, digits and _, begins with a letter and has at most 32"),
        ("n" * 33, "x", {}, "A function's name is made of letters"),
        ("sin", "x^2", {}, "There is a function of that name already, received name='sin': choose another."),
        ("ricker", "x^2", {}, "There is a function of that name already, received name='ricker': choose another."),
        ("f", "", {}, "The formula is empty"),
        ("f", "x +", {}, "The formula ends too early at position 4"),
        ("f", "x + y", {}, r"There is no variable 'y' \(position 5\): the variables are x."),
        ("f", "3 + pi", {}, r"A function depends on x, received 3 \+ pi: put x in it."),
        ("f", "j0(x)", {}, "A library function is made of elementary functions, and j0 is none: leave it out"),
        ("f", "sqrt(-1-x^2)", {}, "A function has real values on some interval, and this one has none: change it."),
        ("f", "log(x)", {"domain": (-1.0, 1.0)}, "A function is finite on its domain, received domain="),
        ("f", "x", {"domain": (1.0, 1.0)}, r"A domain is an interval \(low, high\), received domain="),
        ("f", "x", {"complexity": 0}, "complexity is an integer from 1 to 100, received complexity=0"),
        ("f", sp.Symbol("x") + sp.Symbol("t"), {}, "A function has x as its only variable, received t: use x."),
        ("f", sp.gamma(sp.Symbol("x")), {}, "A function is one that could be typed: There is no function 'gamma'"),
    ],
)
def test_what_cannot_be_a_function_is_refused(
    name: str, expression: str | sp.Expr, settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(KanError, match=f"^{sentence}"):
        RICKER.add_function(name, expression, **settings)  # pyright: ignore[reportArgumentType]


def test_only_own_functions_can_be_removed() -> None:
    with pytest.raises(KanError, match=r"^Only your own functions can be removed \(ricker\), received name='sin'"):
        RICKER.remove_function("sin")
    with pytest.raises(KanError, match=r"^Only your own functions can be removed \(none yet\)"):
        BUILT_IN.remove_function("sinc")


def test_a_library_has_a_limit() -> None:
    full = Library([own_function(f"f{k}", "x^2+x") for k in range(50)])
    with pytest.raises(KanError, match=r"^A library has at most 50 functions of your own: remove one first\."):
        full.add_function("one_more", "x")
