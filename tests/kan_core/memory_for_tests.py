"""A process of its own that trains a network and says by how much it grew; run by `test_memory`, on Linux alone.

    python -m tests.kan_core.memory_for_tests '{"widths": [4, 3, 1], "optimizer": "adam", …}'

It prints the reported bytes and the measured ones, of which the interpreter, torch and compiled code are no part.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from pathlib import Path
from typing import Any

import torch

from kan_core import KAN, Dataset, NetworkSpec, Trainer, TrainingSpec
from kan_core.memory import training_bytes


def make_dataset(num_train: int, num_test: int, num_inputs: int) -> Dataset:
    inputs = torch.rand(num_train + num_test, num_inputs, generator=torch.Generator().manual_seed(0)).double()
    targets = inputs.sum(dim=1, keepdim=True).sin()
    return Dataset(
        train_inputs=inputs[:num_train],
        train_targets=targets[:num_train],
        test_inputs=inputs[num_train:],
        test_targets=targets[num_train:],
    )


def read_status(name: str) -> int:
    """Return a size in bytes that the kernel knows of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def measure(
    *, widths: list[int], optimizer: str, train: int, test: int, steps: int = 12, l1: float = 0.0, **fields: Any
) -> tuple[int, int]:
    """Return the bytes reported for training a network and the most that the process grew by."""
    spec, training = NetworkSpec(widths=tuple(widths), **fields), TrainingSpec(optimizer=optimizer, l1=l1)
    # what is compiled or loaded once is no part of training
    coarse_fields: dict[str, Any] = {**fields, "grid_size": 5}
    coarse = NetworkSpec(widths=tuple(widths), **coarse_fields)
    Trainer(KAN(coarse, dtype=torch.float64), make_dataset(64, 64, widths[0]), training).step()
    network, dataset = KAN(spec, dtype=torch.float64), make_dataset(train, test, widths[0])
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = read_status("VmRSS")
    trainer = Trainer(network, dataset, training)
    for _ in range(steps):
        trainer.step()
    return training_bytes(network, dataset, optimizer=optimizer), read_status("VmHWM") - before


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))  # noqa: T201
