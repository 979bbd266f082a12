"""What the curves of a layer are linear in, at given samples, and the products that training needs of it.

Shape legend: B samples, I sources, S rows of sums, K basis functions.

The features F of a source are its K basis functions and b(x): φ_si = Σ_k w_ski F_ki, with `weights` (S, K + 1, I) the
coefficients, then w. Features of all sources form one matrix ((K + 1) I, B), so sums over edges are one product of
matrices. Samples are taken in blocks, which bounds the memory: features that do not fit what a layer may keep are
computed again when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kan_core import kernels
from kan_core.bases import Basis
from kan_core.bases.basis import FloatArray, continue_linearly, end_slopes

MAX_KEPT_BYTES = 64 * 2**20
BLOCK_BYTES = 8 * 2**20
# for fewer rows the product that `follow_pulls` needs costs more than it saves
MIN_PULLED_ROWS = 3
RIDGE = 1e-9


def block_size(bytes_per_sample: int) -> int:
    """Return how many samples to take at a time, given what one of them takes."""
    return max(BLOCK_BYTES // max(bytes_per_sample, 1), 64)


@dataclass(frozen=True)
class FeatureMaker:
    """How features of a layer's sources are computed: their `bases`, b as `base`, their ranges `low` to `high` (I,).

    `num_rows` = S is how many edges each source has, which blocks of samples are made small enough for.
    """

    bases: tuple[Basis, ...]
    base: str
    low: FloatArray
    high: FloatArray
    num_rows: int

    @cached_property
    def num_features(self) -> int:
        """K + 1."""
        return self.bases[0].num_functions + 1

    @cached_property
    def has_one_basis(self) -> bool:
        """Whether all sources have the same basis."""
        first = self.bases[0]
        return all(basis is first or basis == first for basis in self.bases)

    @cached_property
    def slope_scales(self) -> FloatArray:
        """What makes derivatives by x of those that `fill_slopes` writes, (K + 1, I): du/dx, and 1 for b'."""
        scales = np.ones((self.num_features, len(self.low)), dtype=self.low.dtype)
        scales[:-1] = 2.0 / (self.high - self.low)
        return scales

    def make(self, x: FloatArray) -> Block:
        """Return the features at node values x (I, B), contiguous."""
        domain, inner = np.empty_like(x), np.empty_like(x)
        is_outside = kernels.place(x, self.low, self.high, domain, inner)
        values = np.empty((self.num_features, *x.shape), dtype=x.dtype)
        if self.base == "silu":
            kernels.silu(x, values[-1])
        else:
            values[-1] = x if self.base == "identity" else 0.0
        if self.has_one_basis:
            functions = values[:-1].reshape(self.num_features - 1, -1)
            self.bases[0].fill(inner.ravel(), functions)
            if is_outside:
                continue_linearly(domain.ravel(), end_slopes(self.bases[0]), functions)
        else:
            for source, basis in enumerate(self.bases):
                functions = np.empty((self.num_features - 1, x.shape[1]), dtype=x.dtype)
                basis.fill(inner[source], functions)
                if is_outside:
                    continue_linearly(domain[source], end_slopes(basis), functions)
                values[:-1, source] = functions
        return Block(x, inner, values)

    def make_slopes(self, block: Block) -> FloatArray:
        """Return dB_k/du, then b'(x), (K + 1, I, B)."""
        slopes = np.empty_like(block.values)
        if self.base == "silu":
            kernels.silu_slopes(block.x, slopes[-1])
        else:
            slopes[-1] = 1.0 if self.base == "identity" else 0.0
        if self.has_one_basis:
            self.bases[0].fill_slopes(block.inner.ravel(), slopes[:-1].reshape(self.num_features - 1, -1))
        else:
            for source, basis in enumerate(self.bases):
                functions = np.empty((self.num_features - 1, block.x.shape[1]), dtype=block.x.dtype)
                basis.fill_slopes(block.inner[source], functions)
                slopes[:-1, source] = functions
        return slopes


@dataclass(slots=True)
class Block:
    """Some samples: node values `x` (I, b), their place `inner` in the domain, and features `values` (K + 1, I, b)."""

    x: FloatArray
    inner: FloatArray
    values: FloatArray
    slopes: FloatArray | None = None


class LayerFeatures:
    """The features of one layer, made by `maker`, at the node values x (I, B)."""

    def __init__(self, maker: FeatureMaker, x: FloatArray) -> None:
        self.x = x
        self._maker = maker
        num_sources, num_samples = x.shape
        size = maker.num_features * num_sources * x.itemsize
        step = block_size(max(size, maker.num_rows * num_sources * x.itemsize))
        if num_samples <= step:
            self.parts = [slice(0, num_samples)]
        else:
            self.parts = [slice(start, min(start + step, num_samples)) for start in range(0, num_samples, step)]
        self._is_kept = 2 * size * num_samples <= MAX_KEPT_BYTES
        self._blocks: dict[tuple[int, int], Block] = {}

    @property
    def num_samples(self) -> int:
        """B."""
        return self.x.shape[1]

    def values(self, part: slice) -> FloatArray:
        """Return the features (K + 1, I, b) of the samples in `part`."""
        return self._block(part).values

    def _slopes(self, part: slice) -> FloatArray:
        block = self._block(part)
        if block.slopes is None:
            block.slopes = self._maker.make_slopes(block)
        return block.slopes

    def _block(self, part: slice) -> Block:
        known = self._blocks.get((part.start, part.stop))
        if known is not None:
            return known
        block = self._maker.make(np.ascontiguousarray(self.x[:, part]))
        if self._is_kept:
            self._blocks[part.start, part.stop] = block
        return block

    def sums(self, weights: FloatArray) -> FloatArray:
        """Return Σ_i φ_si(x_i), (S, B)."""
        matrix = _as_matrix(weights)
        sums = [matrix.dot(self.values(part).reshape(matrix.shape[1], -1)) for part in self.parts]
        return sums[0] if len(sums) == 1 else np.concatenate(sums, axis=1)

    def edges(self, weights: FloatArray, part: slice) -> FloatArray:
        """Return every φ_si(x_i) at the samples in `part`, (I, S, b)."""
        return np.matmul(weights.transpose(2, 0, 1), self.values(part).transpose(1, 0, 2))

    def weight_gradient(self, deltas: FloatArray, gradient: FloatArray) -> None:
        """Write the gradient with respect to the weights to `gradient` (S, K + 1, I), given that to the sums (S, B)."""
        flat = _as_matrix(gradient)
        for n, part in enumerate(self.parts):
            features = self.values(part).reshape(flat.shape[1], -1)
            if n == 0:
                np.matmul(deltas[:, part], features.T, out=flat)
            else:
                flat += deltas[:, part] @ features.T

    def source_deltas(self, weights: FloatArray, deltas: FloatArray) -> FloatArray:
        """Return the gradient with respect to the node values (I, B), given that to the sums (S, B)."""
        found: list[FloatArray] = []
        for part in self.parts:
            chosen, slopes = np.ascontiguousarray(deltas[:, part]), self._slopes(part)
            into = np.empty(slopes.shape[1:], dtype=slopes.dtype)
            if len(weights) < MIN_PULLED_ROWS:
                kernels.follow_rows(weights, self._maker.slope_scales, slopes, chosen, into)
            else:
                pulls = _as_matrix(weights).T.dot(chosen).reshape(slopes.shape)
                kernels.follow_pulls(pulls, self._maker.slope_scales, slopes, into)
            found.append(into)
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    def covariance(self) -> FloatArray:
        """Return the covariance over samples of each source's features, (I, K + 1, K + 1), float64.

        A little on the diagonal keeps it positive where rounding would not: some combinations of features do not vary.
        """
        size, num_sources = self._maker.num_features, len(self.x)
        means = np.zeros((num_sources, size))
        for part in self.parts:
            means += self.values(part).sum(axis=2, dtype=np.float64).T / self.num_samples
        products = np.zeros((num_sources, size, size))
        for part in self.parts:
            centred = self.values(part).transpose(1, 0, 2) - means[:, :, None]
            products += centred @ centred.transpose(0, 2, 1) / self.num_samples
        return products + RIDGE * np.eye(size)

    def moments(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance over samples of every φ_si, both (S, I), float64."""
        means, squares = np.zeros((2, weights.shape[0], weights.shape[2]))
        done = 0
        for part in self.parts:
            edges = self.edges(weights, part).astype(np.float64, copy=False)
            count = edges.shape[2]
            mean = edges.mean(axis=2)
            # T. F. Chan, G. H. Golub, R. J. LeVeque, STAN-CS-79-773, eq. 2.1: no cancellation when means are large
            change = mean.T - means
            squares += np.square(edges - mean[:, :, None]).sum(axis=2).T + change**2 * (done * count / (done + count))
            done += count
            means += change * (count / done)
        return means, squares / self.num_samples

    def pull_spreads(
        self, weights: FloatArray, means: FloatArray, pulls: FloatArray, gradient: FloatArray, into: FloatArray
    ) -> None:
        """Add the gradient of ½ Σ_si pull_si var(φ_si) to `gradient` (S, K + 1, I) and, for the nodes, `into` (I, B).

        `means` (S, I) are those of `moments`, `pulls` (S, I).
        """
        scaled = weights * self._maker.slope_scales
        for part in self.parts:
            edges = self.edges(weights, part)
            deltas = (pulls.T / self.num_samples).astype(edges.dtype)[:, :, None] * (edges - means.T[:, :, None])
            deltas = deltas.astype(edges.dtype, copy=False)
            features = self.values(part).transpose(1, 2, 0)
            gradient += np.matmul(deltas, features).transpose(1, 2, 0)
            slopes = np.matmul(scaled.transpose(2, 0, 1), self._slopes(part).transpose(1, 0, 2))
            into[:, part] += (deltas * slopes).sum(axis=1)


def _as_matrix(weights: FloatArray) -> FloatArray:
    """Return (S, K + 1, I) as (S, (K + 1) I)."""
    return weights.reshape(len(weights), -1)
