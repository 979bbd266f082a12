"""Samples to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kan_core._checks import check_samples
from kan_core.errors import DataError
from kan_core.tables import Table, read_csv

__all__ = ["TASKS", "Dataset", "Table", "read_csv", "table_dataset"]

TASKS = ("regression", "classification")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Train and test samples in original units.

    Inputs are (samples, I), targets (samples, J), floating and finite; they are detached from what made them. For the
    task "classification" there is one target column of zeros and ones, and a network's single output is the logit of
    class 1. Names default to x1, x2, … and y (y1, y2, … for several outputs). Raises DataError when a field does not
    fit.
    """

    train_inputs: Tensor
    train_targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor
    task: str = "regression"
    input_names: tuple[str, ...] | None = None
    output_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("train_inputs", "train_targets", "test_inputs", "test_targets"):
            object.__setattr__(self, name, check_samples(name, getattr(self, name)))
        for part in ("train", "test"):
            inputs, targets = getattr(self, f"{part}_inputs"), getattr(self, f"{part}_targets")
            if len(inputs) != len(targets):
                raise DataError(
                    f"{part}_inputs and {part}_targets have a row each a sample, received {len(inputs)} and "
                    f"{len(targets)} rows: give as many targets as inputs"
                )
        for part in ("inputs", "targets"):
            train, test = getattr(self, f"train_{part}"), getattr(self, f"test_{part}")
            if train.shape[1] != test.shape[1]:
                raise DataError(
                    f"train_{part} and test_{part} have the same columns, received {train.shape[1]} and "
                    f"{test.shape[1]}: use the same columns for both"
                )
        self._check_task()
        self._fill_names("input_names", self.train_inputs.shape[1], "x")
        self._fill_names("output_names", self.train_targets.shape[1], "y")

    @property
    def num_inputs(self) -> int:
        """I, how many input columns there are."""
        return self.train_inputs.shape[1]

    @property
    def num_outputs(self) -> int:
        """J, how many outputs a network needs."""
        return self.train_targets.shape[1]

    def to_dtype(self, dtype: torch.dtype) -> Dataset:
        """Return the same samples in another floating type."""
        return Dataset(
            train_inputs=self.train_inputs.to(dtype),
            train_targets=self.train_targets.to(dtype),
            test_inputs=self.test_inputs.to(dtype),
            test_targets=self.test_targets.to(dtype),
            task=self.task,
            input_names=self.input_names,
            output_names=self.output_names,
        )

    def _check_task(self) -> None:
        if self.task not in TASKS:
            raise DataError(f"task is one of {', '.join(TASKS)}, received task={self.task!r}: choose one of these")
        if self.task == "regression":
            return
        for name in ("train_targets", "test_targets"):
            targets = getattr(self, name)
            if targets.shape[1] != 1 or not bool(((targets == 0) | (targets == 1)).all()):
                raise DataError(
                    f"classification targets are one column of 0 and 1, received {name} of shape "
                    f"{tuple(targets.shape)} with other values or columns: name the classes 0 and 1"
                )

    def _fill_names(self, field: str, count: int, letter: str) -> None:
        names = getattr(self, field)
        if names is None:
            names = (letter,) if count == 1 and letter == "y" else tuple(f"{letter}{k + 1}" for k in range(count))
        if len(names) != count:
            raise DataError(f"{field} has a name for each of {count} columns, received {names}: name every column")
        object.__setattr__(self, field, tuple(names))


def table_dataset(
    table: Table, *, inputs: Sequence[str], target: str, task: str = "regression", seed: int = 0
) -> Dataset:
    """Return four fifths of a table's rows to train on and the rest to test, shuffled with `seed`, float64.

    Raises DataError when a column is missing, the target is among the inputs or constant, or a classification's target
    is not 0 and 1.
    """
    if not inputs or len(set(inputs)) != len(inputs) or target in inputs:
        raise DataError(
            f"Inputs are different columns without the target {target!r}, received {', '.join(inputs) or 'none'}: "
            "choose others."
        )
    values = np.column_stack([table.column(name) for name in inputs])
    wanted = table.column(target)
    if float(wanted.min()) == float(wanted.max()):
        raise DataError(f"The target {target!r} is constant at {wanted[0]:g}: choose a column that varies.")
    if task == "classification" and not np.isin(wanted, (0.0, 1.0)).all():
        raise DataError(f"A class is 0 or 1, but the column {target!r} holds other values: train it as a regression.")
    order = np.random.default_rng(seed).permutation(len(wanted))
    x, y = torch.from_numpy(values[order]), torch.from_numpy(wanted[order, None])
    num_train = (4 * len(wanted)) // 5
    return Dataset(
        train_inputs=x[:num_train],
        train_targets=y[:num_train],
        test_inputs=x[num_train:],
        test_targets=y[num_train:],
        task=task,
        input_names=tuple(inputs),
        output_names=(target,),
    )
