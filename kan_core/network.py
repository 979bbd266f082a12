"""The Kolmogorov-Arnold network: layers of edge functions, between an input and an output scaling.

Shape legend: B samples, I inputs, J outputs, L layers, n_l nodes of layer l, S rows of sums.

    z = (x - input_shift) / input_scale
    y = output_shift + output_scale · (Φ_{L-1} ∘ … ∘ Φ_0)(z)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from kan_core._checks import check_choice, check_inputs, check_integer, check_row, check_widths
from kan_core.bases import Basis, make_basis
from kan_core.bases.bspline import MAX_ORDER
from kan_core.bases.jacobi import check_exponent
from kan_core.errors import EdgeError, SpecError
from kan_core.layer import BASE_FUNCTIONS, KANLayer

ModuleT = TypeVar("ModuleT", bound=nn.Module)
INITIALIZATIONS = ("standard", "power_law", "variance")
KNOTS = ("uniform", "adaptive")
MAX_WIDTH = 4096
DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class EdgeId:
    """The edge from node `source` of layer `layer` to node `target` of the next, all counted from 0."""

    layer: int
    source: int
    target: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.source}.{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """Shape and parametrisation of a network.

    `widths` are the nodes of each layer, inputs and outputs included; `products`, empty or as long, how many of them
    multiply two sums instead of adding. `basis` names the family (`kan_core.bases`) of every edge, `grid_size` its
    resolution. Further settings concern some families only: the polynomial degree `order` of splines and bumps, `knots`
    ("uniform", or "adaptive": near the quantiles of what arrives) of B-splines, `alpha` and `beta` of Jacobi
    polynomials. `base` is b(x), one of silu, identity, none. `initialization` is "standard" (the family's own),
    "power_law" (arXiv 2509.03417) or "variance" (each layer keeps the variance of its inputs).
    Raises SpecError when a field is out of bounds, be it one that this family does not use.
    """

    widths: tuple[int, ...] = (2, 5, 1)
    products: tuple[int, ...] = ()
    basis: str = "bspline"
    grid_size: int = 5
    order: int = 3
    knots: str = "uniform"
    alpha: float = 0.0
    beta: float = 0.0
    base: str = "silu"
    initialization: str = "standard"

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", check_widths(self.widths, high=MAX_WIDTH))
        object.__setattr__(self, "products", check_row("products", self.products))
        self._check_products()
        # those of other families too: an edge may be swapped to one
        object.__setattr__(self, "order", check_integer("order", self.order, low=0, high=MAX_ORDER))
        for name in ("alpha", "beta"):
            object.__setattr__(self, name, check_exponent(name, getattr(self, name)))
        object.__setattr__(self, "grid_size", self.make_basis().grid_size)
        check_choice("knots", self.knots, KNOTS)
        check_choice("base", self.base, BASE_FUNCTIONS)
        check_choice("initialization", self.initialization, INITIALIZATIONS)

    def _check_products(self) -> None:
        if not self.products:
            return
        if len(self.products) != len(self.widths) or self.products[0] != 0:
            raise SpecError(
                f"products has a number for each of widths={self.widths}, 0 for the inputs, "
                f"received products={self.products}: give {len(self.widths)} numbers beginning with 0"
            )
        pairs = enumerate(zip(self.products, self.widths, strict=True))
        checked = tuple(check_integer(f"products[{n}]", number, low=0, high=width) for n, (number, width) in pairs)
        object.__setattr__(self, "products", checked)

    def make_basis(self) -> Basis:
        """Return a new basis as the spec describes it, on uniform knots."""
        return make_basis(self.basis, grid_size=self.grid_size, order=self.order, alpha=self.alpha, beta=self.beta)

    def products_at(self, index: int) -> int:
        """Return how many nodes of layer `index` multiply."""
        return self.products[index] if self.products else 0


@dataclass(frozen=True, slots=True)
class Trace:
    """What flows through a network: `node_values[l]` (B, n_l) for l = 0 … L, and `edge_outputs[l]` (B, S, n_l).

    Node values are those the layers see: the inputs after the input scaling, the outputs before the output scaling.
    Where no node multiplies, the rows S are the nodes n_{l+1}.
    """

    node_values: tuple[Tensor, ...]
    edge_outputs: tuple[Tensor, ...]


class KAN(nn.Module):
    """A Kolmogorov-Arnold network; calling it on (B, I) inputs gives (B, J) outputs in the network's dtype.

    A sample that holds NaN has NaN outputs, and no other sample notices. `generator` draws the initial parameters (a
    fresh one with seed 0 when left out), `dtype` is float32 or float64 and defaults to torch's. Scaling and node ranges
    start as identity and [-1, 1]; `grids` fits them to data, after which `is_scaled` is true. Raises SpecError when
    `spec` or `dtype` is something else.
    """

    input_shift: Tensor
    input_scale: Tensor
    output_shift: Tensor
    output_scale: Tensor
    is_scaled: Tensor

    def __init__(
        self,
        spec: NetworkSpec | None = None,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(spec, NetworkSpec | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SpecError(
                f"spec is a NetworkSpec, received a {type(spec).__name__}: make one, as NetworkSpec(widths=(2, 5, 1))"
            )
        dtype = torch.get_default_dtype() if dtype is None else dtype
        if dtype not in DTYPES:
            raise SpecError(f"dtype is torch.float32 or torch.float64, received dtype={dtype}: choose one of these")
        self.spec = NetworkSpec() if spec is None else spec
        widths = self.spec.widths
        basis = self.spec.make_basis()
        self._layers = nn.ModuleList(
            KANLayer(sources, nodes, basis=basis, base=self.spec.base, num_products=self.spec.products_at(index))
            for index, (sources, nodes) in enumerate(pairwise(widths), start=1)
        )
        for name, width in (("input", widths[0]), ("output", widths[-1])):
            self.register_buffer(f"{name}_shift", torch.zeros(width))
            self.register_buffer(f"{name}_scale", torch.ones(width))
        self.register_buffer("is_scaled", torch.tensor(False))
        self.to(dtype)
        _initialize(self, torch.Generator().manual_seed(0) if generator is None else generator)

    @property
    def layers(self) -> tuple[KANLayer, ...]:
        """The layers from inputs to outputs."""
        return tuple(cast(KANLayer, layer) for layer in self._layers)

    @property
    def dtype(self) -> torch.dtype:
        """The floating type of all parameters."""
        return self.input_shift.dtype

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes of each layer, inputs and outputs included."""
        return self.spec.widths

    @property
    def num_parameters(self) -> int:
        """How many numbers training may change: coefficients of live splines, free constants of live formulas."""
        total = 0
        for layer in self.layers:
            splines = layer.spline_mask()
            total += int((splines.unsqueeze(-1) & layer.coefficient_mask()).sum())
            total += int(splines.sum()) * (layer.base != "none")
            total += int(layer.free_constants().sum())
        return total

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (B, J) for inputs (B, I); raises DataError for anything but a tensor of that shape."""
        nodes = self.scale_inputs(x)
        for layer in self.layers:
            nodes = layer(nodes)
        return self.output_shift + self.output_scale * nodes

    def forward_reference(self, x: Tensor) -> Tensor:
        """Return the same outputs by plain torch operations, the reference of the compiled path."""
        nodes = self.scale_inputs(x)
        for layer in self.layers:
            nodes = layer.forward_reference(nodes)
        return self.output_shift + self.output_scale * nodes

    def scale_inputs(self, x: Tensor) -> Tensor:
        """Return the first layer's node values for inputs (B, I) in original units."""
        check_inputs(x, self.widths[0])
        return (x.to(self.dtype) - self.input_shift) / self.input_scale

    @torch.no_grad()
    def trace(self, x: Tensor) -> Trace:
        """Return every node value and edge output for inputs (B, I); nothing is stored."""
        nodes = [self.scale_inputs(x)]
        edges: list[Tensor] = []
        for layer in self.layers:
            values = nodes[-1].contiguous()
            on_cpu = values.device.type == "cpu"
            edges.append(torch.from_numpy(layer.edge_values(values.numpy())) if on_cpu else layer.edge_outputs(values))
            nodes.append(layer.combine(edges[-1].sum(dim=-1)))
        return Trace(tuple(nodes), tuple(edges))

    @torch.no_grad()
    def node_values(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the node values of `trace` for inputs (B, I), without the edges, which take far more memory."""
        nodes = [self.scale_inputs(x)]
        for layer in self.layers:
            nodes.append(layer(nodes[-1]))
        return tuple(nodes)

    def edges(self) -> list[EdgeId]:
        """Return every edge, by layer, then target, then source: the order of frames."""
        return [
            EdgeId(layer=index, source=source, target=target)
            for index, layer in enumerate(self.layers)
            for target in range(layer.num_targets)
            for source in range(layer.num_sources)
        ]

    def node_of(self, edge: EdgeId) -> tuple[int, int]:
        """Return layer and index of the node that an edge leads to; a node that multiplies has edges of two rows."""
        return edge.layer + 1, self.check_edge(edge).node_of(edge.target)

    def check_edge(self, edge: EdgeId) -> KANLayer:
        """Return the layer that holds `edge`; raises EdgeError when the network has no such edge."""
        layers = self.layers
        if 0 <= edge.layer < len(layers):
            layer = layers[edge.layer]
            if 0 <= edge.source < layer.num_sources and 0 <= edge.target < layer.num_targets:
                return layer
        raise EdgeError(
            f"an edge lies within widths={self.widths}, received edge={edge}: choose layer, source and target inside"
        )

    def kind(self, edge: EdgeId) -> str:
        """Return "spline", "symbolic" or "pruned"; raises EdgeError for an unknown edge."""
        layer = self.check_edge(edge)
        if layer.pruned[edge.target, edge.source]:
            return "pruned"
        return "symbolic" if layer.symbolic[edge.target, edge.source] else "spline"

    def copy(self) -> KAN:
        """Return an independent copy; spec, bases and functions, which nothing changes, belong to both."""
        return _copy_module(self)


def _copy_module(module: ModuleT) -> ModuleT:
    """Return a copy of a module with tensors and dictionaries of its own, in half the time of a deep copy."""
    twin = type(module).__new__(type(module))
    twin.__dict__.update(
        {name: one.copy() if isinstance(one, dict | set) else one for name, one in vars(module).items()}
    )
    for name, parameter in module.named_parameters(recurse=False):
        setattr(twin, name, nn.Parameter(parameter.detach().clone(), requires_grad=parameter.requires_grad))
    for name, tensor in module.named_buffers(recurse=False):
        setattr(twin, name, tensor.clone())
    for name, child in module.named_children():
        setattr(twin, name, _copy_module(child))
    return twin


@torch.no_grad()
def _initialize(network: KAN, generator: torch.Generator) -> None:
    """Draw the initial parameters.

    standard: coefficients by the family's own spectrum, and base weights by the power law. power_law: coefficients with
    σ = (n_in (K + 1))^-1.75 and base weights with σ = (n_in (K + 1))^-0.25 (arXiv 2509.03417, K = G + k). variance:
    both with σ = 1/√n_in, the coefficients a fifth of it, so that a layer starts near its base functions.
    """
    for layer in network.layers:
        size = layer.num_sources * (layer.num_functions + 1)
        coefficient_std, base_std = torch.from_numpy(layer.bases[0].initial_std(layer.num_sources)), size**-0.25
        if network.spec.initialization == "power_law":
            coefficient_std = torch.full_like(coefficient_std, size**-1.75)
        elif network.spec.initialization == "variance":
            base_std = layer.num_sources**-0.5
            coefficient_std = torch.full_like(coefficient_std, 0.2 * base_std)
        if layer.base == "none":
            # nothing else carries the signal
            coefficient_std = coefficient_std * (0.5 * layer.num_sources**-0.5 / float(coefficient_std.max()))
        layer.coefficients.copy_(_normal(layer.coefficients, coefficient_std, generator))
        layer.base_weights.copy_(_normal(layer.base_weights, 0.0 if layer.base == "none" else base_std, generator))


def _normal(like: Tensor, std: Tensor | float, generator: torch.Generator) -> Tensor:
    """Return Gaussian numbers of one shape, drawn in float64 so that both dtypes start from the same network."""
    return torch.randn(like.shape, generator=generator, dtype=torch.float64) * std
