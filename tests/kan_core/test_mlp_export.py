"""Files of perceptrons, run beside the perceptron."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import MLP, Dataset, MLPSpec
from kan_core.activations import ACTIVATIONS
from kan_core.errors import ExportError
from kan_core.mlp_export import mlp_onnx_bytes, mlp_torch_source
from tests.kan_core.networks_for_tests import AWKWARD_NAMES, shifted_dataset

DATA = shifted_dataset()
# beyond the data too, where sums become large
INPUTS = torch.cat([DATA.test_inputs, 40.0 * DATA.test_inputs - 200.0])
NAMES = st.lists(st.sampled_from(AWKWARD_NAMES), min_size=2, max_size=2, unique=True)


def make_mlp(
    *, activation: str | tuple[str, ...], output_tanh: bool = False, num_outputs: int = 1, seed: int = 0
) -> MLP:
    targets = DATA.train_targets.repeat(1, num_outputs)
    data = Dataset(
        train_inputs=DATA.train_inputs, train_targets=targets, test_inputs=DATA.train_inputs, test_targets=targets
    )
    spec = MLPSpec(widths=(2, 5, 4, num_outputs), activation=activation, output_tanh=output_tanh)
    mlp = MLP(spec, generator=torch.Generator().manual_seed(seed), dataset=data)
    with torch.no_grad():
        for layer in mlp.layers:
            layer.weight.mul_(4.0)
    return mlp


def run_source(source: str) -> dict[str, Any]:
    module: dict[str, Any] = {}
    exec(source, module)
    return module


def run_model(model: bytes, inputs: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {"inputs": inputs.numpy()})
    return np.asarray(outputs)


@pytest.mark.parametrize("output_tanh", [False, True])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, ("relu", "gelu")])
def test_every_activation_computes_what_the_perceptron_computes(
    activation: str | tuple[str, ...], output_tanh: bool
) -> None:
    mlp = make_mlp(activation=activation, output_tanh=output_tanh)
    expected = mlp(INPUTS).detach()
    module = run_source(mlp_torch_source(mlp, input_names=["a", "b"]))
    assert torch.equal(module["network"](INPUTS), expected)
    assert torch.equal(module["predict"](*INPUTS.T), expected[:, 0])
    assert sum(one.numel() for one in module["network"].parameters()) == mlp.spec.num_parameters
    outputs = run_model(mlp_onnx_bytes(mlp), INPUTS)
    np.testing.assert_allclose(outputs, expected.numpy(), rtol=1e-12, atol=1e-13 * float(expected.abs().max()))
    single = run_model(mlp_onnx_bytes(mlp, dtype="float32"), INPUTS.float())
    np.testing.assert_allclose(single, expected.numpy(), rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.slow
@given(names=NAMES, seed=st.integers(0, 10_000), num_outputs=st.integers(1, 3))
def test_the_torch_file_takes_any_names_and_outputs(names: list[str], seed: int, num_outputs: int) -> None:
    mlp = make_mlp(activation="silu", num_outputs=num_outputs, seed=seed)
    targets = [f"y{index}" for index in range(num_outputs)]
    module = run_source(mlp_torch_source(mlp, input_names=names, output_names=targets))
    assert (module["INPUT_NAMES"], module["OUTPUT_NAMES"]) == (names, targets)
    columns = module["predict"](*INPUTS.T)
    columns = (columns,) if num_outputs == 1 else columns
    assert torch.equal(torch.stack(columns, dim=1), mlp(INPUTS).detach())


def test_the_torch_module_can_be_trained_on() -> None:
    mlp = make_mlp(activation="tanh")
    model = run_source(mlp_torch_source(mlp, input_names=["a", "b"]))["Network"]()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses: list[float] = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = (model(DATA.train_inputs) - DATA.train_targets).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert model(INPUTS.reshape(4, -1, 2)).shape == (4, len(INPUTS) // 4, 1)


def test_names_stand_in_the_onnx_file() -> None:
    model = onnx.load_from_string(mlp_onnx_bytes(make_mlp(activation="gelu"), input_names=["Größe", "b"]))
    properties = {one.key: json.loads(one.value) for one in model.metadata_props}
    assert properties == {"input_names": ["Größe", "b"], "output_names": ["y"]}


def test_what_does_not_fit_is_refused() -> None:
    mlp = make_mlp(activation="relu")
    with pytest.raises(ExportError, match=r"a name for each of 2 inputs, received \('a',\): name every input"):
        mlp_torch_source(mlp, input_names=["a"])
    with pytest.raises(ExportError, match="dtype is one of float32, float64, received dtype='float16'"):
        mlp_onnx_bytes(mlp, dtype="float16")
