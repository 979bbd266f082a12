"""ONNX files, run by the common runtime beside the network."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import KAN, EdgeId, NetworkSpec, fit_normalization, fit_ranges
from kan_core.bases import BASES
from kan_core.errors import ExportError
from kan_core.onnx_export import onnx_bytes
from kan_core.symbolic import FUNCTIONS
from tests.kan_core.networks_for_tests import (
    AWKWARD_NAMES,
    assert_equal_to,
    random_network,
    shifted_dataset,
    within_domain,
)

DATA = shifted_dataset()
TOLERANCES = {"float32": 1e-6, "float64": 1e-9}
# beyond the data too, where curves go on linearly
INPUTS = torch.cat([DATA.test_inputs, DATA.test_inputs * 1.1 - 1.0])


def run(model: bytes, inputs: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {"inputs": inputs.numpy()})
    return np.asarray(outputs)[:, 0]


def family_network(family: str, dtype: torch.dtype, **fields: Any) -> KAN:
    spec = NetworkSpec(widths=(2, 3, 1), basis=family, **fields)
    network = KAN(spec, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return fit_ranges(fit_normalization(network, DATA.to_dtype(dtype)), DATA.train_inputs.to(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("family", "fields"),
    [*[(family, {}) for family in sorted(BASES)], ("bspline", {"order": 0}), ("bspline", {"knots": "adaptive"})],
)
def test_every_family_runs_as_in_the_network(family: str, fields: dict[str, Any], dtype: torch.dtype) -> None:
    network = family_network(family, dtype, **fields)
    inputs = INPUTS.to(dtype)
    values = run(onnx_bytes(network), inputs)
    assert_equal_to(network, inputs, values, tolerance=TOLERANCES[str(dtype).removeprefix("torch.")])


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_mixed_networks_run_as_they_are(seed: int) -> None:
    network = random_network(seed, data=DATA)
    assert_equal_to(network, DATA.test_inputs, run(onnx_bytes(network), DATA.test_inputs))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_function_runs(function: str, dtype: torch.dtype) -> None:
    network = random_network(3, data=DATA, dtype=dtype, closed=True, functions=("x",))
    inputs = DATA.train_inputs.to(dtype)
    first = EdgeId(layer=0, source=0, target=0)
    network = within_domain(network, first, function, inputs, np.random.default_rng(0))
    tolerance = TOLERANCES[str(dtype).removeprefix("torch.")]
    assert_equal_to(network, inputs, run(onnx_bytes(network), inputs), tolerance=3 * tolerance)
    if function == "arctanh" and dtype == torch.float32:
        return  # the domain's end rounds to 1, where the network has no finite value
    # outside the domain the network takes the nearest value
    far = inputs + 3.0
    expected, got = network(far)[:, 0].detach().numpy(), run(onnx_bytes(network), far)
    np.testing.assert_allclose(got, expected, rtol=1e4 * tolerance if dtype == torch.float32 else 1e-8)


def test_a_network_can_be_written_in_the_other_type() -> None:
    network = family_network("bspline", torch.float64)
    values = run(onnx_bytes(network, dtype="float32"), INPUTS.float())
    assert_equal_to(network, INPUTS, values, tolerance=1e-5)
    with pytest.raises(ExportError, match="dtype is one of float32, float64, received dtype='float16'"):
        onnx_bytes(network, dtype="float16")


def test_the_model_says_what_it_is() -> None:
    names = list(AWKWARD_NAMES[-2:])
    model = onnx.load_from_string(onnx_bytes(family_network("linear", torch.float64), input_names=names))
    properties = {one.key: json.loads(one.value) for one in model.metadata_props}
    assert properties == {"input_names": names, "output_names": ["y"]}
    assert (model.opset_import[0].version, model.producer_name) == (17, "kanoscope")


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExportError, match=r"an ONNX file needs the package onnx, .*: run pip install 'kanosc"):
        onnx_bytes(family_network("linear", torch.float64))
