"""Checks of arguments that specs and data share."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from numbers import Real
from typing import SupportsIndex

import torch
from torch import Tensor

from kan_core.errors import DataError, SpecError


def check_integer(name: str, value: object, *, low: int, high: int) -> int:
    """Return `value` as an int when it is an integer of any type but bool within [low, high].

    Raises SpecError otherwise.
    """
    whole = _index(value)
    if whole is None or not low <= whole <= high:
        raise SpecError(
            f"{name} is an integer from {low} to {high}, received {name}={value!r}: choose one in that range"
        )
    return whole


def _index(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        # arrays and tensors are indices only when they hold one integer
        return None


def check_row(name: str, values: object) -> tuple[object, ...]:
    """Return a row of integers as a tuple, its entries not yet checked; raises SpecError for anything else."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise SpecError(f"{name} is a row of integers, received {name}={values!r}: give a tuple such as (2, 5, 1)")
    return tuple(values)


def check_widths(widths: object, *, high: int) -> tuple[int, ...]:
    """Return the `widths` of a network's layers, at least two integers from 1 to `high`; raises SpecError otherwise."""
    given = check_row("widths", widths)
    if len(given) < 2:
        raise SpecError(f"widths has at least 2 entries, received widths={given}: name inputs and outputs")
    return tuple(check_integer(f"widths[{index}]", width, low=1, high=high) for index, width in enumerate(given))


def check_number(name: str, value: object, *, low: float, high: float, above: bool = False) -> float:
    """Return `value` as a float within [low, high] (above `low` if `above`); raises SpecError otherwise."""
    number = math.nan if isinstance(value, bool) else _real(value)
    if not low <= number <= high or (above and number == low):
        bound = "above" if above else "from"
        raise SpecError(
            f"{name} is a number {bound} {low:g} to {high:g}, received {name}={value!r}: choose one in that range"
        )
    # -0.0 is the same number as 0.0, and is written the same way
    return number + 0.0


def _real(value: object) -> float:
    """Return a real number of any type as a float, NaN for anything else."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.inf


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return `value` when it is one of `choices`; raises SpecError otherwise."""
    if not isinstance(value, str) or value not in choices:
        raise SpecError(f"{name} is one of {', '.join(choices)}, received {name}={value!r}: choose one of these")
    return value


def check_samples(name: str, values: object) -> Tensor:
    """Return `values` without their history when they are samples: a floating tensor of rows and columns, all finite.

    Raises DataError otherwise.
    """
    if not isinstance(values, Tensor):
        raise DataError(f"{name} is a torch tensor, received a {type(values).__name__}: convert with torch.as_tensor")
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 1:
        raise DataError(
            f"{name} has the shape (samples, columns), received shape={tuple(values.shape)}: "
            "give at least one row and one column"
        )
    if not values.is_floating_point():
        raise DataError(f"{name} holds floating numbers, received dtype={values.dtype}: convert with .float()")
    if not bool(torch.isfinite(values).all()):
        row = int((~torch.isfinite(values)).any(dim=1).nonzero()[0])
        raise DataError(f"{name} holds finite numbers, received {values[row].tolist()} in row {row}: remove that row")
    return values.detach()


def check_inputs(x: object, num_inputs: int) -> None:
    """Raise DataError unless `x` is a tensor of real numbers (B, `num_inputs`), B being any number."""
    if not isinstance(x, Tensor):
        raise DataError(f"inputs are a torch tensor, received a {type(x).__name__}: convert with torch.as_tensor")
    if x.is_complex():
        raise DataError(f"inputs are real numbers, received dtype={x.dtype}: give their parts as columns")
    if x.ndim != 2 or x.shape[1] != num_inputs:
        raise DataError(
            f"inputs have the shape (samples, {num_inputs}), received shape={tuple(x.shape)}: "
            "give one column for each input of the network"
        )
