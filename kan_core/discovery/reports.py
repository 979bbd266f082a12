"""What goes between a discovery and its processes."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.datasets import Dataset
from kan_core.discovery.composition import unlock
from kan_core.discovery.shapes import Shape
from kan_core.symbolic.held_out import judged_normal_form
from kan_core.symbolic.laws import Law
from kan_core.symbolic.normal_form import normal_form

LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process is to do: samples, seed, way and time from when it has loaded, and a person's own functions."""

    dataset: Dataset
    seed: int
    divides_first: bool
    seconds: float
    own_functions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is new since the report before: laws as (network, complexity, train_rmse, test_rmse), the networks as bytes.

    `network_errors` are the held-out errors of the networks of curves so far, the least of each shape. The first report
    comes as soon as a process has loaded what it needs, with the mean in it.
    """

    laws: list[tuple[bytes, int, float, float]]
    findings: list[str]
    activity: str
    network_errors: dict[Shape, float]
    is_done: bool


def pack_law(law: Law) -> tuple[bytes, int, float, float]:
    """Return a law as a report has it."""
    return to_bytes(law.network), law.complexity, law.train_rmse, law.test_rmse


def unpack_law(packed: tuple[bytes, int, float, float], dataset: Dataset | None = None) -> Law:
    """Return the law of a report, all its constants free, in normal form unless `dataset`, its samples, objects."""
    network, complexity, train_rmse, test_rmse = packed
    free = unlock(from_bytes(network))
    return Law(
        network=normal_form(free) if dataset is None else judged_normal_form(free, dataset),
        complexity=complexity,
        train_rmse=train_rmse,
        test_rmse=test_rmse,
    )


def write_message(output: BinaryIO, message: object) -> None:
    """Write one message, its length first."""
    body = pickle.dumps(message)
    output.write(LENGTH.pack(len(body)) + body)
    output.flush()
