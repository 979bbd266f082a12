"""Where edge functions live: scaling to the data, node ranges that follow it, and finer grids.

Shape legend: B samples, I sources, S rows of sums, K basis functions, P points.

Every change of a grid is a change of coordinates, c' = c T, by least squares between the two bases on a dense set of
points. For nested grids (a refinement by a whole factor) that is knot insertion, exact to rounding.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from kan_core._checks import check_samples
from kan_core.bases import Basis, BSplineBasis, MixedBasis, parts_of
from kan_core.datasets import Dataset
from kan_core.errors import DataError
from kan_core.layer import KANLayer
from kan_core.least_squares import (
    CALM,
    POINTS_PER_FUNCTION,
    best_coefficients,
    constant_one,
    fit_coefficients,
    fit_points,
    is_banded,
    point_values,
)
from kan_core.network import KAN

HIDDEN_MARGIN = 0.1
# beyond its range a curve is straight, which on a fine grid is worse than all else it does
INPUT_GAPS = 5.0
MAX_INPUT_MARGIN = 0.02


def fit_normalization(network: KAN, dataset: Dataset) -> KAN:
    """Return a copy whose inputs map to [-1, 1] and whose outputs are scaled to the training targets.

    Inputs are centred and divided by their half range, regression targets by mean and standard deviation (those of an
    output that multiplies by their root mean square alone); the logits of a classification stay as they are. A constant
    column keeps the scale 1. Raises DataError when the dataset's columns are not the network's.
    """
    shape = (dataset.num_inputs, dataset.num_outputs)
    if shape != (network.widths[0], network.widths[-1]):
        raise DataError(
            f"a network of widths={network.widths} needs {network.widths[0]} inputs and {network.widths[-1]} outputs, "
            f"received {shape[0]} and {shape[1]} columns: change the first or last width"
        )
    fitted = network.copy()
    inputs = dataset.train_inputs.to(torch.float64)
    low, high = inputs.amin(dim=0), inputs.amax(dim=0)
    fitted.is_scaled.fill_(True)
    fitted.input_shift.copy_((low + high) / 2)
    fitted.input_scale.copy_(_positive_or_one((high - low) / 2))
    if dataset.task == "regression":
        targets = dataset.train_targets.to(torch.float64)
        shift = targets.mean(dim=0)
        # a product has no constant that could make up for a shift
        shift[fitted.layers[-1].first_factor :] = 0.0
        fitted.output_shift.copy_(shift)
        # very large or small numbers have no square
        size = _positive_or_one((targets - shift).abs().amax(dim=0))
        spread = ((targets - shift) / size).square().mean(dim=0).sqrt()
        fitted.output_scale.copy_(size * _positive_or_one(spread))
    return fitted


def is_normalized(network: KAN) -> bool:
    """Return whether some scaling was fitted, be it the identity, or set."""
    if bool(network.is_scaled):
        return True
    scales = torch.cat([network.input_scale, network.output_scale])
    shifts = torch.cat([network.input_shift, network.output_shift])
    return bool((scales != 1).any() or (shifts != 0).any())


@torch.no_grad()
def fit_ranges(network: KAN, inputs: Tensor, *, margin: float = HIDDEN_MARGIN, tolerance: float = 0.0) -> KAN:
    """Return a copy whose node ranges cover what `inputs` (B, I), in original units, send through it.

    Inputs get their own range, widened by a few gaps between samples, where the next sample may lie. A hidden node is
    rescaled instead, so that its values fill [-1, 1] but for the share `margin`: what arrives there has no units, and a
    node that training left very small or large would make everything after it ill-conditioned. A range whose ends lie
    within `tolerance` (a share of the width) of the wanted ones stays. The functions are kept as closely as the grid
    can, and a node next to a locked formula or a held constant keeps its unit; one that multiplies is not rescaled.
    Raises DataError when the inputs are none, not finite or not the network's.
    """
    check_samples("inputs", inputs)
    fitted = network.copy()
    nodes = fitted.scale_inputs(inputs)
    layers = fitted.layers
    for index, layer in enumerate(layers):
        low, high = _wanted_range(nodes, margin if index > 0 else min(INPUT_GAPS / len(nodes), MAX_INPUT_MARGIN))
        gap = torch.maximum((low - layer.low).abs(), (high - layer.high).abs())
        moved = gap > tolerance * (high - low)
        for source in moved.nonzero().ravel().tolist():
            new = (float(low[source]), float(high[source]))
            if index > 0 and _may_rescale(layers[index - 1], layer, source):
                rescale_node(layers[index - 1], layer, source, new)
                nodes[:, source] = (2 * nodes[:, source] - (new[0] + new[1])) / (new[1] - new[0])
            else:
                move_range(layer, source, new)
        if network.spec.knots == "adaptive":
            for source in range(layer.num_sources):
                if bool(moved[source]) or _has_even_knots(layer.bases[source]):
                    adapt_knots(layer, source, nodes[:, source])
        share_means(layer, nodes)
        nodes = layer(nodes)
    return fitted


@torch.no_grad()
def share_means(layer: KANLayer, nodes: Tensor) -> None:
    """Give the live edges of a row the same mean over `nodes` (B, I), in place; the sums stay as they are.

    A constant can move between the edges of a sum without a trace in what the network computes; left alone it drifts.
    """
    means = torch.zeros_like(layer.base_weights)
    for block in layer.edge_blocks(nodes):
        means += block.mean(dim=0) * (len(block) / len(nodes))
    free = ~(layer.pruned | layer.locked | layer.held[:, :, 3])
    shares = torch.where(free, means, 0.0).sum(dim=1) / free.sum(dim=1).clamp(min=1)
    shifts = torch.where(free, shares.unsqueeze(1) - means, 0.0)
    for target, source in (shifts != 0).nonzero().tolist():
        shift_edge(layer, target, source, float(shifts[target, source]))


def _may_rescale(before: KANLayer, after: KANLayer, node: int) -> bool:
    """Return whether a hidden node's unit can change.

    Some edge must arrive, no locked formula or held constant touch it, and it must add: a product cannot be shifted.
    """
    if node >= before.first_factor:
        return False
    is_locked = bool(before.locked[node].any()) or bool(after.locked[:, node].any())
    is_locked = is_locked or bool(before.held[node].any()) or bool(after.held[:, node].any())
    return not is_locked and not bool(before.pruned[node].all())


@torch.no_grad()
def move_range(layer: KANLayer, source: int, new: tuple[float, float]) -> None:
    """Set one source's range in place, and its coefficients so that its functions stay nearly as they are."""
    _change_basis(layer, source, layer.bases[source], new)


def _has_even_knots(basis: Basis) -> bool:
    return any(isinstance(part, BSplineBasis) and part.is_uniform for part in parts_of(basis))


@torch.no_grad()
def adapt_knots(layer: KANLayer, source: int, nodes: Tensor) -> None:
    """Let the knots of one source's B-splines follow its node values (B,), in place; its functions stay near."""
    low, high = float(layer.low[source]), float(layer.high[source])
    u = ((2 * nodes.double() - (low + high)) / (high - low)).numpy()
    parts = [part.adapted(u) if isinstance(part, BSplineBasis) else part for part in parts_of(layer.bases[source])]
    _change_basis(layer, source, MixedBasis(tuple(parts)) if len(parts) > 1 else parts[0], (low, high))


def _change_basis(layer: KANLayer, source: int, basis: Basis, new: tuple[float, float]) -> None:
    """Put one source on another basis of the same size and another range, in place."""
    old = (float(layer.low[source]), float(layer.high[source]))
    coefficients = carry_coefficients(layer.coefficients[:, source], layer.bases[source], basis, old=old, new=new)
    layer.coefficients[:, source] = coefficients.to(layer.low.dtype)
    layer.low[source], layer.high[source] = new
    layer.bases = (*layer.bases[:source], basis, *layer.bases[source + 1 :])


@torch.no_grad()
def rescale_node(before: KANLayer, after: KANLayer, node: int, span: tuple[float, float]) -> None:
    """Change a hidden node's unit in place so that its interval `span` becomes [-1, 1], its new range.

    `before` is the layer that sums into the node, `after` the one that reads it: the former's functions are divided,
    the latter's arguments multiplied. Formulas stay exact; curves take up what the base function cannot.
    """
    centre, half = (span[0] + span[1]) / 2, (span[1] - span[0]) / 2
    before.coefficients[node] /= half
    before.base_weights[node] /= half
    before.constants[node, :, 2:] /= half
    live = int((~before.pruned[node]).nonzero()[0])
    shift_edge(before, node, live, -centre / half)
    move_range(after, node, span)
    weights = after.base_weights[:, node].clone()

    def lost(u: Tensor) -> Tensor:
        return after.base_values(centre + half * u) - half * after.base_values(u)

    for target in range(after.num_targets):
        basis, part = after.edge_basis(target, node)
        change = fit_coefficients(basis, lost)
        after.coefficients[target, node, part] += (weights[target] * change).to(after.low.dtype)
    after.base_weights[:, node] = half * weights
    after.constants[:, node, 1] += after.constants[:, node, 0] * centre
    after.constants[:, node, 0] *= half
    after.low[node], after.high[node] = -1.0, 1.0


@torch.no_grad()
def shift_edge(layer: KANLayer, target: int, source: int, amount: float) -> None:
    """Add a constant to one edge function in place."""
    if bool(layer.symbolic[target, source]):
        layer.constants[target, source, 3] += amount
    else:
        basis, part = layer.edge_basis(target, source)
        layer.coefficients[target, source, part] += amount * constant_one(basis).to(layer.low.dtype)


@torch.no_grad()
def refine(network: KAN, grid_size: int) -> KAN:
    """Return a copy of resolution `grid_size` that computes the same function.

    Exact to rounding when the new size is a multiple of the old one, the nearest in least squares otherwise. Raises
    SpecError when the size is out of bounds.
    """
    refined = network.copy()
    refined.spec = replace(network.spec, grid_size=grid_size)
    for layer in refined.layers:
        finer = [basis.resized(grid_size) for basis in layer.bases]
        new = torch.zeros(*layer.family.shape, finer[0].num_functions, dtype=layer.low.dtype)
        for source, basis in enumerate(finer):
            coefficients, whole = layer.coefficients[:, source], (-1.0, 1.0)
            new[:, source] = carry_coefficients(coefficients, layer.bases[source], basis, old=whole, new=whole)
        layer.coefficients = torch.nn.Parameter(new)
        layer.bases = tuple(finer)
    return refined


def carry_coefficients(
    coefficients: Tensor, old_basis: Basis, new_basis: Basis, *, old: tuple[float, float], new: tuple[float, float]
) -> Tensor:
    """Return coefficients (S, K_old) of functions on the range `old` as those (S, K_new) on the range `new`, float64.

    Least squares over the new range, by singular values so that functions without support stay small. The parts of a
    mixed basis go over each on its own.
    """
    given, found, start = coefficients.double(), list[Tensor](), 0
    for one, other in zip(parts_of(old_basis), parts_of(new_basis), strict=True):
        found.append(_carry(given[:, start : start + one.num_functions], one, other, old, new))
        start += one.num_functions
    return found[0] if len(found) == 1 else torch.cat(found, dim=1)


def _carry(
    coefficients: Tensor, old_basis: Basis, new_basis: Basis, old: tuple[float, float], new: tuple[float, float]
) -> Tensor:
    if old == new and old_basis.is_start_of(new_basis):
        return coefficients @ torch.eye(old_basis.num_functions, new_basis.num_functions, dtype=torch.float64)
    num_points = POINTS_PER_FUNCTION * max(old_basis.num_functions, new_basis.num_functions)
    points = fit_points(num_points)
    x = (new[0] + new[1]) / 2 + points * (new[1] - new[0]) / 2
    wanted = point_values(old_basis, (2 * x - (old[0] + old[1])) / (old[1] - old[0]))
    if is_banded(new_basis):
        return best_coefficients(new_basis, wanted @ coefficients.T, rtol=CALM).T
    return coefficients @ best_coefficients(new_basis, wanted, rtol=CALM).T.contiguous()


def _wanted_range(nodes: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    low, high = nodes.amin(dim=0), nodes.amax(dim=0)
    # a node without spread still needs a range of some width around it
    floor = 1e-3 * torch.maximum(torch.ones_like(low), nodes.abs().amax(dim=0))
    half = torch.maximum((high - low) / 2, floor) * (1 + 2 * margin)
    centre = (low + high) / 2
    return centre - half, centre + half


def _positive_or_one(scale: Tensor) -> Tensor:
    return torch.where(scale > 0, scale, torch.ones_like(scale))
