"""A session's search for laws: one at a time, in its network or in its data."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from kan_core import KAN
from server.discovering import discover_law
from server.explaining import Explaining, explain_network
from server.messages import MAX_EDGES, MAX_LAYERS, MAX_WIDTH, Event, ExplanationEvent, ExplanationInfo
from server.refusal import Refusal
from server.session_data import SessionData
from server.session_record import SessionRecord
from server.views import network_settings

EXPLANATION_INTERVAL = 0.2


class Laws:
    """The search for laws that was started last, running or over, if any; a copy goes its own way."""

    def __init__(self, explaining: Explaining | None = None) -> None:
        self._explaining = explaining
        self._next_told = -math.inf

    @classmethod
    def restored(cls, described: Mapping[str, object] | None, networks: Sequence[KAN], data: SessionData) -> Laws:
        """Return what a checkpoint kept of a search, as `ExplanationInfo` describes it; raises ValueError."""
        if described is None:
            return cls()
        return cls(Explaining.restored(ExplanationInfo.model_validate(described), networks, data))

    def copy(self) -> Laws:
        """Return laws that go on to another search on their own."""
        return copy.copy(self)

    @property
    def is_searching(self) -> bool:
        """Whether a search is at work."""
        return self._explaining is not None and self._explaining.is_running

    @property
    def is_beside(self) -> bool:
        """Whether a search is at work in processes of its own, so that training goes on."""
        return self._explaining is not None and self._explaining.is_running and self._explaining.is_beside

    @property
    def takes_turns(self) -> bool:
        """Whether a search is at work that takes the place of training."""
        return self.is_searching and not self.is_beside

    @property
    def last_id(self) -> int:
        """The number of laws that were found since the session began."""
        return 0 if self._explaining is None else self._explaining.last_id

    @property
    def networks(self) -> list[KAN]:
        """The networks of the laws that are listed, in their order."""
        return [] if self._explaining is None else self._explaining.networks

    def info(self, *, trains_after: bool) -> ExplanationInfo | None:
        """Return how the search stands, None when there was none."""
        return None if self._explaining is None else self._explaining.info(trains_after=trains_after)

    def explain(self, network: KAN, data: SessionData, record: SessionRecord, *, step: int) -> None:
        """Search in a copy of `network`; raises Refusal with code explaining or too_few_samples."""
        self._check_free()
        self._begin(explain_network(network, data, record.library, seed=record.seed, step=step, last_id=self.last_id))

    def discover(self, data: SessionData, record: SessionRecord, *, seconds: float, step: int) -> None:
        """Search in the data for at most `seconds`; raises Refusal with code explaining or not_for_discovery."""
        self._check_free()
        self._begin(
            discover_law(data, record.library, seconds=seconds, seed=record.seed, step=step, last_id=self.last_id)
        )

    def _check_free(self) -> None:
        if self.is_searching:
            raise Refusal("explaining", "A search for laws is at work already: cancel it first, or wait for its end.")

    def _begin(self, explaining: Explaining) -> None:
        self._explaining = explaining
        self._next_told = -math.inf

    def cancel(self) -> None:
        """End the search and keep what was found; raises Refusal with code nothing_to_cancel."""
        if self._explaining is None:
            raise Refusal("nothing_to_cancel", "No search for laws was started: there is nothing to cancel.")
        self._explaining.cancel()

    def network_of(self, law_id: int) -> KAN:
        """Return a copy of a law's network; raises Refusal with code unknown_law or too_large."""
        if self._explaining is None:
            raise Refusal(
                "unknown_law", f"There is no law with id={law_id}, as none was searched for: explain the network first."
            )
        network = self._explaining.network_of(law_id)
        _check_shape(network, law_id)
        return network.copy()

    def forget(self, *, has_other_data: bool) -> bool:
        """Drop a search in a network that is no more, and any on other data, and return whether there was one."""
        if self._explaining is None or (self._explaining.is_beside and not has_other_data):
            return False
        self._explaining.close()
        self._explaining = None
        return True

    def close(self) -> None:
        """End the search if it is at work; closing twice is harmless."""
        if self._explaining is not None:
            self._explaining.close()

    def wait(self) -> float | None:
        """Return the seconds until `advance` has something to do, None when no search is at work."""
        return None if self._explaining is None else self._explaining.wait()

    def advance(self, seconds: float, now: float, clock: Callable[[], float], *, trains_after: bool) -> list[Event]:
        """Search on for at most `seconds`; how that stands is told five times a second."""
        if self._explaining is None:
            return []
        self._explaining.advance(seconds, clock)
        if self.is_searching and now < self._next_told:
            return []
        self._next_told = now + EXPLANATION_INTERVAL
        return [ExplanationEvent(explanation=self.info(trains_after=trains_after))]


def _check_shape(network: KAN, law_id: int) -> None:
    """Raise Refusal with code too_large when no diagram has the shape of the law's network."""
    widths = list(network.widths)
    needed = f"law {law_id} needs widths={widths}: copy its formula, or restore a simpler law."
    try:
        network_settings(network)
    except ValidationError as error:
        limits = f"A diagram has at most {MAX_LAYERS} layers of at most {MAX_WIDTH} nodes"
        raise Refusal("too_large", f"{limits}, and {needed}") from error
    if sum(1 for _ in network.edges()) > MAX_EDGES:
        raise Refusal("too_large", f"A diagram has at most {MAX_EDGES} edges, and {needed}")
