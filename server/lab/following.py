"""Runs that others carry out, watched here: what comes of them is found in the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from server.lab.live import LiveRun
from server.lab.registry import RunRegistry
from server.lab.store import LabStore
from server.lab.tasks import Tasks
from server.rooms import DELETED

# between one look and the next
LOOK_INTERVAL = 1.0
log = logging.getLogger(__name__)


class Follower:
    """Looks once a second for news of runs that are watched here and carried out elsewhere, or by nobody.

    `on_point` is told of runs that have new points.
    """

    def __init__(
        self, store: LabStore, registry: RunRegistry, tasks: Tasks, *, on_point: Callable[[LiveRun], None]
    ) -> None:
        self._store = store
        self._registry = registry
        self._tasks = tasks
        self._on_point = on_point
        self._following: set[str] = set()

    def follow(self, run: LiveRun) -> None:
        """Tell of a run for as long as it is watched, goes on, and is carried out elsewhere."""
        if self._is_due(run) and run.run_id not in self._following:
            self._following.add(run.run_id)
            self._tasks.spawn(self._keep_looking(run))

    def _is_due(self, run: LiveRun) -> bool:
        return bool(run.viewers) and not run.is_carried and not run.is_over

    async def _keep_looking(self, run: LiveRun) -> None:
        try:
            while self._is_due(run):
                try:
                    await self.look(run)
                except SQLAlchemyError:
                    log.exception("the database did not tell how run %s stands; it is asked again", run.run_id)
                await asyncio.sleep(LOOK_INTERVAL)
        finally:
            self._following.discard(run.run_id)

    async def look(self, run: LiveRun) -> None:
        """Take up what the database has of a run that is not carried out here, and tell of it."""
        async with run.changing:
            standing = await self._store.load_standing(run.run_id)
            if run.is_carried:
                return
            if standing is None:
                self._registry.forget(run)
                run.state = "cancelled"
                run.close(DELETED, "the run was deleted")
                return
            state, num_done = standing
            if num_done != run.num_done:
                keys = [point.key for point in run.missing]
                run.take_results(await self._store.load_results(run.run_id, keys=keys))
                self._on_point(run)
            if state != run.state:
                run.set_state(state)
        self._registry.let_go(run)
