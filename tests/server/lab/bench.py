"""Runs of the lab on a database of their own, with a queue and answers that are fakes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.lab.leases import LabLeases
from server.lab.runs import LabRuns
from server.lab.store import LabStore, Origin
from server.lab.viewer import LabViewer
from server.storage import Storage
from tests.server.lab.fakes import Clock, FakeAsker, FakeQueue, make_plan

LEASE = 10.0
PLANS = {"race": make_plan(), "sweep": make_plan(kind="scaling", digest="e" * 64)}


class Bench:
    """Runs on a database of their own, with a queue and answers that are fakes."""

    def __init__(
        self, storage: Storage, *, origin: Origin = "page", max_runs: int = 10, clock: Clock | None = None
    ) -> None:
        self.queue = FakeQueue()
        self.asker = FakeAsker(PLANS)
        self.clock = Clock() if clock is None else clock
        self.store = LabStore(storage, clock=self.clock)
        self.leases = LabLeases(storage, seconds=LEASE, clock=self.clock)
        self.runs = LabRuns(
            self.store, self.leases, self.queue, self.asker, origin=origin, max_runs=max_runs, capacity=50
        )


@asynccontextmanager
async def bench(
    folder: Path, *, origin: Origin = "page", max_runs: int = 10, clock: Clock | None = None
) -> AsyncGenerator[Bench]:
    """Open a database, go on with what is there, and stop at the end."""
    storage = Storage(f"sqlite+aiosqlite:///{folder / 'test.sqlite3'}")
    await storage.open()
    one = Bench(storage, origin=origin, max_runs=max_runs, clock=clock)
    if origin == "page":
        await one.runs.load()
    try:
        yield one
    finally:
        await one.runs.stop()
        await one.runs.stop()
        await storage.close()


async def read(viewer: LabViewer) -> dict[str, Any]:
    return json.loads(await viewer.get())
