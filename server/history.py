"""Undo and redo of structural acts, as whole networks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from kan_core import KAN
from server.messages import HistoryInfo

MAX_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A network from before (undo) or after (redo) the act that `label` names."""

    label: str
    network: KAN


class History:
    """The newest 20 structural acts; older ones are forgotten.

    Networks are copied on the way in, and must be copied by whoever changes them on the way out.
    """

    def __init__(self, undo: Iterable[Entry] = (), redo: Iterable[Entry] = ()) -> None:
        self.undo_entries: deque[Entry] = deque(undo, maxlen=MAX_ENTRIES)
        self.redo_entries: deque[Entry] = deque(redo, maxlen=MAX_ENTRIES)

    def push(self, label: str, before: KAN) -> None:
        """Remember the network from before an act; what was taken back can no longer be done again."""
        self.undo_entries.append(Entry(label, before.copy()))
        self.redo_entries.clear()

    def undo(self, current: KAN) -> Entry | None:
        """Return the newest act with the network from before it, or None when there is nothing to take back."""
        if not self.undo_entries:
            return None
        entry = self.undo_entries.pop()
        self.redo_entries.append(Entry(entry.label, current.copy()))
        return entry

    def redo(self, current: KAN) -> Entry | None:
        """Return the act taken back last with the network from after it, or None when there is none."""
        if not self.redo_entries:
            return None
        entry = self.redo_entries.pop()
        self.undo_entries.append(Entry(entry.label, current.copy()))
        return entry

    def info(self) -> HistoryInfo:
        """Return what undo and redo would do."""
        return HistoryInfo(
            undo=self.undo_entries[-1].label if self.undo_entries else None,
            redo=self.redo_entries[-1].label if self.redo_entries else None,
        )
