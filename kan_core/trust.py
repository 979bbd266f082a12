"""How far a formula can be trusted: its errors, where it has no value, and the ranges it was fitted on.

Shape legend: B samples, I inputs, J outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.errors import ExportError
from kan_core.formula import network_formula
from kan_core.formula_display import curve_values, evaluate
from kan_core.network import KAN
from kan_core.singularities import Singularity, find_singularities


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far two columns of values lie apart, in the outputs' units: the largest difference and the RMSE.

    Both count rows at which the formula has a finite value; `num_undefined` are the others. Without any row that counts
    both are NaN.
    """

    maximum: float
    rmse: float
    num_rows: int
    num_undefined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRange:
    """The range [low, high] of an input on the data that the network was fitted on, in original units.

    `num_outside` of the held-out rows lie outside it, where the formula extrapolates.
    """

    name: str
    low: float
    high: float
    num_outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaReport:
    """What a formula is worth.

    `against_network` is its distance to the network on the training rows and `against_network_held_out` that on the
    held-out ones; `held_out` is its distance to the held-out targets (as probabilities, for classification), and
    `target_spread` the standard deviation of these. `ranges` are those of the inputs, `singularities` the places where
    an edge's function has no finite value, `num_curves` the edges that are no formulas.
    """

    against_network: Deviation
    against_network_held_out: Deviation
    held_out: Deviation
    target_spread: float
    ranges: tuple[InputRange, ...]
    singularities: tuple[Singularity, ...]
    num_curves: int


def formula_report(network: KAN, dataset: Dataset, *, expressions: Sequence[sp.Expr] | None = None) -> FormulaReport:
    """Return the report on a network's formula; `dataset` is what the network was fitted on, and held-out rows.

    `expressions`, one an output in original units over the dataset's input names, are those to judge, such as rounded
    ones; left out, they are the network's own with all constants in full. Raises ExportError when they are not as many
    as outputs.
    """
    names = tuple(dataset.input_names or ())
    formula = network_formula(network, input_names=names)
    judged = formula.expressions if expressions is None else tuple(expressions)
    if len(judged) != network.widths[-1]:
        raise ExportError(
            f"expressions has one for each of {network.widths[-1]} outputs, received {len(judged)}: give one for each"
        )
    train, held_out = dataset.train_inputs, dataset.test_inputs
    on_train, on_held_out = (_values(network, judged, names, inputs) for inputs in (train, held_out))
    targets = dataset.test_targets.double().numpy()
    predicted = _sigmoid(on_held_out) if dataset.task == "classification" else on_held_out
    return FormulaReport(
        against_network=deviation(on_train, _outputs(network, train)),
        against_network_held_out=deviation(on_held_out, _outputs(network, held_out)),
        held_out=deviation(predicted, targets),
        target_spread=float(targets.std()),
        ranges=_ranges(names, train, held_out),
        singularities=find_singularities(network, train, input_names=names),
        num_curves=len(formula.curves),
    )


def deviation(values: FloatArray, wanted: FloatArray) -> Deviation:
    """Return how far values (B, J) lie from those wanted (B, J)."""
    finite = np.isfinite(values).all(axis=1)
    difference = np.abs(values[finite] - wanted[finite])
    is_empty = not difference.size
    return Deviation(
        maximum=float("nan") if is_empty else float(difference.max()),
        rmse=float("nan") if is_empty else float(np.sqrt(np.square(difference).mean())),
        num_rows=len(values),
        num_undefined=int((~finite).sum()),
    )


def _values(network: KAN, expressions: Sequence[Any], names: Sequence[str], inputs: Tensor) -> FloatArray:
    """Return the values (B, J) of expressions at inputs (B, I); NaN where there is none."""
    symbols = [sp.Symbol(name) for name in names]
    columns = list(inputs.double().numpy().T)
    curves = curve_values(network)
    return np.stack([evaluate(one, symbols, columns, curves) for one in expressions], axis=1)


@torch.no_grad()
def _outputs(network: KAN, inputs: Tensor) -> FloatArray:
    return network(inputs).double().numpy()


def _sigmoid(values: FloatArray) -> FloatArray:
    return 0.5 * (1.0 + np.tanh(0.5 * values))


def _ranges(names: Sequence[str], train: Tensor, held_out: Tensor) -> tuple[InputRange, ...]:
    lows, highs = train.double().amin(dim=0), train.double().amax(dim=0)
    outside = ((held_out < lows) | (held_out > highs)).sum(dim=0)
    rows = zip(names, lows.tolist(), highs.tolist(), outside.tolist(), strict=True)
    return tuple(InputRange(name=name, low=low, high=high, num_outside=int(count)) for name, low, high, count in rows)
