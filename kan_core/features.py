"""What the spline edges of a layer are linear in, at given inputs, and the products that training needs of it.

Shape legend: B samples, I sources, J targets, K basis functions, W window.

Features of a source are its K basis functions and b(x); `weights` (J, I, K + 1) are the coefficients, then w. Writing
all features out, the zeros between windows included, lets BLAS form the products, which is some times faster than
compiled loops over windows once several targets share the features; large grids and data stay with the windows.
"""

from __future__ import annotations

import numpy as np

from kan_core import kernels
from kan_core.bases import BasisRows
from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.layer import LayerRows

MIN_DENSE_TARGETS = 3
MAX_DENSE_FUNCTIONS = 48
MAX_DENSE_SIZE = 2_000_000
RIDGE = 1e-9


class LayerFeatures:
    """The features of one layer at B samples, from its `rows`; `num_functions` is K.

    `num_targets` is how many targets share them: J, or more when the features are kept for many products.
    """

    def __init__(self, rows: LayerRows, num_functions: int, num_targets: int) -> None:
        self.rows = rows
        self._num_targets = num_targets
        self._num_features = num_functions + 1
        self._dense: FloatArray | None = None
        num_samples, num_sources = rows.base.shape
        size = num_samples * num_sources * self._num_features
        is_shared = num_targets >= MIN_DENSE_TARGETS
        if is_shared and num_functions <= MAX_DENSE_FUNCTIONS and size <= MAX_DENSE_SIZE:
            dense = np.empty((num_samples, num_sources, self._num_features), dtype=rows.base.dtype)
            kernels.spread_windows(rows.basis.starts, rows.basis.values, rows.base, dense)
            self._dense = dense.reshape(num_samples, -1)

    def sums(self, weights: FloatArray) -> FloatArray:
        """Return Σ_i φ_ji(x_i), (B, J)."""
        num_targets = len(weights)
        if self._dense is not None:
            return self._dense @ weights.reshape(num_targets, -1).T
        rows = self.rows
        outputs = np.zeros((len(rows.base), num_targets), dtype=rows.base.dtype)
        kernels.contract(rows.basis.starts, rows.basis.values, rows.base, weights, outputs)
        return outputs

    def weight_gradient(self, deltas: FloatArray) -> FloatArray:
        """Return the loss' gradient with respect to the weights (J, I, K + 1), given that to the sums (B, J)."""
        num_targets, num_sources = deltas.shape[1], self.rows.base.shape[1]
        if self._dense is not None:
            return (deltas.T @ self._dense).reshape(num_targets, num_sources, self._num_features)
        rows = self.rows
        gradient = np.zeros((num_targets, num_sources, self._num_features), dtype=rows.base.dtype)
        kernels.contract_backward(rows.basis.starts, rows.basis.values, rows.base, deltas, gradient)
        return gradient

    def source_deltas(self, weights: FloatArray, deltas: FloatArray, scale: FloatArray) -> FloatArray:
        """Return the loss' gradient with respect to the inputs (B, I), given that to the sums (B, J).

        `scale` (I,) is du/dx.
        """
        rows = self.rows
        source_deltas = np.empty_like(rows.base)
        starts, slopes, base_slopes = rows.basis.starts, rows.basis.derivatives, rows.base_derivatives
        if self._dense is not None:
            pulls = (deltas @ weights.reshape(len(weights), -1)).reshape(*rows.base.shape, self._num_features)
            kernels.follow_windows(starts, slopes, base_slopes, pulls, scale, source_deltas)
        else:
            kernels.backpropagate(starts, slopes, base_slopes, weights, scale, deltas, source_deltas)
        return source_deltas

    def covariance(self) -> FloatArray:
        """Return the covariance over samples of each source's features, (I, K + 1, K + 1), float64.

        A little on the diagonal keeps it positive where rounding would not: some combinations of features do not vary.
        """
        rows, size = self.rows, self._num_features
        num_samples, num_sources = rows.base.shape
        sums = np.empty((num_sources, size))
        products = np.empty((num_sources, size, size))
        kernels.feature_moments(rows.basis.starts, rows.basis.values, rows.base, sums, products)
        means = sums / num_samples
        return products / num_samples - means[:, :, None] * means[:, None, :] + RIDGE * np.eye(size)

    def moments(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance over samples of every φ_ji, both (J, I), float64."""
        rows = self.rows
        means, variances = np.empty(weights.shape[:2]), np.empty(weights.shape[:2])
        kernels.edge_variances(rows.basis.starts, rows.basis.values, rows.base, weights, means, variances)
        return means, variances

    def pull_spreads(
        self, weights: FloatArray, scale: FloatArray, means: FloatArray, pulls: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the gradient of ½ Σ_ji pull_ji var(φ_ji), to the weights (J, I, K + 1) and to the inputs (B, I).

        `means` (J, I) are those of `moments`, `pulls` (J, I); `scale` (I,) is du/dx.
        """
        rows = self.rows
        gradient, source_deltas = np.zeros_like(weights), np.zeros_like(rows.base)
        kernels.pull_spreads(
            rows.basis.starts,
            rows.basis.values,
            rows.basis.derivatives,
            rows.base,
            rows.base_derivatives,
            weights,
            scale,
            means,
            pulls,
            gradient,
            source_deltas,
        )
        return gradient, source_deltas

    def select(self, batch: IndexArray) -> LayerFeatures:
        """Return the features at the samples of `batch`."""
        rows = self.rows
        basis = BasisRows(rows.basis.starts[batch], rows.basis.values[batch], rows.basis.derivatives[batch])
        chosen = LayerRows(basis, rows.base[batch], rows.base_derivatives[batch])
        return LayerFeatures(chosen, self._num_features - 1, self._num_targets)
