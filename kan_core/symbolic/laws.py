"""Networks of formulas alone, and which of them are worth showing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kan_core.accuracy import measure_rmse
from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_function
from kan_core.symbolic.fine_tuning import parabola_basis
from kan_core.symbolic.library import Shape

# of two laws whose errors differ by less than this share the simpler one is as good
AS_GOOD = 0.01
# errors below this share of the worst law's are rounding, and equally good
ROUNDING = 1e-14
# a slope this near to 1 and a shift this near to 0 are none
PASSING = 1e-12
# of other functions, a share of their variance that a parabola may leave for them to be no more than one
PARABOLA = 1e-4
NUM_POINTS = 33


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

    Edges that give what they get are free. A function of which no more than a parabola is used counts 1 more: that it
    is this function is nothing that the data say.
    """
    symbolic = [edge for edge in network.edges() if network.kind(edge) == "symbolic" and not is_passing(network, edge)]
    functions = sum(edge_function(network, edge).complexity + is_nearly_parabola(network, edge) for edge in symbolic)
    products = 0
    for layer in network.layers:
        reached = (~layer.pruned).any(dim=1)[layer.first_factor :]
        products += int((reached[::2] & reached[1::2]).sum())
    return functions + products


def is_passing(network: KAN, edge: EdgeId) -> bool:
    """Return whether a symbolic edge gives what it gets, in original units and to rounding."""
    name, a, b, c, d = edge_form(network, edge)
    return name == "x" and abs(a * c - 1.0) < PASSING and abs(c * b + d) < PASSING


def is_nearly_parabola(network: KAN, edge: EdgeId) -> bool:
    """Return whether a symbolic edge's function, curved and no power, is one on its node's range but for a trace."""
    function, layer = edge_function(network, edge), network.check_edge(edge)
    if function.shape in (Shape.LINEAR, Shape.POWER) or function.complexity == 0:
        return False
    a, b, _, _ = layer.constants[edge.target, edge.source].detach().double().tolist()
    unit = np.linspace(-1.0, 1.0, NUM_POINTS)
    low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    with np.errstate(all="ignore"):
        values, _ = function.value_and_derivative(a * ((low + high) / 2 + (high - low) / 2 * unit) + b)
    deviations = values - values.mean()
    power = float(deviations @ deviations)
    if not math.isfinite(power) or power == 0.0:
        return False
    basis = parabola_basis(unit)
    left = deviations - basis.T @ (basis @ deviations)
    return float(left @ left) < PARABOLA * power


def pareto_front(laws: Iterable[Law]) -> list[Law]:
    """Return the laws than which none simpler is as good, simplest first; held-out errors judge."""
    front: list[Law] = []
    finite = [law for law in laws if math.isfinite(law.test_rmse)]
    rounding = ROUNDING * max((law.test_rmse for law in finite), default=0.0)
    for law in sorted(finite, key=lambda one: (one.complexity, one.test_rmse)):
        best = front[-1].test_rmse if front else math.inf
        if best > rounding and law.test_rmse < (1.0 - AS_GOOD) * best:
            front.append(law)
    return front
