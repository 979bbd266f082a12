"""Small problems that several tests learn from."""

from __future__ import annotations

import torch

from kan_core import Dataset


def exp_sin_dataset(*, seed: int = 0, num_samples: int = 200, dtype: torch.dtype = torch.float64) -> Dataset:
    """Return samples of exp(sin(πx) + y²) on [-1, 1]²."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(2 * num_samples, 2, generator=generator, dtype=dtype) * 2 - 1
    targets = torch.exp(torch.sin(torch.pi * inputs[:, :1]) + inputs[:, 1:] ** 2)
    return Dataset(
        train_inputs=inputs[:num_samples],
        train_targets=targets[:num_samples],
        test_inputs=inputs[num_samples:],
        test_targets=targets[num_samples:],
    )


def moons_dataset(*, seed: int = 0, num_samples: int = 200) -> Dataset:
    """Return two interleaving half circles with classes 0 and 1, in float64."""
    generator = torch.Generator().manual_seed(seed)
    angle = torch.rand(2 * num_samples, generator=generator, dtype=torch.float64) * torch.pi
    label = (torch.arange(2 * num_samples) % 2).to(torch.float64)
    x = torch.where(label == 0, torch.cos(angle), 1 - torch.cos(angle))
    y = torch.where(label == 0, torch.sin(angle), 0.5 - torch.sin(angle))
    inputs = torch.stack([x, y], dim=1)
    inputs = inputs + 0.1 * torch.randn(inputs.shape, generator=generator, dtype=torch.float64)
    targets = label.unsqueeze(1)
    return Dataset(
        train_inputs=inputs[:num_samples],
        train_targets=targets[:num_samples],
        test_inputs=inputs[num_samples:],
        test_targets=targets[num_samples:],
        task="classification",
    )
