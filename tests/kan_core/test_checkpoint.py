"""Checkpoints that do not describe a network are refused, whatever is wrong with them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from kan_core import KAN, Candidate, EdgeId, NetworkSpec, fix_symbolic, swap_basis
from kan_core.checkpoint import describe_network, from_bytes, network_tensors, read_metadata, rebuild_network, to_bytes
from kan_core.errors import CheckpointError

SINE = Candidate(function="sin", a=1.0, b=0.1, c=0.5, d=0.2, r2=1.0, complexity=1, score=0.0)


def make_network() -> KAN:
    """Return a [2, 3, 1] with a formula on 0.0.1 and a Gaussian curve on 0.1.2."""
    network = KAN(NetworkSpec(widths=(2, 3, 1)), dtype=torch.float64)
    network = swap_basis(network, EdgeId(layer=0, source=1, target=2), "gaussian")
    return fix_symbolic(network, EdgeId(layer=0, source=0, target=1), SINE)


Description = dict[str, Any]


def set_function(*function: object) -> Callable[[Description], None]:
    return lambda description: description["functions"].__setitem__(0, list(function))


def set_layer_bases(bases: list[Any]) -> Callable[[Description], None]:
    return lambda description: description["bases"].__setitem__(0, bases)


def set_second_basis(settings: dict[str, Any]) -> Callable[[Description], None]:
    return lambda description: description["bases"][0].__setitem__(1, settings)


GAUSSIAN = {"name": "gaussian", "grid_size": 5}
BSPLINE = {"name": "bspline", "grid_size": 5, "order": 3}

DESCRIPTIONS: dict[str, tuple[Callable[[Description], object], str]] = {
    "a function of no layer": (set_function(7, 1, 0, "sin"), "edge lies within widths=.* received edge=7.0.1"),
    "a function of a negative layer": (set_function(-1, 1, 0, "sin"), "edge lies within widths="),
    "a function of no target": (set_function(0, 9, 0, "sin"), "edge lies within widths=.* received edge=0.0.9"),
    "a function of a layer by name": (set_function("a", 1, 0, "sin"), "does not describe a network"),
    "a function of no name": (set_function(0, 1, 0, "wave"), "does not describe a network: 'wave'"),
    "a function of three": (set_function(0, 1, 0), "does not describe a network: not enough values"),
    "a function of a curve": (set_function(0, 2, 0, "sin"), r"received functions of \[\(2, 0\)\] for .* \[\(1, 0\)\]"),
    "no functions": (lambda description: description.pop("functions"), "does not describe a network: 'functions'"),
    "functions are a number": (lambda description: description.update(functions=3), "does not describe a network"),
    "no bases in a layer": (set_layer_bases([]), "one basis for each of 2 sources, .* received 0: none"),
    "too few bases": (set_layer_bases([BSPLINE]), "one basis for each of 2 sources, .* received 1: B-splines"),
    "too few layers": (lambda description: description["bases"].pop(), "does not describe a network"),
    "bases are a number": (lambda description: description.update(bases=3), "does not describe a network"),
    "a basis of another family": (
        set_second_basis({"name": "mixed", "parts": [GAUSSIAN, BSPLINE]}),
        "of the same families and sizes, received 2: Several families, Several families",
    ),
    "a basis of another size": (
        set_second_basis({"name": "mixed", "parts": [BSPLINE, {**GAUSSIAN, "grid_size": 6}]}),
        "of the same families and sizes",
    ),
    "a basis without a name": (set_second_basis({}), "does not describe a network: 'name'"),
    "a mixture of nothing": (
        set_layer_bases([{"name": "mixed", "parts": []}] * 2),
        "edge uses one of its layer's 0 families|does not describe a network",
    ),
    "a spec out of bounds": (lambda description: description["spec"].update(widths=[2]), "widths has at least 2"),
    "a spec of other fields": (lambda description: description["spec"].update(depth=2), "does not describe a network"),
    "another dtype": (
        lambda description: description.update(dtype="float16"),
        "does not describe a network: 'float16'",
    ),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_wrong_description_is_refused(name: str) -> None:
    change, message = DESCRIPTIONS[name]
    network = make_network()
    description = copy.deepcopy(describe_network(network))
    change(description)
    with pytest.raises(CheckpointError, match=message):
        rebuild_network(description, network_tensors(network))


@pytest.mark.parametrize("family", [7, 2, -1])
def test_an_edge_of_no_family_is_refused(family: int) -> None:
    network = make_network()
    network.layers[0].family[0, 0] = family
    with pytest.raises(CheckpointError, match=rf"one of its layer's 2 families, .* received family=\[\[{family}, 0\]"):
        from_bytes(to_bytes(network))


def test_a_description_changed_after_saving_is_refused() -> None:
    network = KAN(NetworkSpec(widths=(2, 1)), dtype=torch.float64)
    data = to_bytes(network)
    metadata = read_metadata(data)
    description = json.loads(metadata["network"])
    # as many functions as the B-splines, so that all shapes fit
    description["bases"][0] = [GAUSSIAN, GAUSSIAN]
    changed = save(load(data), {**metadata, "network": json.dumps(description)})
    with pytest.raises(CheckpointError, match="not the one it was saved with: use another copy"):
        from_bytes(changed)


def test_a_checkpoint_without_bases_families_and_digest_is_read() -> None:
    network = KAN(NetworkSpec(widths=(2, 1)), dtype=torch.float64)
    description = describe_network(network)
    del description["bases"]
    tensors = {name: one for name, one in network_tensors(network).items() if not name.endswith(".family")}
    old = save(tensors, {"format": "kanoscope-network-1", "network": json.dumps(description)})
    inputs = torch.rand(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(from_bytes(old)(inputs), network(inputs), rtol=0, atol=0)
