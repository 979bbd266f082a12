"""Changing the family of basis functions of single edges; every function returns a new network.

Shape legend: S rows of sums, I sources, K basis functions.
"""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor

from kan_core.bases import Basis, BSplineBasis, MixedBasis, make_basis, parts_of
from kan_core.errors import EdgeError
from kan_core.grids import adapt_knots
from kan_core.layer import KANLayer
from kan_core.least_squares import fit_coefficients
from kan_core.network import KAN, EdgeId, NetworkSpec


def edge_family(network: KAN, edge: EdgeId) -> str:
    """Return the name of the family that an edge's curve uses; raises EdgeError for an unknown edge."""
    return network.check_edge(edge).edge_basis(edge.target, edge.source)[0].name


@torch.no_grad()
def swap_basis(network: KAN, edge: EdgeId, basis: str, *, inputs: Tensor | None = None) -> KAN:
    """Return a copy in which the curve of `edge` is of the family `basis`, the nearest to what it was.

    The family has the resolution and the further settings of the network's spec. The fit is least squares over the
    node's range; with `inputs` (B, I) and adaptive knots, new splines follow them. The layer's other edges stay as they
    are, so one network can mix families. Raises EdgeError for an unknown edge or one that is a formula, and SpecError
    for an unknown family.
    """
    if network.check_edge(edge).symbolic[edge.target, edge.source]:
        raise EdgeError(f"only a curve has a family, received edge={edge} which is a formula: release it first")
    wanted = _wanted(network.spec, basis)
    swapped = network.copy()
    layer = swapped.check_edge(edge)
    old, place = layer.edge_basis(edge.target, edge.source)
    if old.name == basis:
        return swapped
    coefficients = layer.coefficients[edge.target, edge.source, place].double()
    part = _find_part(layer, basis)
    if part is None:
        part = _add_part(layer, wanted)
        if inputs is not None and network.spec.knots == "adaptive" and isinstance(wanted, BSplineBasis):
            nodes = swapped.node_values(inputs)[edge.layer]
            for source in range(layer.num_sources):
                adapt_knots(layer, source, nodes[:, source])
    layer.family[edge.target, edge.source] = part
    new, into = layer.edge_basis(edge.target, edge.source)
    fitted = fit_coefficients(new, lambda u: old.values(u) @ coefficients)
    layer.coefficients[edge.target, edge.source] = 0.0
    layer.coefficients[edge.target, edge.source, into] = fitted.to(layer.low.dtype)
    _drop_unused(layer)
    return swapped


def _wanted(spec: NetworkSpec, name: str) -> Basis:
    fields = asdict(spec)
    return make_basis(name, **{key: fields[key] for key in ("grid_size", "order", "alpha", "beta")})


def _find_part(layer: KANLayer, name: str) -> int | None:
    names = [part.name for part in parts_of(layer.bases[0])]
    return names.index(name) if name in names else None


def _add_part(layer: KANLayer, basis: Basis) -> int:
    """Put `basis` beside the families of every source in place, its coefficients 0, and return its position."""
    zeros = torch.zeros(*layer.family.shape, basis.num_functions, dtype=layer.low.dtype)
    layer.coefficients = torch.nn.Parameter(torch.cat([layer.coefficients.data, zeros], dim=2))
    layer.bases = tuple(MixedBasis((*parts_of(one), basis)) for one in layer.bases)
    return len(parts_of(layer.bases[0])) - 1


def _drop_unused(layer: KANLayer) -> None:
    """Leave out, in place, the families that no edge of the layer uses."""
    parts = parts_of(layer.bases[0])
    used = [index for index in range(len(parts)) if bool((layer.family == index).any())]
    if len(used) == len(parts):
        return
    owners = torch.tensor([index for index, part in enumerate(parts) for _ in range(part.num_functions)])
    kept = torch.isin(owners, torch.tensor(used))
    layer.coefficients = torch.nn.Parameter(layer.coefficients.data[:, :, kept])
    layer.family = torch.bucketize(layer.family, torch.tensor(used))
    bases = [[parts_of(one)[index] for index in used] for one in layer.bases]
    layer.bases = tuple(one[0] if len(one) == 1 else MixedBasis(tuple(one)) for one in bases)
