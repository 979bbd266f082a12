"""Networks as bytes: safetensors with JSON metadata, never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from kan_core.bases import Basis, basis_from, parts_of
from kan_core.errors import CheckpointError, KanError
from kan_core.layer import KANLayer, UnivariateFunction
from kan_core.network import KAN, EdgeId, NetworkSpec
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction
from kan_core.symbolic.own_functions import describe_function, restore_function

FORMAT = "kanoscope-network-1"


def to_bytes(network: KAN) -> bytes:
    """Return the network as bytes that `from_bytes` reads back bit by bit."""
    text = json.dumps(describe_network(network))
    return save(network_tensors(network), {"format": FORMAT, "network": text, "digest": _digest(text)})


def from_bytes(data: bytes) -> KAN:
    """Return the network that `to_bytes` wrote; raises CheckpointError for anything else."""
    metadata = read_metadata(data)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"a checkpoint has the format {FORMAT!r}, received format={metadata.get('format')!r}: save it again with "
            "this version"
        )
    try:
        text, tensors = metadata["network"], load(data)
        description = json.loads(text)
    except (KeyError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint does not describe a network: {error}") from error
    # those of earlier versions have none
    if metadata.get("digest", _digest(text)) != _digest(text):
        raise CheckpointError("the checkpoint's description is not the one it was saved with: use another copy of it")
    return rebuild_network(description, tensors)


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
    try:
        return _rebuild(description, tensors, prefix)
    except CheckpointError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint does not describe a network: {error}") from error


def _rebuild(description: Mapping[str, Any], tensors: Mapping[str, Tensor], prefix: str) -> KAN:
    dtype = {"float32": torch.float32, "float64": torch.float64}[description["dtype"]]
    try:
        fields: dict[str, Any] = description["spec"]
        spec = NetworkSpec(**fields)
    except KanError as error:
        raise CheckpointError(f"the checkpoint's network is out of bounds: {error}") from error
    network = KAN(spec, dtype=dtype)
    # checkpoints from before families could be mixed have none
    if "bases" in description:
        for layer, described in zip(network.layers, description["bases"], strict=True):
            _set_bases(layer, [basis_from(settings) for settings in described])
    for index, target, source, name, *own in description["functions"]:
        layer = network.check_edge(EdgeId(layer=index, source=source, target=target))
        layer.functions[target, source] = restore_function(own[0]) if own else FUNCTIONS[name]
    mine = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    for index, layer in enumerate(network.layers):
        # checkpoints from before families could be mixed
        mine.setdefault(f"_layers.{index}.family", layer.family)
        # and from before factors without edges could be anything but 1
        mine.setdefault(f"_layers.{index}.lone", layer.lone)
        # and from before single constants could be held
        mine.setdefault(f"_layers.{index}.held", layer.held)
    network.load_state_dict(mine)
    for layer in network.layers:
        _check_masks(layer)
    return network


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _set_bases(layer: KANLayer, bases: list[Basis]) -> None:
    """Put a layer's sources on `bases`, its coefficients 0, in place."""
    if len(bases) != layer.num_sources or len({_outline(basis) for basis in bases}) != 1:
        raise CheckpointError(
            f"a layer has one basis for each of {layer.num_sources} sources, all of the same families and sizes, "
            f"received {len(bases)}: {', '.join(basis.title for basis in bases) or 'none'}"
        )
    layer.bases = tuple(bases)
    layer.coefficients = torch.nn.Parameter(
        torch.zeros(*layer.family.shape, layer.num_functions, dtype=layer.low.dtype)
    )


def _outline(basis: Basis) -> tuple[tuple[str, int], ...]:
    """Return names and sizes of a basis' families, what the sources of a layer have in common."""
    return tuple((part.name, part.num_functions) for part in parts_of(basis))


def _check_masks(layer: KANLayer) -> None:
    """Raise CheckpointError unless every edge uses a family that there is and has a function if it is symbolic."""
    num_families = len(parts_of(layer.bases[0]))
    if not bool(((layer.family >= 0) & (layer.family < num_families)).all()):
        raise CheckpointError(
            f"an edge uses one of its layer's {num_families} families, counted from 0, received "
            f"family={layer.family.tolist()}"
        )
    wanted = {(target, source) for target, source in layer.symbolic.nonzero().tolist()}
    if wanted != set(layer.functions):
        raise CheckpointError(
            f"symbolic edges, and no others, have a function, received functions of {sorted(layer.functions)} for "
            f"symbolic edges (target, source) {sorted(wanted)}"
        )
