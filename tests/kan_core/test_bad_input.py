"""What a caller gets wrong comes back as one sentence: what is expected, what was received, what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from kan_core import (
    KAN,
    Dataset,
    EdgeId,
    NetworkSpec,
    TrainingSpec,
    fit_normalization,
    fit_ranges,
    refine,
    sample_edge_curves,
    suggest_symbolic,
    swap_basis,
)
from kan_core.bases import BASES
from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.errors import DataError, KanError, SpecError
from kan_core.mlp import MLPSpec
from tests.kan_core.problems_for_tests import exp_sin_dataset

DATA = exp_sin_dataset(num_samples=40)
FIELDS: dict[str, Any] = {
    "train_inputs": DATA.train_inputs,
    "train_targets": DATA.train_targets,
    "test_inputs": DATA.test_inputs,
    "test_targets": DATA.test_targets,
}


def make_network(**fields: Any) -> KAN:
    return KAN(NetworkSpec(widths=(2, 3, 1), **fields), dtype=torch.float64)


CALLS: dict[str, tuple[Callable[[], object], type[KanError], str]] = {
    "widths is a number": (lambda: spec(widths=5), SpecError, r"widths is a row of integers, received widths=5: give"),
    "widths is a word": (lambda: spec(widths="12"), SpecError, r"widths is a row of integers, received widths='12'"),
    "a width is true": (lambda: spec(widths=(2, True)), SpecError, r"widths\[1\] is an integer .* received .*=True"),
    "a width is a fraction": (lambda: spec(widths=(2, 1.5)), SpecError, r"received widths\[1\]=1\.5: choose one"),
    "a width is an array": (lambda: spec(widths=(2, np.ones(2))), SpecError, r"widths\[1\] is an integer from 1"),
    "products is a number": (lambda: spec(products=1), SpecError, "products is a row of integers, received products=1"),
    "alpha is a letter": (lambda: spec(alpha="a"), SpecError, "alpha is a number above -1 to 10, received alpha='a'"),
    "alpha is nothing": (lambda: spec(alpha=None), SpecError, "alpha is a number above -1 to 10, received alpha=None"),
    "alpha is its bound": (lambda: spec(alpha=-1.0), SpecError, r"alpha is a number above -1 to 10, received alpha=-1"),
    "alpha of splines": (lambda: spec(alpha=-5), SpecError, "alpha is a number above -1 to 10, received alpha=-5: "),
    "beta beyond floats": (
        lambda: spec(beta=10**400),
        SpecError,
        "beta is a number above -1 to 10, received beta=1000",
    ),
    "order of polynomials": (lambda: spec(basis="chebyshev", order=77), SpecError, "order is an integer from 0 to 5"),
    "basis is a number": (lambda: spec(basis=3), SpecError, "basis is one of bspline, .*, received basis=3: choose"),
    "learning rate is a word": (
        lambda: TrainingSpec(learning_rate="0.1"),  # pyright: ignore[reportArgumentType]
        SpecError,
        "learning_rate is a number above 0 to 10, received learning_rate='0.1': choose one in that range",
    ),
    "perceptron of a number": (
        lambda: MLPSpec(widths=5),  # pyright: ignore[reportArgumentType]
        SpecError,
        "widths is a row of integers, received widths=5",
    ),
    "network of a dictionary": (
        lambda: KAN({"widths": (2, 1)}),  # pyright: ignore[reportArgumentType]
        SpecError,
        r"spec is a NetworkSpec, received a dict: make one, as NetworkSpec\(widths=\(2, 5, 1\)\)",
    ),
    "network of half precision": (
        lambda: KAN(dtype=torch.float16),
        SpecError,
        r"dtype is torch\.float32 or torch\.float64, received dtype=torch\.float16: choose one of these",
    ),
    "network of bfloat16": (lambda: KAN(dtype=torch.bfloat16), SpecError, r"received dtype=torch\.bfloat16"),
    "network of integers": (lambda: KAN(dtype=torch.int64), SpecError, r"received dtype=torch\.int64"),
    "inputs are an array": (
        lambda: KAN()(np.zeros((3, 2))),
        DataError,
        r"inputs are a torch tensor, received a ndarray: convert with torch\.as_tensor",
    ),
    "inputs are complex": (
        lambda: KAN()(torch.zeros(3, 2, dtype=torch.complex64)),
        DataError,
        r"inputs are real numbers, received dtype=torch\.complex64",
    ),
    "samples are a list": (
        lambda: data(train_inputs=[[0.0, 1.0]]),
        DataError,
        r"train_inputs is a torch tensor, received a list: convert with torch\.as_tensor",
    ),
    "samples are not numbers": (
        lambda: data(test_targets=torch.full((40, 1), math.nan)),
        DataError,
        r"test_targets holds finite numbers, received \[nan\] in row 0: remove that row",
    ),
    "ranges of no samples": (
        lambda: fit_ranges(make_network(), torch.zeros(0, 2)),
        DataError,
        r"inputs has the shape \(samples, columns\), received shape=\(0, 2\): give at least one row",
    ),
    "ranges of NaN": (
        lambda: fit_ranges(make_network(), torch.tensor([[0.0, math.nan]])),
        DataError,
        r"inputs holds finite numbers, received \[0\.0, nan\] in row 0",
    ),
    "formulas for no samples": (
        lambda: suggest_symbolic(make_network(), EdgeId(layer=0, source=0, target=0), torch.zeros(0, 2)),
        DataError,
        r"inputs has the shape \(samples, columns\), received shape=\(0, 2\)",
    ),
    "curves of no points": (
        lambda: sample_edge_curves(make_network(), num_points=0),
        SpecError,
        "num_points is an integer from 2 to 100000, received num_points=0",
    ),
    "curves of less": (lambda: sample_edge_curves(make_network(), num_points=-1), SpecError, "received num_points=-1"),
}


def spec(**fields: Any) -> NetworkSpec:
    return NetworkSpec(**fields)


def data(**changed: Any) -> Dataset:
    return Dataset(**{**FIELDS, **changed})


@pytest.mark.parametrize("name", CALLS)
def test_bad_input_gets_a_sentence(name: str) -> None:
    call, error, message = CALLS[name]
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("family", BASES)
def test_integers_and_numbers_may_be_numpys(family: str) -> None:
    ours = make_network(basis=family, grid_size=4, order=2, alpha=0.5, beta=0.25)
    theirs = make_network(
        basis=family, grid_size=np.int64(4), order=np.int32(2), alpha=np.float32(0.5), beta=Fraction(1, 4)
    )
    assert theirs.spec == ours.spec == NetworkSpec(**json.loads(json.dumps({**vars_of(theirs.spec)})))
    finer = refine(theirs, np.int64(8))  # pyright: ignore[reportArgumentType]
    assert from_bytes(to_bytes(finer)).layers[0].bases == refine(ours, 8).layers[0].bases


def vars_of(one: NetworkSpec) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_widths_may_be_a_list_of_numpy_integers() -> None:
    made = spec(widths=np.array([2, 3, 1]), products=[np.int64(0), 1, 0])
    assert (made.widths, made.products) == ((2, 3, 1), (0, 1, 0))
    assert all(type(width) is int for width in (*made.widths, *made.products))


def test_samples_leave_their_history_behind() -> None:
    inputs = DATA.train_inputs.clone().requires_grad_()
    made = data(train_inputs=inputs, train_targets=inputs.sum(dim=1, keepdim=True))
    assert not made.train_inputs.requires_grad
    assert fit_normalization(make_network(), made).copy().input_scale.requires_grad is False


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("family", BASES)
def test_a_sample_of_nan_spoils_itself_alone(family: str, dtype: torch.dtype) -> None:
    network = KAN(NetworkSpec(widths=(2, 3, 1), basis=family), dtype=dtype)
    inputs = DATA.test_inputs.to(dtype)
    spoilt = inputs.clone()
    spoilt[3, 1] = math.nan
    for call in (network.forward, network.forward_reference):
        wrong, right = call(spoilt).detach(), call(inputs).detach()
        assert torch.isnan(wrong).ravel().nonzero().ravel().tolist() == [3]
        torch.testing.assert_close(wrong.nan_to_num(), torch.where(torch.isnan(wrong), 0.0, right), rtol=1e-5, atol=0)


def test_what_a_spec_allows_can_be_swapped_to() -> None:
    network = make_network(basis="chebyshev", order=1, alpha=-0.5, beta=10.0)
    for family in BASES:
        network = swap_basis(network, EdgeId(layer=0, source=0, target=0), family)
    assert bool(torch.isfinite(network(DATA.test_inputs)).all())
