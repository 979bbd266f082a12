"""A discovery as a session carries it on: from the data to a law, in processes beside this one."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence

from kan_core.datasets import Dataset
from kan_core.discover import Discovery, split_for_discovery
from kan_core.discovery.verdict import best_law
from kan_core.errors import KanError
from kan_core.symbolic import Library
from kan_core.symbolic.laws import Law
from server.explaining import Explaining
from server.messages import SearchKind
from server.refusal import Refusal
from server.session_data import SessionData

# seconds from one look at the processes to the next
LOOK_AGAIN = 0.25
# one climbs from small shapes, one takes the problem apart; others do the same from other seeds
FEWEST_PROCESSES = 2
MOST_PROCESSES = 4

log = logging.getLogger(__name__)


class DiscoverySearch:
    """The search for the law behind the training samples of `dataset`, which starts at once.

    Sending the samples to processes that still load takes as long as they load, so a thread starts them. Raises
    DataError as Discovery does.
    """

    kind: SearchKind = "discover"
    num_tried = 0

    def __init__(
        self,
        dataset: Dataset,
        *,
        seconds: float,
        seed: int,
        library: Library,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds: float | None = seconds
        self.laws: list[Law] = []
        self.best: Law | None = None
        self._clock, self._next_look = clock, -math.inf
        split = split_for_discovery(dataset, seed=seed)
        self._target = (split.output_names or ("y",))[0]
        self.num_held_out = len(split.test_inputs)
        self._spread = float(split.test_targets.std(correction=0)) or 1.0
        self._limit = seconds
        self._num_processes = min(max(os.cpu_count() or 1, FEWEST_PROCESSES), MOST_PROCESSES)
        self._discovery: Discovery | None = None
        self._failure: Exception | None = None
        self._is_closed = False
        self._lock = threading.Lock()

        def begin() -> None:
            self._begin(dataset, seed, library)

        threading.Thread(target=begin, name="discovery").start()

    def _begin(self, dataset: Dataset, seed: int, library: Library) -> None:
        try:
            made = Discovery(dataset, seconds=self._limit, seed=seed, processes=self._num_processes, library=library)
        # whatever it is, the search says so, which otherwise would be starting for ever
        except Exception as error:
            log.warning("a discovery could not be started", exc_info=True)
            self._failure = error
            return
        with self._lock:
            if not self._is_closed:
                self._discovery = made
                return
        made.close()

    @property
    def progress(self) -> float:
        """The share of the time that is gone, 1 when it is done."""
        return 0.0 if self._discovery is None else self._discovery.progress

    @property
    def elapsed(self) -> float:
        """The seconds from when the processes had loaded, or from then to the end; 0 before."""
        return 0.0 if self._discovery is None else self._discovery.elapsed

    @property
    def is_done(self) -> bool:
        """Whether no process works any more."""
        return self._discovery is not None and self._discovery.is_done

    @property
    def findings(self) -> Sequence[str]:
        """What was noticed about the samples."""
        return [] if self._discovery is None else self._discovery.findings

    @property
    def activities(self) -> Sequence[str]:
        """What each process is at, empty for one that loads or is through."""
        return [] if self._discovery is None else self._discovery.activities

    @property
    def sentence(self) -> str:
        """How it stands, and at its end how far the best law is to be believed."""
        discovery = self._discovery
        if discovery is None or not (discovery.has_loaded or self.is_done):
            return f"Starting: {self._num_processes} processes load what they need."
        if not self.is_done:
            return f"Looking for the law behind {self._target} in {self._num_processes} processes."
        return discovery.conclusion(self.best)

    def advance(self) -> None:
        """Look at what the processes have found; raises KanError when they could not be started."""
        self._next_look = self._clock() + LOOK_AGAIN
        if self._failure is not None:
            raise KanError(f"its processes could not be started ({self._failure})") from self._failure
        if self._discovery is None:
            return
        self._discovery.poll()
        self.laws = [law for law in self._discovery.laws if math.isfinite(law.train_rmse)]
        if self.laws:
            self.best = self.laws[best_law(self.laws, num_held_out=self.num_held_out, spread=self._spread)]

    def wait(self) -> float:
        """Return the seconds until the next look."""
        return max(0.0, self._next_look - self._clock())

    def close(self) -> None:
        """End the processes at once, those that are only being started as soon as they are; twice is harmless."""
        with self._lock:
            self._is_closed = True
        if self._discovery is not None:
            self._discovery.close()


def discover_law(
    data: SessionData, library: Library, *, seconds: float, seed: int, step: int, last_id: int
) -> Explaining:
    """Return a search for the law behind the training samples, a fifth of them, drawn with `seed`, to judge by.

    Raises Refusal with code not_for_discovery.
    """
    try:
        search = DiscoverySearch(data.dataset, seconds=seconds, seed=seed, library=library)
    except KanError as error:
        raise Refusal("not_for_discovery", str(error)) from error
    num_held_out = search.num_held_out
    samples = (
        f"Laws are fitted to {data.info.num_train - num_held_out} of the training samples and chosen by the other "
        f"{num_held_out}; the {data.info.num_test} test samples and the network on the diagram have no part in it."
    )
    return Explaining(search, data, samples=samples, step=step, last_id=last_id)
