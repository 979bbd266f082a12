"""A perceptron as a file of Python that needs nothing but torch, and as an ONNX file; numbers are float64 in full.

Shape legend: B samples, n units of a layer, Q nodes of a quadrature.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from torch import Tensor

from kan_core.activations import LEAK
from kan_core.export import check_names
from kan_core.formula import column_names
from kan_core.mlp import MLP
from kan_core.onnx_export import begin_graph, finish_model
from kan_core.onnx_graph import Array
from kan_core.torch_source import SCALINGS, head_source, predict_source, scaling_lines

_MODULES: Mapping[str, str] = MappingProxyType(
    {
        "relu": "nn.ReLU()",
        "leaky_relu": f"nn.LeakyReLU({LEAK!r})",
        "gelu": "nn.GELU()",
        "silu": "nn.SiLU()",
        "tanh": "nn.Tanh()",
        "sigmoid": "nn.Sigmoid()",
    }
)
_AFFINE = '''

def affine(weights, biases):
    """Return the linear layer of these weights, a row for each unit, and biases."""
    layer = nn.Linear(len(weights[0]), len(weights), dtype=torch.float64)
    layer.weight = nn.Parameter(numbers(weights))
    layer.bias = nn.Parameter(numbers(biases))
    return layer
'''
# beyond it the error function is 1 to all digits of a float64, and up to it so many nodes integrate it to all of them
ERF_END = 6.0
ERF_NODES = 32


def mlp_torch_source(mlp: MLP, *, input_names: Sequence[str], output_names: Sequence[str] | None = None) -> str:
    """Return a Python file with the torch module `Network` and `predict(...)`, as `pytorch_source` writes of a KAN.

    The layers are torch's own, in an `nn.Sequential`. Raises ExportError when there are not as many names as columns.
    """
    widths = mlp.spec.widths
    reserved = {"torch", "nn", "numbers", "network", "predict", "affine", "Network", *dir(builtins)}
    arguments = check_names(input_names, widths[0], reserved=reserved)
    outputs = column_names(output_names, widths[-1], "output_names", "y")
    head = head_source("multilayer perceptron", "Weights and biases", input_names, outputs)
    return "\n".join([head, _AFFINE, _network(mlp), predict_source(arguments, len(outputs))])


def _network(mlp: MLP) -> str:
    layers = [f"affine({_list(layer.weight)}, {_list(layer.bias)})" for layer in mlp.layers]
    parts = [layers[0]]
    for name, layer in zip(mlp.spec.activations, layers[1:], strict=True):
        parts += [_MODULES[name], layer]
    if mlp.spec.output_tanh:
        parts.append(_MODULES["tanh"])
    return "\n".join(
        [
            "\nclass Network(nn.Module):",
            '    """The perceptron, between the scalings of its inputs and its outputs."""',
            "",
            "    def __init__(self):",
            "        super().__init__()",
            *scaling_lines(mlp),
            "        self.layers = nn.Sequential(",
            *[f"            {part}," for part in parts],
            "        )",
            "",
            "    def forward(self, x):",
            "        z = (x - self.input_shift) / self.input_scale",
            "        return self.output_shift + self.output_scale * self.layers(z)",
        ]
    )


def _list(parameter: Tensor) -> str:
    return repr(parameter.detach().double().tolist())


def mlp_onnx_bytes(
    mlp: MLP,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dtype: str = "float64",
) -> bytes:
    """Return an ONNX model from `inputs` (B, I) to `outputs` (B, O), as `onnx_bytes` writes of a KAN.

    Raises ExportError when the package onnx is not installed or the names or the dtype do not fit.
    """
    widths = mlp.spec.widths
    inputs = column_names(input_names, widths[0], "input_names", "x")
    outputs = column_names(output_names, widths[-1], "output_names", "y")
    graph = begin_graph(dtype)
    scaling = {name: mlp.get_buffer(name).numpy() for name in SCALINGS}
    nodes = (Array(graph, "inputs") - scaling["input_shift"]) / scaling["input_scale"]
    for layer, name in zip(mlp.layers, (*mlp.spec.activations, None), strict=True):
        sums = nodes.times_matrix(layer.weight.detach().numpy().T) + layer.bias.detach().numpy()
        nodes = sums if name is None else _ACTIVATIONS[name](sums, layer.out_features)
    nodes = nodes.apply("tanh") if mlp.spec.output_tanh else nodes
    return finish_model(graph, "mlp", nodes * scaling["output_scale"] + scaling["output_shift"], inputs, outputs)


def _sigmoid(z: Array) -> Array:
    return z.graph.add("Sigmoid", z.name)


def _gelu(z: Array, units: int) -> Array:
    """Return z Φ(z) of the sums z (B, n).

    The common runtime has no error function for float64, so that it is integrated: with the nodes t_q and weights w_q
    of Gauss and Legendre on [0, 1], erf x = 2 x / sqrt(pi) Σ_q w_q exp(-(t_q x)²).
    """
    roots, weights = np.polynomial.legendre.leggauss(ERF_NODES)
    argument = (z * math.sqrt(0.5)).within(-ERF_END, ERF_END)
    places = argument.reshaped(-1, units, 1) * (0.5 * roots + 0.5)
    bells = (places * places * -1.0).apply("exp")
    integral = bells.times_matrix(weights[:, np.newaxis] / math.sqrt(math.pi)).reshaped(-1, units)
    return z * (argument * integral + 1.0) * 0.5


# what σ makes of the sums (B, n) of so many units
_ACTIVATIONS: Mapping[str, Callable[[Array, int], Array]] = MappingProxyType(
    {
        "relu": lambda z, _: z.at_least(0.0),
        "leaky_relu": lambda z, _: z.at_least(0.0) + z.at_most(0.0) * LEAK,
        "gelu": _gelu,
        "silu": lambda z, _: z * _sigmoid(z),
        "tanh": lambda z, _: z.apply("tanh"),
        "sigmoid": lambda z, _: _sigmoid(z),
    }
)
