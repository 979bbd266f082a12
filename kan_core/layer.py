"""A KAN layer: a matrix of learned univariate functions whose rows are summed.

Shape legend: B samples, I sources, J targets, K basis functions, W window.

    φ_ji(x) = w_ji b(x) + Σ_k c_jik B_k(u_i(x))        spline edge, u_i the affine map of [low_i, high_i] to [-1, 1]
    φ_ji(x) = c f(a x + b) + d                          symbolic edge
    y_j     = Σ_i φ_ji(x_i)

A pruned edge contributes nothing but keeps its parameters, so that it can be shown as a ghost and brought back.
(Liu et al., KAN: Kolmogorov-Arnold Networks, arXiv 2404.19756, eq. 2.5 and 2.10.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_core import kernels
from kan_core.bases import Basis, BasisRows
from kan_core.bases.basis import FloatArray

Number = TypeVar("Number", bound=np.number[Any])

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


@dataclass(frozen=True, slots=True)
class LayerRows:
    """What a layer's functions are made of at given inputs: basis windows, b(x) and b'(x), the latter two (B, I)."""

    basis: BasisRows
    base: FloatArray
    base_derivatives: FloatArray


class KANLayer(nn.Module):
    """`num_targets` by `num_sources` edge functions, stored (target, source) like `nn.Linear`.

    Parameters are `coefficients` (J, I, K), `base_weights` (J, I) and `constants` (J, I, 4), the a, b, c, d of symbolic
    edges. Buffers are the ranges `low` and `high` (I,) and the masks `symbolic`, `pruned` and `locked` (J, I).
    A new layer is all zeros on the range [-1, 1].
    """

    coefficients: nn.Parameter
    base_weights: nn.Parameter
    constants: nn.Parameter
    low: Tensor
    high: Tensor
    symbolic: Tensor
    pruned: Tensor
    locked: Tensor

    def __init__(self, num_sources: int, num_targets: int, *, basis: Basis, base: str = "silu") -> None:
        super().__init__()
        self.num_sources = num_sources
        self.num_targets = num_targets
        self.basis = basis
        self.base = base
        shape = (num_targets, num_sources)
        self.coefficients = nn.Parameter(torch.zeros(*shape, basis.num_functions))
        self.base_weights = nn.Parameter(torch.zeros(shape))
        self.constants = nn.Parameter(torch.zeros(*shape, 4))
        self.register_buffer("low", -torch.ones(num_sources))
        self.register_buffer("high", torch.ones(num_sources))
        for mask in ("symbolic", "pruned", "locked"):
            self.register_buffer(mask, torch.zeros(shape, dtype=torch.bool))
        self.functions: dict[tuple[int, int], UnivariateFunction] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Return the targets' sums (B, J) for inputs (B, I), by the compiled kernels on the CPU."""
        if x.device.type != "cpu":
            return self.forward_reference(x)
        splines = self.spline_mask()
        sums = cast(
            Tensor,
            _SplineSum.apply(x, self.coefficients * splines.unsqueeze(-1), self.base_weights * splines, self),
        )
        return self._add_symbolic(sums, x)

    def forward_reference(self, x: Tensor) -> Tensor:
        """Return the same sums by plain torch operations."""
        return self.edge_outputs(x).sum(dim=-1)

    def edge_outputs(self, x: Tensor, *, ghosts: bool = False) -> Tensor:
        """Return every φ_ji(x_i), shape (B, J, I), by plain torch operations.

        Pruned edges give 0, or with `ghosts` what they would give if they were restored.
        """
        functions = self.basis.values(self.to_domain(x))
        splines = torch.einsum("bik,jik->bji", functions, self.coefficients)
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
        rows = self.rows(x)
        outputs = np.empty((len(x), self.num_targets, self.num_sources), dtype=rows.base.dtype)
        weights = join_weights(self.coefficients.detach().numpy(), self.base_weights.detach().numpy())
        kernels.contract_edges(rows.basis.starts, rows.basis.values, rows.base, weights, outputs)
        for (target, source), function in self.functions.items():
            a, b, c, d = self.constants[target, source].detach().numpy()
            # like torch, without a warning: what is too large is infinite
            with np.errstate(all="ignore"):
                outputs[:, target, source] = c * function.value_and_derivative(a * x[:, source] + b)[0] + d
        if not ghosts:
            outputs[:, self.pruned.numpy()] = 0.0
        return outputs

    def one_edge(self, target: int, source: int) -> KANLayer:
        """Return a layer of this one edge alone, pruned or not as it is."""
        alone = KANLayer(1, 1, basis=self.basis, base=self.base).to(self.low.dtype)
        for name, value in (*self.named_parameters(), *self.named_buffers()):
            part = value[source] if value.ndim == 1 else value[target, source]
            getattr(alone, name).data.copy_(part.detach().reshape(getattr(alone, name).shape))
        if (target, source) in self.functions:
            alone.functions[0, 0] = self.functions[target, source]
        return alone

    def symbolic_output(self, target: int, source: int, x: Tensor) -> Tensor:
        """Return c·f(a·x + b) + d of one symbolic edge for x (B,)."""
        a, b, c, d = self.constants[target, source].unbind()
        return c * self.functions[target, source].value(a * x + b) + d

    def spline_mask(self) -> Tensor:
        """Return where edges are live splines, shape (J, I)."""
        return ~(self.symbolic | self.pruned)

    def live_functions(self) -> list[tuple[int, int, UnivariateFunction]]:
        """Return (target, source, function) of the symbolic edges that are not pruned, in the order of edges."""
        return [(j, i, f) for (j, i), f in sorted(self.functions.items()) if not self.pruned[j, i]]

    def to_domain(self, x: Tensor) -> Tensor:
        """Return u(x): each source's range mapped to [-1, 1]."""
        return (2.0 * x - (self.low + self.high)) / (self.high - self.low)

    def domain_scale(self) -> FloatArray:
        """Return du/dx of every source, shape (I,)."""
        return (2.0 / (self.high - self.low)).numpy()

    def base_values(self, x: Tensor) -> Tensor:
        """Return b(x) for x of any shape."""
        if self.base == "silu":
            return nn.functional.silu(x)
        return x if self.base == "identity" else torch.zeros_like(x)

    def rows(self, x: FloatArray) -> LayerRows:
        """Return basis windows and base values at x (B, I), for the compiled contractions."""
        points = np.ascontiguousarray(x)
        domain = np.empty_like(points)
        kernels.to_domain(points, self.low.numpy(), self.high.numpy(), domain)
        base, base_derivatives = np.empty_like(points), np.empty_like(points)
        if self.base == "silu":
            kernels.silu(points, base, base_derivatives)
        else:
            base[:], base_derivatives[:] = (points, 1.0) if self.base == "identity" else (0.0, 0.0)
        return LayerRows(self.basis.rows(domain), base, base_derivatives)

    def _add_symbolic(self, sums: Tensor, x: Tensor) -> Tensor:
        live = self.live_functions()
        if not live:
            return sums
        columns = [self.symbolic_output(target, source, x[:, source]) for target, source, _ in live]
        targets = torch.tensor([target for target, _, _ in live])
        return sums.index_add(1, targets, torch.stack(columns, dim=1))


def join_weights(coefficients: NDArray[Number], base_weights: NDArray[Number]) -> NDArray[Number]:
    """Return coefficients (J, I, K) and base weights (J, I) as weights (J, I, K + 1)."""
    return np.concatenate([coefficients, base_weights[:, :, None]], axis=2)


class _SplineSum(torch.autograd.Function):
    """Σ_i φ_ji(x_i) over the spline edges, forward and backward compiled."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, coefficients: Tensor, base_weights: Tensor, layer: KANLayer) -> Tensor:
        rows = layer.rows(x.detach().numpy())
        outputs = np.zeros((len(x), layer.num_targets), dtype=rows.base.dtype)
        weights = join_weights(coefficients.detach().numpy(), base_weights.detach().numpy())
        kernels.contract(rows.basis.starts, rows.basis.values, rows.base, weights, outputs)
        ctx.rows, ctx.weights, ctx.scale = rows, weights, layer.domain_scale()
        return torch.from_numpy(outputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        rows: LayerRows = ctx.rows
        deltas = gradients[0].contiguous().numpy()
        gradient = np.zeros_like(ctx.weights)
        kernels.contract_backward(rows.basis.starts, rows.basis.values, rows.base, deltas, gradient)
        input_gradient = None
        if ctx.needs_input_grad[0]:
            source_deltas = np.empty_like(rows.base)
            kernels.backpropagate(
                rows.basis.starts,
                rows.basis.derivatives,
                rows.base_derivatives,
                ctx.weights,
                ctx.scale,
                deltas,
                source_deltas,
            )
            input_gradient = torch.from_numpy(source_deltas)
        weights = torch.from_numpy(gradient)
        return input_gradient, weights[..., :-1], weights[..., -1], None
