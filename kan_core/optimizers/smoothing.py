"""A weak wish for smooth curves, which decides where the data do not.

Shape legend: E edges, S rows of sums, I sources, K basis functions, P free parameters.

A coefficient that no sample reaches, or only the tail of one, costs nothing wherever it goes: least squares then makes
curves that are fine between the samples and hundreds tall just beyond them, in the margins of hidden ranges above all,
where test samples do arrive. The squared third differences of every curve on an even grid settle such coefficients
(P. H. C. Eilers and B. D. Marx, Flexible smoothing with B-splines and penalties, Statistical Science 11, 1996) and,
weighed by what one sample counts, leave the others to the data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from kan_core.bases import Basis
from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.caches import keep_bytes
from kan_core.layer import KANLayer
from kan_core.network import KAN
from kan_core.optimizers.flat_parameters import FlatParameters
from kan_core.optimizers.objective import NetworkObjective, Quadratic

# smaller lets a refined curve bend less, larger lets it follow the few samples at the ends of hidden ranges
FREEDOM = 0.3
RESIDUAL_FREEDOM = 3.0
MAX_KEPT_BYTES = 32 * 2**20


class SmoothedObjective:
    """A network's objective plus a weight, at first 0, times the roughness of its free curves.

    `weigh` makes it the weight of a Gaussian prior on each third difference against Gaussian noise as large as the
    present residuals are: where residuals shrink to nothing, so does the wish. `widths` (S, I) of each layer are the
    priors' standard deviations, 1 when left out.
    """

    def __init__(
        self, objective: NetworkObjective, *, num_residuals: int, widths: Sequence[FloatArray] | None = None
    ) -> None:
        self.data = objective
        self.weight = 0.0
        self._num_residuals = num_residuals
        flat = FlatParameters(objective.network.copy())
        self._curves: list[tuple[IndexArray, FloatArray, FloatArray]] = []
        for index, layer in enumerate(objective.network.layers):
            columns = flat.parts[index].weights_in(flat.columns)
            priors = np.ones(columns[:, 0].shape) if widths is None else widths[index]
            for basis, edges in _edges_by_basis(layer).items():
                live = [(s, i, part) for s, i, part in edges if columns[s, part.start, i] >= 0]
                if live:
                    chosen = np.array([columns[s, part, i] for s, i, part in live])
                    precisions = np.array([priors[s, i] ** -2.0 for s, i, _ in live])
                    self._curves.append((chosen, roughness(basis), precisions))

    @property
    def parameters(self) -> FloatArray:
        """A copy of the free parameters (P,)."""
        return self.data.parameters

    def weigh(self) -> None:
        """Set the weight to one residual's share of what the present parameters leave unexplained."""
        # a cross-entropy is a logarithm of probabilities already, with nothing to measure it by
        unexplained = 1.0 if self.data.task == "classification" else self.data.loss(self.data.parameters)
        self.weight = unexplained / self._num_residuals

    def loss(self, parameters: FloatArray) -> float:
        """Return the value at `parameters` (P,), which become the present ones."""
        return self.data.loss(parameters) + self._roughness(parameters)[0]

    def loss_and_gradient(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """Return the value and the gradient (P,) at `parameters`, which become the present ones."""
        loss, gradient = self.data.loss_and_gradient(parameters)
        value, slope = self._roughness(parameters)
        return loss + value, gradient + slope

    def models(self, parameters: FloatArray) -> Iterator[Quadratic]:
        """Yield the objective's models with the roughness added, which is quadratic as it stands."""
        value, slope = self._roughness(parameters)
        for model in self.data.models(parameters):
            curvature = model.curvature
            for columns, matrix, precisions in self._curves:
                scaled = (2.0 * self.weight) * precisions[:, None, None] * matrix
                curvature[columns[:, :, None], columns[:, None, :]] += scaled
            yield Quadratic(model.loss + value, model.gradient + slope, curvature)

    def _roughness(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """Return the weighted roughness and its gradient (P,)."""
        value, gradient = 0.0, np.zeros_like(parameters)
        for columns, matrix, precisions in self._curves:
            coefficients = parameters[columns]
            slope = (self.weight * precisions[:, None]) * (coefficients @ matrix)
            value += float((slope * coefficients).sum())
            gradient[columns] = 2.0 * slope
        return value, gradient


def curve_widths(network: KAN, *, loss: float) -> list[FloatArray]:
    """Return widths (S, I) for the priors of every layer's curves, after a refinement of a network with `loss`.

    A finer curve is to be as smooth as the one that it comes from: `FREEDOM` of that one's root mean square third
    difference. It may also bend as much as takes away what is left to explain, since a grid too coarse for the waves
    in the data makes curves smoother than they should be; and always by a third derivative of 1 over the domain.
    """
    widths: list[FloatArray] = []
    for layer in network.layers:
        all_coefficients = layer.coefficients.detach().double().numpy()
        found: FloatArray = np.empty(layer.family.shape)
        for basis, edges in _edges_by_basis(layer).items():
            for s, i, part in edges:
                coefficients = all_coefficients[s, i, part]
                square = float(coefficients @ roughness(basis) @ coefficients) / len(coefficients)
                least = (2.0 / len(coefficients)) ** 6 + RESIDUAL_FREEDOM**2 * loss
                found[s, i] = math.sqrt(FREEDOM**2 * max(square, 0.0) + least)
        widths.append(found)
    return widths


def _edges_by_basis(layer: KANLayer) -> dict[Basis, list[tuple[int, int, slice]]]:
    """Return the edges (row, source, where their coefficients stand) of every basis in a layer."""
    found: dict[Basis, list[tuple[int, int, slice]]] = {}
    for target in range(layer.num_targets):
        for source in range(layer.num_sources):
            basis, part = layer.edge_basis(target, source)
            found.setdefault(basis, []).append((target, source, part))
    return found


@keep_bytes(MAX_KEPT_BYTES)
def roughness(basis: Basis) -> FloatArray:
    """Return the matrix (K, K) whose quadratic form is a curve's squared third differences, summed over K steps.

    A step is the domain's K-th part. Parabolas have no roughness.
    """
    num_points = 2 * basis.num_functions + 1
    values = basis.values(torch.linspace(-1.0, 1.0, num_points, dtype=torch.float64)).numpy()
    # differences over half a step, so times 8 and twice as many
    differences = 8.0 * np.diff(values, n=3, axis=0)
    return 0.5 * differences.T @ differences
