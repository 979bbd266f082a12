"""Networks of formulas alone, and which of them are worth showing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from kan_core.accuracy import measure_rmse
from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_function

# of two laws whose errors differ by less than this share the simpler one is as good
AS_GOOD = 0.01
# a slope this near to 1 and a shift this near to 0 are none
PASSING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A network without curves, how complex its formula is, and its errors.

    `complexity` adds up those of the functions on its live edges, and 1 for each product. Errors are root mean squares
    in the units of the targets (of probabilities, for classification): on the samples that it was fitted to, and on
    samples that were held out.
    """

    network: KAN
    complexity: int
    train_rmse: float
    test_rmse: float


def make_law(network: KAN, dataset: Dataset) -> Law:
    """Return `network` with its complexity and its errors on the train and test samples of `dataset`."""
    return Law(
        network=network,
        complexity=complexity_of(network),
        train_rmse=measure_rmse(network, dataset.train_inputs, dataset.train_targets, dataset.task),
        test_rmse=measure_rmse(network, dataset.test_inputs, dataset.test_targets, dataset.task),
    )


def complexity_of(network: KAN) -> int:
    """Return the complexities of the functions on live symbolic edges together, and 1 for each product of two sums.

    Edges that give what they get are free.
    """
    symbolic = (edge for edge in network.edges() if network.kind(edge) == "symbolic")
    functions = sum(edge_function(network, edge).complexity for edge in symbolic if not is_passing(network, edge))
    products = 0
    for layer in network.layers:
        reached = (~layer.pruned).any(dim=1)[layer.first_factor :]
        products += int((reached[::2] & reached[1::2]).sum())
    return functions + products


def is_passing(network: KAN, edge: EdgeId) -> bool:
    """Return whether a symbolic edge gives what it gets, in original units and to rounding."""
    name, a, b, c, d = edge_form(network, edge)
    return name == "x" and abs(a * c - 1.0) < PASSING and abs(c * b + d) < PASSING


def pareto_front(laws: Iterable[Law]) -> list[Law]:
    """Return the laws than which none simpler is as good, simplest first; held-out errors judge."""
    front: list[Law] = []
    for law in sorted(laws, key=lambda one: (one.complexity, one.test_rmse)):
        if math.isfinite(law.test_rmse) and (not front or law.test_rmse < (1.0 - AS_GOOD) * front[-1].test_rmse):
            front.append(law)
    return front
