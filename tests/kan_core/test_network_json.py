"""Networks in JSON: checked against the schema, read back, and evaluated by the schema's words alone."""

from __future__ import annotations

import json
from contextlib import nullcontext
from importlib.resources import files
from typing import Any

import jsonschema
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import network_formula
from kan_core.bases import make_basis
from kan_core.errors import CheckpointError
from kan_core.formula_display import curve_values, evaluate
from kan_core.network_json import network_from_json, network_json
from tests.kan_core.networks_for_tests import (
    AWKWARD_NAMES,
    assert_equal_to,
    random_network,
    shifted_dataset,
    values_of,
)

DATA = shifted_dataset()
INPUTS = DATA.test_inputs
SCHEMA = json.loads((files("kan_core") / "network.schema.json").read_text())
SEEDS = st.integers(0, 10_000)
NAMES = st.lists(st.sampled_from(AWKWARD_NAMES), min_size=3, max_size=3, unique=True)


@pytest.mark.slow
@given(seed=SEEDS, names=NAMES, double=st.booleans())
def test_what_is_written_fits_the_schema_and_is_read_back_bit_by_bit(seed: int, names: list[str], double: bool) -> None:
    dtype = torch.float64 if double else torch.float32
    network = random_network(seed, data=DATA, dtype=dtype)
    text = network_json(network, input_names=names[:2], output_names=names[2:])
    jsonschema.validate(json.loads(text), SCHEMA)
    again, inputs, outputs = network_from_json(text)
    assert (list(inputs), list(outputs)) == (names[:2], names[2:])
    assert (again.spec, again.dtype) == (network.spec, dtype)
    inputs_again = INPUTS.to(dtype)
    np.testing.assert_array_equal(values_of(again, inputs_again), values_of(network, inputs_again))
    assert network_json(again, input_names=names[:2], output_names=names[2:]) == text


def by_the_words(document: Any, inputs: np.ndarray) -> np.ndarray:
    """Return the first output by what the schema says, for curves within their range and closed formulas."""
    nodes = [(inputs[:, k] - one["shift"]) / one["scale"] for k, one in enumerate(document["inputs"])]
    for layer in document["layers"]:
        rows: dict[int, np.ndarray] = {}
        for edge in layer["edges"]:
            if edge["is_cut"]:
                continue
            z, source = nodes[edge["source"]], layer["sources"][edge["source"]]
            if edge["kind"] == "formula":
                low, high = edge["domain"]
                k = edge["constants"]
                f = sp.lambdify(sp.Symbol("t"), sp.sympify(edge["expression"]))
                value = k["c"] * f(np.clip(k["a"] * z + k["b"], low, high)) + k["d"] + 0.0 * z
            else:
                u = (2 * z - (source["low"] + source["high"])) / (source["high"] - source["low"])
                functions = make_basis(**source["bases"][edge["basis"]]).values(torch.from_numpy(u)).numpy()
                base = {"silu": z / (1 + np.exp(-z)), "identity": z, "none": 0.0 * z}[document["settings"]["base"]]
                value = functions @ np.array(edge["coefficients"]) + edge["base_weight"] * base
            rows[edge["row"]] = rows.get(edge["row"], 0.0 * z) + value
        for row, number in enumerate(layer["lone"]):
            # a node that adds and has no edges is 0
            is_factor = any(row in node["rows"] and len(node["rows"]) == 2 for node in layer["nodes"])
            rows.setdefault(row, 0.0 * nodes[0] + (number if is_factor else 0.0))
        nodes = [
            rows[node["rows"][0]] if len(node["rows"]) == 1 else rows[node["rows"][0]] * rows[node["rows"][1]]
            for node in layer["nodes"]
        ]
    output = document["outputs"][0]
    return output["shift"] + output["scale"] * nodes[0]


@pytest.mark.slow
@given(seed=SEEDS)
def test_the_schemas_words_are_enough_to_evaluate_it(seed: int) -> None:
    network = random_network(seed, data=DATA)
    document = json.loads(network_json(network))
    assert_equal_to(network, INPUTS, by_the_words(document, INPUTS.numpy()))


@pytest.mark.slow
@given(seed=SEEDS, names=NAMES)
def test_the_formula_in_it_is_the_networks(seed: int, names: list[str]) -> None:
    network = random_network(seed, data=DATA)
    formula = network_formula(network, input_names=names[:2], output_names=names[2:])
    written = json.loads(network_json(network, input_names=names[:2], output_names=names[2:], formula=formula))[
        "formula"
    ]
    expression: Any = sp.sympify(written["expressions"][names[2]])
    symbols = [next(key for key, name in written["symbols"].items() if name == wanted) for wanted in names[:2]]
    values = evaluate(expression, [sp.Symbol(one) for one in symbols], list(INPUTS.numpy().T), curve_values(network))
    assert_equal_to(network, INPUTS, values)


def test_what_is_no_network_is_refused_in_one_sentence() -> None:
    good = json.loads(network_json(random_network(1, data=DATA)))
    for bad in ("", "[]", "{}", json.dumps({**good, "format": "kanoscope-json-9"})):
        with pytest.raises(CheckpointError):
            network_from_json(bad)
    for key in good:
        with pytest.raises(CheckpointError) if key != "formula" else nullcontext():
            network_from_json(json.dumps({k: v for k, v in good.items() if k != key}))
    edges = good["layers"][0]["edges"]
    index = next(k for k, edge in enumerate(edges) if edge["kind"] == "formula")
    edges[index]["function"] = "sinc"
    with pytest.raises(CheckpointError, match="a formula names a built-in function or brings its own, received fun"):
        network_from_json(json.dumps(good))
