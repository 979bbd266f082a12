"""Undo and redo of structural acts, as whole networks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from server.messages import HistoryInfo
from server.model import Network
from server.models import model_of

MAX_ENTRIES = 20


Sparsity = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """A network from before (undo) or after (redo) the act that `label` names.

    `sparsity` are the weights (l1, entropy) from that time where the act changed them, else None. `chosen_grid` is the
    grid size that the recipe of "auto" had to keep to at that time, None where it chose.
    """

    label: str
    network: Network
    sparsity: Sparsity | None = None
    chosen_grid: int | None = None


class History:
    """The newest 20 structural acts; older ones are forgotten.

    Networks are copied on the way in, and must be copied by whoever changes them on the way out.
    """

    def __init__(self, undo: Iterable[Entry] = (), redo: Iterable[Entry] = ()) -> None:
        self.undo_entries: deque[Entry] = deque(undo, maxlen=MAX_ENTRIES)
        self.redo_entries: deque[Entry] = deque(redo, maxlen=MAX_ENTRIES)

    def copy(self) -> History:
        """Return a history of the same entries that goes its own way."""
        return History(self.undo_entries, self.redo_entries)

    def push(self, entry: Entry) -> None:
        """Remember how things stood before an act; what was taken back can no longer be done again."""
        self.undo_entries.append(replace(entry, network=model_of(entry.network).copy()))
        self.redo_entries.clear()

    def undo(self, now: Entry) -> Entry | None:
        """Return the newest act with how things stood before it, or None when there is nothing to take back.

        `now` is how they stand; its label does not matter.
        """
        return _pass_on(self.undo_entries, self.redo_entries, now)

    def redo(self, now: Entry) -> Entry | None:
        """Return the act taken back last with how things stood after it, or None when there is none."""
        return _pass_on(self.redo_entries, self.undo_entries, now)

    def info(self) -> HistoryInfo:
        """Return what undo and redo would do."""
        return HistoryInfo(
            undo=self.undo_entries[-1].label if self.undo_entries else None,
            redo=self.redo_entries[-1].label if self.redo_entries else None,
        )


def _pass_on(come: deque[Entry], go: deque[Entry], now: Entry) -> Entry | None:
    if not come:
        return None
    entry = come.pop()
    sparsity = None if entry.sparsity is None else now.sparsity
    go.append(replace(now, label=entry.label, network=model_of(now.network).copy(), sparsity=sparsity))
    return entry
