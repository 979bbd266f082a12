"""How fast this machine is, by short measurements beside whatever else it does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache

import numpy as np

# what the measurement takes on the machine that the numbers of `kan_core.lab.costs` are from, in seconds
PROBE_SECONDS = 2.8e-3
# matrices this small are multiplied by one thread, whatever else the library would use
PROBE_SIZE, NUM_PRODUCTS = 64, 100
NUM_PROBES = 8
# so long a measurement is relied on before there are others, in seconds
PROBE_INTERVAL = 10.0
LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0


def probe_seconds() -> float:
    """Return the processor seconds that this thread takes for products of small matrices and their tanh."""
    matrix = np.random.default_rng(0).normal(size=(PROBE_SIZE, PROBE_SIZE))
    began = time.thread_time()
    for _ in range(NUM_PRODUCTS):
        np.tanh(matrix @ matrix)
    return time.thread_time() - began


class Machine:
    """Knows the shortest of all probes so far, since other work on the machine can only make one longer."""

    def __init__(
        self, *, probe: Callable[[], float] = probe_seconds, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probe, self._clock = probe, clock
        self._shortest, self._probed_at = math.inf, -math.inf

    def factor(self) -> float:
        """Return how many times as long as where the numbers are from it takes, 0.1 to 10."""
        now = self._clock()
        if now - self._probed_at >= PROBE_INTERVAL:
            self._shortest = min(self._shortest, *(self._probe() for _ in range(NUM_PROBES)))
            self._probed_at = now
        return min(max(self._shortest / PROBE_SECONDS, LEAST_FACTOR), MOST_FACTOR)


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """Return the one that this process runs on."""
    return Machine()
