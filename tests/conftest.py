"""Settings that hold for every test."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

# deterministic examples, and no deadline: a test is never judged by the clock
settings.register_profile("kanoscope", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("kanoscope")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let browser tests come last."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


@pytest.fixture(scope="session", autouse=True)
def single_threaded_torch() -> None:
    """Small tensors are faster on one thread, and results do not depend on the machine."""
    torch.set_num_threads(1)
