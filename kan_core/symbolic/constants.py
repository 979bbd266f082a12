"""Constants of formulas: how well the data determine them, and which of them are π.

Shape legend: B samples, O outputs, P parameters.

Errors come from the curvature at the minimum, cov = σ² (JᵀJ)⁻¹ with σ² = RSS / (B·O − P) (G. A. F. Seber and
C. J. Wild, Nonlinear Regression, 1989, section 2.1.2), for classes from the Fisher information. They say how far a
constant would scatter over repetitions of the noise if the formula is right; what the formula misses is no noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.errors import EdgeError
from kan_core.network import KAN, EdgeId
from kan_core.optimizers.flat_parameters import FlatParameters
from kan_core.optimizers.levenberg_marquardt import is_affordable
from kan_core.optimizers.objective import NetworkObjective
from kan_core.symbolic.edges import edge_form, edge_units
from kan_core.symbolic.nice_numbers import NiceForm, best_form, exact_form
from kan_core.symbolic.normal_form import conventions
from kan_core.symbolic.rewriting import NAMES, can_drop_input_shift, drop_input_shift, set_constant

# singular values under this share of the largest are directions that the data do not determine
DETERMINED = 1e-10
# a root mean square error under this share of the targets' spread is rounding
ROUNDING = 1e-9
# what a constant may be off by, as a share of it, where all that is left is rounding
ROUNDING_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A constant of a formula in original units and its standard error, and the nice number that it may be.

    `standard_error` is infinite where the data do not determine it, NaN where finding out would take too long, and 0
    for a constant that is held. `form` is the number it is held at, in words people know ("π", "3/2"), or might be
    held at; None when it is no such number.
    """

    edge: EdgeId
    name: str
    value: float
    standard_error: float
    is_snapped: bool = False
    is_locked: bool = False
    form: NiceForm | None = None


def constants_of(network: KAN, dataset: Dataset) -> list[Constant]:
    """Return the constants of all live formulas but for the redundant ones, in the order of edges.

    Errors are those of a network at its minimum: train first. Constants that are held or locked count as known.
    """
    network = network.copy().to(torch.float64)
    known = conventions(network)
    errors, is_rounding = _standard_errors(network, dataset.to_dtype(torch.float64), known)
    found: list[Constant] = []
    for edge in network.edges():
        if network.kind(edge) != "symbolic":
            continue
        layer, place = network.check_edge(edge), (edge.target, edge.source)
        values = edge_form(network, edge)[1:]
        for index, (name, value) in enumerate(zip(NAMES, values, strict=True)):
            if (edge, name) in known:
                continue
            one = Constant(
                edge=edge,
                name=name,
                value=value,
                standard_error=errors.get((edge, name), 0.0),
                is_snapped=bool(layer.held[place][index]),
                is_locked=bool(layer.locked[place]),
            )
            found.append(replace(one, form=_form_of(one, is_rounding)))
    return found


def _form_of(constant: Constant, is_rounding: bool) -> NiceForm | None:
    if constant.is_snapped or constant.is_locked:
        return exact_form(constant.value)
    error = constant.standard_error
    if is_rounding:
        error = max(error, ROUNDING_TOLERANCE * abs(constant.value) / 3.0, 1e-9)
    form = best_form(constant.value, error)
    # without a slope or a factor there is no edge
    return None if form is not None and form.value == 0.0 and constant.name in "ac" else form


def hold_conventions(network: KAN) -> KAN:
    """Return a copy in which training leaves redundant constants alone, which takes nothing from what it can learn."""
    held = network.copy()
    redundant = conventions(network)
    for edge, name in redundant:
        # as it is stored, b moves with a where the input has a shift
        if name != "b" or edge_units(network, edge)[1] == 0.0 or (edge, "a") in redundant:
            held.check_edge(edge).held[edge.target, edge.source, NAMES.index(name)] = True
    return held


def snap_constant(network: KAN, edge: EdgeId, name: str, *, value: float | None = None) -> KAN:
    """Return a copy in which a constant is held at `value`, in original units, or at the nice number that it is near.

    Nothing else changes: train the rest anew. Raises EdgeError for an edge that is no formula, a name that is none, a
    number that cannot be, and when no nice number lies within a hundredth of it.
    """
    function, *values = edge_form(network, edge)
    place = _place_of(name)
    now = values[place]
    if value is None:
        form = exact_form(now) or best_form(now, 0.01 * abs(now) / 3.0)
        if form is None:
            raise EdgeError(
                f"a constant is snapped to a nice number near it, and there is none near {name}={now:.6g} of "
                f"{function} on edge {edge}: name the value to hold it at"
            )
        value = form.value
    if not math.isfinite(value) or (value == 0.0 and name in "ac"):
        raise EdgeError(
            f"a constant is held at a finite number, a and c at another than 0, received {name}={value}: name another"
        )
    snapped = network.copy()
    layer = snapped.check_edge(edge)
    if not can_hold(network, edge, name):
        raise EdgeError(
            f"b moves with a where a curve reads the same input, and a of edge {edge} is not held: snap a first"
        )
    if name == "b" and edge.layer == 0:
        drop_input_shift(snapped, network, edge.source)
    set_constant(snapped, edge, name, value)
    layer.held[edge.target, edge.source, place] = True
    return snapped


def can_hold(network: KAN, edge: EdgeId, name: str) -> bool:
    """Return whether a constant of a formula stays at a value, in original units, once training leaves it alone.

    As it is stored, b of an edge from a shifted input moves with a; the shift can go where formulas alone read it.
    """
    if name != "b" or edge.layer > 0:
        return True
    held = network.check_edge(edge).held[edge.target, edge.source, NAMES.index("a")]
    return bool(held) or can_drop_input_shift(network, edge.source)


def unsnap_constant(network: KAN, edge: EdgeId, name: str) -> KAN:
    """Return a copy in which training may change a constant again; raises EdgeError like `snap_constant`."""
    edge_form(network, edge)
    place = _place_of(name)
    freed = network.copy()
    held = freed.check_edge(edge).held[edge.target, edge.source]
    held[place] = False
    if name == "a" and edge_units(network, edge)[1] != 0.0:
        # as it is stored, b moves with a
        held[1] = False
    return freed


def _place_of(name: str) -> int:
    if name not in NAMES:
        raise EdgeError(f"a constant is one of {', '.join(NAMES)}, received name={name!r}: choose one of these")
    return NAMES.index(name)


def _standard_errors(
    network: KAN, dataset: Dataset, known: frozenset[tuple[EdgeId, str]]
) -> tuple[dict[tuple[EdgeId, str], float], bool]:
    """Return the standard errors of free constants in original units, and whether all that is left is rounding."""
    residuals, spread = _residuals(network, dataset)
    is_rounding = dataset.task == "regression" and _root_mean_square(residuals) <= ROUNDING * spread
    free = [one for one in _free_constants(network) if one not in known]
    # all constants of an edge have to be there for those in original units
    loose = network.copy()
    for layer in loose.layers:
        layer.held[:] = False
    count, num_residuals = loose.num_parameters, dataset.train_targets.numel()
    if not free or not is_affordable(count, num_residuals):
        return dict.fromkeys(free, math.nan), is_rounding
    jacobian, names = _in_original_units(loose, dataset)
    taken = [index for index, name in enumerate(names) if name is None or name in free]
    jacobian = jacobian[:, taken]
    if dataset.task == "classification":
        with torch.no_grad():
            probability = torch.sigmoid(network(dataset.train_inputs)).numpy().ravel()
        jacobian = jacobian * np.sqrt(probability * (1.0 - probability))[:, None]
        variance = 1.0
    else:
        variance = float(np.square(residuals).sum()) / max(num_residuals - len(taken), 1)
    errors = math.sqrt(variance) * _sizes(jacobian)
    pairs = zip(taken, errors.tolist(), strict=True)
    return {name: error for index, error in pairs if (name := names[index]) is not None}, is_rounding


def _free_constants(network: KAN) -> list[tuple[EdgeId, str]]:
    return [
        (EdgeId(layer=index, source=source, target=target), NAMES[place])
        for index, layer in enumerate(network.layers)
        for target, source, place in layer.free_constants().nonzero().tolist()
    ]


def _in_original_units(network: KAN, dataset: Dataset) -> tuple[FloatArray, list[tuple[EdgeId, str] | None]]:
    """Return the scaled outputs' derivatives (B·O, P) and what they are by: constants, or None, something of a curve.

    Those by constants are by constants in original units, a' = a · scale and b' = b + a · shift.
    """
    flat = FlatParameters(network.copy())
    objective = NetworkObjective(network, dataset)
    jacobian = objective.residual_jacobian(objective.parameters).reshape(-1, objective.num_parameters)
    names: list[tuple[EdgeId, str] | None] = [None] * objective.num_parameters
    for index, layer in enumerate(network.layers):
        columns = flat.parts[index].constants_in(flat.columns)
        for target, source, _ in layer.live_functions():
            a, b, c, d = columns[target, source].tolist()
            if a < 0:
                continue
            edge = EdgeId(layer=index, source=source, target=target)
            x_scale, x_shift, y_scale = edge_units(network, edge)
            jacobian[:, a] = x_scale * jacobian[:, a] + x_shift * jacobian[:, b]
            jacobian[:, [c, d]] /= y_scale
            for column, name in zip((a, b, c, d), NAMES, strict=True):
                names[column] = (edge, name)
    return jacobian, names


def _sizes(jacobian: FloatArray) -> FloatArray:
    """Return the roots of the diagonal of (JᵀJ)⁻¹ (P,), infinite for what J (B, P) does not determine."""
    scales = np.linalg.norm(jacobian, axis=0)
    scales[scales == 0.0] = 1.0
    short = max(jacobian.shape[1] - jacobian.shape[0], 0)
    # as many rows as columns, so that the basis is whole
    scaled = np.pad(jacobian / scales, ((0, short), (0, 0)))
    _, values, basis = np.linalg.svd(scaled, full_matrices=False)
    seen = int((values > DETERMINED * values[0]).sum())
    sizes = np.sqrt(np.square(basis[:seen] / values[:seen, None]).sum(axis=0)) / scales
    lost = np.linalg.norm(basis[seen:], axis=0) > 1e-4
    return np.where(lost, np.inf, sizes)


def _residuals(network: KAN, dataset: Dataset) -> tuple[FloatArray, float]:
    """Return what is left of the scaled train targets, (B, O), and their spread."""
    with torch.no_grad():
        left = (dataset.train_targets - network(dataset.train_inputs)) / network.output_scale
    spread = (dataset.train_targets / network.output_scale).std(dim=0, correction=0).max()
    return left.numpy(), float(spread)


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt(np.square(values).mean()))
