"""Networks as bytes: safetensors with JSON metadata, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from kan_core.bases import basis_from
from kan_core.errors import CheckpointError, KanError
from kan_core.layer import UnivariateFunction
from kan_core.network import KAN, NetworkSpec
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction
from kan_core.symbolic.own_functions import describe_function, restore_function

FORMAT = "kanoscope-network-1"


def to_bytes(network: KAN) -> bytes:
    """Return the network as bytes that `from_bytes` reads back bit by bit."""
    metadata = {"format": FORMAT, "network": json.dumps(describe_network(network))}
    return save(network_tensors(network), metadata)


def from_bytes(data: bytes) -> KAN:
    """Return the network that `to_bytes` wrote; raises CheckpointError for anything else."""
    metadata = read_metadata(data)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"a checkpoint has the format {FORMAT!r}, received format={metadata.get('format')!r}: save it again with "
            "this version"
        )
    try:
        return rebuild_network(json.loads(metadata["network"]), load(data))
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint does not describe a network: {error}") from error


def read_metadata(data: bytes) -> dict[str, str]:
    """Return the metadata in the header of safetensors bytes; raises CheckpointError when there is none."""
    try:
        size = int.from_bytes(data[:8], "little")
        header: Any = json.loads(data[8 : 8 + size])
        metadata: dict[str, str] = header["__metadata__"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError("these bytes are not a checkpoint: its header is missing or damaged") from error
    return metadata


def network_tensors(network: KAN, *, prefix: str = "") -> dict[str, Tensor]:
    """Return the network's tensors by name, each name beginning with `prefix`."""
    return {prefix + name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()}


def describe_network(network: KAN) -> dict[str, Any]:
    """Return what the tensors do not say, ready for JSON: spec, dtype, bases and the functions of symbolic edges."""
    return {
        "spec": asdict(network.spec),
        "dtype": str(network.dtype).removeprefix("torch."),
        "bases": [[basis.settings() for basis in layer.bases] for layer in network.layers],
        "functions": [
            [index, target, source, function.name, *_described(function)]
            for index, layer in enumerate(network.layers)
            for (target, source), function in sorted(layer.functions.items())
        ],
    }


def _described(function: UnivariateFunction) -> list[dict[str, Any]]:
    """Return what to write of a function beside its name: nothing unless it is a person's own."""
    if isinstance(function, SymbolicFunction) and function.expression:
        return [describe_function(function)]
    return []


def rebuild_network(description: Mapping[str, Any], tensors: Mapping[str, Tensor], *, prefix: str = "") -> KAN:
    """Return the network of a description and its tensors; raises CheckpointError when they do not belong together."""
    dtype = {"float32": torch.float32, "float64": torch.float64}[description["dtype"]]
    try:
        fields: dict[str, Any] = description["spec"]
        spec = NetworkSpec(**fields)
    except KanError as error:
        raise CheckpointError(f"the checkpoint's network is out of bounds: {error}") from error
    network = KAN(spec, dtype=dtype)
    for layer, described in zip(network.layers, description.get("bases", []), strict=False):
        layer.bases = tuple(basis_from(settings) for settings in described)
        layer.coefficients = torch.nn.Parameter(torch.zeros(*layer.family.shape, layer.num_functions, dtype=dtype))
    for index, target, source, name, *own in description["functions"]:
        network.layers[index].functions[target, source] = restore_function(own[0]) if own else FUNCTIONS[name]
    mine = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    for index, layer in enumerate(network.layers):
        # checkpoints from before families could be mixed
        mine.setdefault(f"_layers.{index}.family", layer.family)
    network.load_state_dict(mine)
    return network
