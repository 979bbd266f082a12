"""A KAN layer: a matrix of learned univariate functions whose rows are summed.

Shape legend: B samples, I sources, S rows of sums, J target nodes, K basis functions.

    φ_si(x) = w_si b(x) + Σ_k c_sik B_k(u_i(x))        spline edge, u_i the affine map of [low_i, high_i] to [-1, 1]
    φ_si(x) = c f(a x + b) + d                          symbolic edge
    s       = Σ_i φ_si(x_i)                             one row of sums
    y_j     = s_j, or the product of two rows           a node that adds, a node that multiplies

Most nodes have one row, their sum; each of the last `num_products` nodes multiplies two, its factors (Z. Liu et al.,
KAN 2.0, arXiv 2408.10205, section 3.1), and a factor that no edge reaches any more is a constant. A pruned edge
contributes nothing but keeps its parameters, so that it can be shown as a ghost and brought back.
(Z. Liu et al., KAN: Kolmogorov-Arnold Networks, arXiv 2404.19756, eq. 2.5 and 2.10.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from kan_core.bases import Basis, MixedBasis, parts_of
from kan_core.bases.basis import FloatArray
from kan_core.features import FeatureMaker, LayerFeatures, block_size

BASE_FUNCTIONS = ("silu", "identity", "none")


class UnivariateFunction(Protocol):
    """A named function f of symbolic edges; it returns finite values everywhere by staying within its domain."""

    @property
    def name(self) -> str:
        """The name under which checkpoints and messages know it."""
        ...

    def value(self, x: Tensor) -> Tensor:
        """Return f(x), differentiable by torch."""
        ...

    def value_and_derivative(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return f(x) and f'(x) for an array of any shape."""
        ...


class KANLayer(nn.Module):
    """`num_targets` = S rows of `num_sources` edge functions, stored (target, source) like `nn.Linear`.

    They feed `num_nodes` = J nodes, of which the last `num_products` multiply two rows each: S = J + num_products.
    Parameters are `coefficients` (S, I, K), `base_weights` (S, I) and `constants` (S, I, 4), the a, b, c, d of symbolic
    edges. Buffers are the ranges `low` and `high` (I,), the masks `symbolic`, `pruned` and `locked` (S, I), `held`
    (S, I, 4), which constants training leaves alone on edges that are not locked as a whole, `family` (S, I), which
    part of a mixed basis an edge uses, and `lone` (S,), what a factor without edges is, 1 at first.
    `bases` holds the basis of every source; all have as many functions. A new layer is all zeros on the range [-1, 1].
    """

    coefficients: nn.Parameter
    base_weights: nn.Parameter
    constants: nn.Parameter
    low: Tensor
    high: Tensor
    symbolic: Tensor
    pruned: Tensor
    locked: Tensor
    held: Tensor
    family: Tensor
    lone: Tensor

    def __init__(
        self, num_sources: int, num_nodes: int, *, basis: Basis, base: str = "silu", num_products: int = 0
    ) -> None:
        super().__init__()
        self.num_sources = num_sources
        self.num_nodes = num_nodes
        self.num_products = num_products
        self.bases: tuple[Basis, ...] = (basis,) * num_sources
        self.base = base
        shape = (self.num_targets, num_sources)
        self.coefficients = nn.Parameter(torch.zeros(*shape, basis.num_functions))
        self.base_weights = nn.Parameter(torch.zeros(shape))
        self.constants = nn.Parameter(torch.zeros(*shape, 4))
        self.register_buffer("low", -torch.ones(num_sources))
        self.register_buffer("high", torch.ones(num_sources))
        for mask in ("symbolic", "pruned", "locked"):
            self.register_buffer(mask, torch.zeros(shape, dtype=torch.bool))
        self.register_buffer("held", torch.zeros(*shape, 4, dtype=torch.bool))
        self.register_buffer("family", torch.zeros(shape, dtype=torch.int64))
        self.register_buffer("lone", torch.ones(self.num_targets))
        self.functions: dict[tuple[int, int], UnivariateFunction] = {}

    # --- shape --------------------------------------------------------------------------------------------------------

    @property
    def num_targets(self) -> int:
        """S, how many rows of sums there are."""
        return self.num_nodes + self.num_products

    @property
    def num_functions(self) -> int:
        """K, how many functions every source's basis has."""
        return self.bases[0].num_functions

    @property
    def first_factor(self) -> int:
        """The row where factors begin; the rows before are nodes that add."""
        return self.num_nodes - self.num_products

    def node_of(self, target: int) -> int:
        """Return the node that row `target` belongs to."""
        beyond = target - self.first_factor
        return target if beyond < 0 else self.first_factor + beyond // 2

    def rows_of(self, node: int) -> tuple[int, ...]:
        """Return the rows of a node: one, or the two that it multiplies."""
        beyond = node - self.first_factor
        return (node,) if beyond < 0 else (self.first_factor + 2 * beyond, self.first_factor + 2 * beyond + 1)

    def edge_basis(self, target: int, source: int) -> tuple[Basis, slice]:
        """Return the family that an edge uses and where its coefficients stand."""
        basis, part = self.bases[source], int(self.family[target, source])
        if isinstance(basis, MixedBasis):
            return basis.parts[part], basis.functions_of(part)
        return basis, slice(0, basis.num_functions)

    def coefficient_mask(self) -> Tensor:
        """Return which coefficients belong to the family that their edge uses, (S, I, K)."""
        owners = [index for index, part in enumerate(parts_of(self.bases[0])) for _ in range(part.num_functions)]
        return self.family.unsqueeze(-1) == torch.tensor(owners, device=self.family.device)

    def spline_mask(self) -> Tensor:
        """Return where edges are live splines, shape (S, I)."""
        return ~(self.symbolic | self.pruned)

    def free_constants(self) -> Tensor:
        """Return which constants training may change: those of live formulas that are not locked or held, (S, I, 4)."""
        return (self.symbolic & ~self.pruned & ~self.locked).unsqueeze(-1) & ~self.held

    def live_functions(self) -> list[tuple[int, int, UnivariateFunction]]:
        """Return (target, source, function) of the symbolic edges that are not pruned, in the order of edges."""
        return [(s, i, f) for (s, i), f in sorted(self.functions.items()) if not self.pruned[s, i]]

    def empty_factors(self) -> Tensor:
        """Return what every factor is that no edge reaches, and 0 for the other rows, (S,)."""
        is_factor = torch.arange(self.num_targets, device=self.low.device) >= self.first_factor
        return torch.where(is_factor & self.pruned.all(dim=1), self.lone, torch.zeros_like(self.lone))

    # --- values -------------------------------------------------------------------------------------------------------

    def forward(self, x: Tensor) -> Tensor:
        """Return the nodes' values (B, J) for inputs (B, I), compiled on the CPU."""
        if x.device.type != "cpu":
            return self.forward_reference(x)
        splines = self.spline_mask()
        coefficients = self.coefficients * (splines.unsqueeze(-1) & self.coefficient_mask())
        sums = cast(Tensor, _SplineSum.apply(x, coefficients, self.base_weights * splines, self))
        return self.combine(self._add_symbolic(sums, x))

    def forward_reference(self, x: Tensor) -> Tensor:
        """Return the same values by plain torch operations."""
        return self.combine(self.edge_outputs(x).sum(dim=-1))

    def combine(self, sums: Tensor) -> Tensor:
        """Return the nodes' values (B, J) for sums (B, S)."""
        if self.num_products == 0:
            return sums
        rows = sums + self.empty_factors()
        products = rows[:, self.first_factor :: 2] * rows[:, self.first_factor + 1 :: 2]
        return torch.cat([rows[:, : self.first_factor], products], dim=1)

    def edge_outputs(self, x: Tensor, *, ghosts: bool = False) -> Tensor:
        """Return every φ_si(x_i), shape (B, S, I), by plain torch operations.

        Pruned edges give 0, or with `ghosts` what they would give if they were restored.
        """
        splines = torch.einsum("bik,sik->bsi", self.basis_values(x), self.coefficients)
        splines = splines + self.base_weights * self.base_values(x).unsqueeze(1)
        outputs = torch.where(self.symbolic, torch.zeros_like(splines), splines)
        for target, source in self.functions:
            outputs = outputs.index_put(
                (torch.arange(len(x)), torch.tensor(target), torch.tensor(source)),
                self.symbolic_output(target, source, x[:, source]),
            )
        return outputs if ghosts else torch.where(self.pruned, torch.zeros_like(outputs), outputs)

    def edge_values(self, x: FloatArray, *, ghosts: bool = False) -> FloatArray:
        """Return what `edge_outputs` returns, compiled and without a gradient, for x (B, I)."""
        features, weights = self.features(np.ascontiguousarray(x.T)), self.weights()
        outputs = np.empty((self.num_sources, self.num_targets, len(x)), dtype=features.x.dtype)
        for part in features.parts:
            outputs[:, :, part] = features.edges(weights, part)
        for (target, source), function in self.functions.items():
            a, b, c, d = self.constants[target, source].detach().numpy()
            # like torch, without a warning: what is too large is infinite
            with np.errstate(all="ignore"):
                outputs[source, target] = c * function.value_and_derivative(a * x[:, source] + b)[0] + d
        if not ghosts:
            outputs[self.pruned.numpy().T] = 0.0
        return outputs.transpose(2, 1, 0)

    def edge_blocks(self, x: Tensor) -> Iterator[Tensor]:
        """Yield `edge_values` of some samples of x (B, I) at a time, (b, S, I): of all they may take gigabytes."""
        values = x.detach().contiguous().numpy()
        step = block_size(values.itemsize * self.num_targets * self.num_sources)
        for start in range(0, len(values), step):
            yield torch.from_numpy(self.edge_values(values[start : start + step]))

    def one_edge(self, target: int, source: int) -> KANLayer:
        """Return a layer of this one edge alone, pruned or not as it is."""
        alone = KANLayer(1, 1, basis=self.bases[source], base=self.base).to(self.low.dtype)
        for name, value in (*self.named_parameters(), *self.named_buffers()):
            part = value[target] if name == "lone" else value[source] if value.ndim == 1 else value[target, source]
            getattr(alone, name).data.copy_(part.detach().reshape(getattr(alone, name).shape))
        if (target, source) in self.functions:
            alone.functions[0, 0] = self.functions[target, source]
        return alone

    def symbolic_output(self, target: int, source: int, x: Tensor) -> Tensor:
        """Return c·f(a·x + b) + d of one symbolic edge for x (B,)."""
        a, b, c, d = self.constants[target, source].unbind()
        return c * self.functions[target, source].value(a * x + b) + d

    def to_domain(self, x: Tensor) -> Tensor:
        """Return u(x): each source's range mapped to [-1, 1]."""
        return (2.0 * x - (self.low + self.high)) / (self.high - self.low)

    def basis_values(self, x: Tensor) -> Tensor:
        """Return B_k(u_i(x_i)), shape (B, I, K), by plain torch operations."""
        u = self.to_domain(x)
        if all(basis == self.bases[0] for basis in self.bases):
            return self.bases[0].values(u)
        return torch.stack([basis.values(u[:, i]) for i, basis in enumerate(self.bases)], dim=1)

    def base_values(self, x: Tensor) -> Tensor:
        """Return b(x) for x of any shape."""
        if self.base == "silu":
            return nn.functional.silu(x)
        return x if self.base == "identity" else torch.zeros_like(x)

    # --- compiled -----------------------------------------------------------------------------------------------------

    def weights(self) -> FloatArray:
        """Return coefficients, then base weights, as one array (S, K + 1, I)."""
        return join_weights(self.coefficients.detach().numpy(), self.base_weights.detach().numpy())

    def feature_maker(self) -> FeatureMaker:
        """Return how basis functions and b are computed at node values, for the ranges as they are now."""
        return FeatureMaker(self.bases, self.base, self.low.numpy(), self.high.numpy(), self.num_targets)

    def features(self, x: FloatArray) -> LayerFeatures:
        """Return basis functions and b at node values x (I, B), contiguous."""
        return LayerFeatures(self.feature_maker(), x)

    def _add_symbolic(self, sums: Tensor, x: Tensor) -> Tensor:
        live = self.live_functions()
        if not live:
            return sums
        columns = [self.symbolic_output(target, source, x[:, source]) for target, source, _ in live]
        targets = torch.tensor([target for target, _, _ in live])
        return sums.index_add(1, targets, torch.stack(columns, dim=1))


def join_weights(coefficients: FloatArray, base_weights: FloatArray) -> FloatArray:
    """Return coefficients (S, I, K) and base weights (S, I) as weights (S, K + 1, I)."""
    num_targets, num_sources, num_functions = coefficients.shape
    weights = np.empty((num_targets, num_functions + 1, num_sources), dtype=coefficients.dtype)
    weights[:, :-1], weights[:, -1] = coefficients.transpose(0, 2, 1), base_weights
    return weights


class _SplineSum(torch.autograd.Function):
    """Σ_i φ_si(x_i) over the spline edges, forward and backward compiled."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, coefficients: Tensor, base_weights: Tensor, layer: KANLayer) -> Tensor:
        features = layer.features(np.ascontiguousarray(x.detach().numpy().T))
        weights = join_weights(coefficients.detach().numpy(), base_weights.detach().numpy())
        ctx.features, ctx.weights = features, weights
        return torch.from_numpy(np.ascontiguousarray(features.sums(weights).T))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        features: LayerFeatures = ctx.features
        deltas = np.ascontiguousarray(gradients[0].numpy().T)
        gradient = np.empty_like(ctx.weights)
        features.weight_gradient(deltas, gradient)
        input_gradient = None
        if ctx.needs_input_grad[0]:
            input_gradient = torch.from_numpy(np.ascontiguousarray(features.source_deltas(ctx.weights, deltas).T))
        weights = torch.from_numpy(gradient)
        return input_gradient, weights[:, :-1].transpose(1, 2), weights[:, -1], None
