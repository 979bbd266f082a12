"""The runs that are in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from server.lab.live import LiveRun
from server.lab.store import LabStore
from server.refusal import Refusal


class RunRegistry:
    """The runs that are carried out here and those that somebody watches; all others are looked up when asked for."""

    def __init__(self, store: LabStore, *, num_processes: int) -> None:
        self._store = store
        self._num_processes = num_processes
        self._runs: dict[str, LiveRun] = {}
        self._loading = asyncio.Lock()

    def __iter__(self) -> Iterator[LiveRun]:
        """Go through the runs as they are now."""
        return iter(list(self._runs.values()))

    def get(self, run_id: str) -> LiveRun | None:
        """Return a run that is in memory."""
        return self._runs.get(run_id)

    async def find(self, run_id: str) -> LiveRun:
        """Return a run as it stands; raises Refusal when there is none of this id."""
        async with self._loading:
            run = self._runs.get(run_id)
            if run is not None:
                return run
            stored = await self._store.load_run(run_id)
            if stored is None:
                raise Refusal("unknown_run", f"There is no run {run_id!r}.")
            results = await self._store.load_results(run_id)
            return LiveRun(stored, results, num_processes=self._num_processes)

    async def keep(self, run_id: str) -> LiveRun:
        """Return a run which stays in memory until it is let go; raises Refusal when there is none of this id."""
        return self._runs.setdefault(run_id, await self.find(run_id))

    def let_go(self, run: LiveRun) -> None:
        """Forget a run that is neither carried out here nor watched."""
        if not run.viewers and not run.is_carried:
            self.forget(run)

    def forget(self, run: LiveRun) -> None:
        """Forget a run."""
        if self._runs.get(run.run_id) is run:
            del self._runs[run.run_id]

    def close(self, code: int, reason: str) -> None:
        """Forget all runs and send everyone away who watches them."""
        for run in self:
            run.close(code, reason)
        self._runs.clear()
