"""Laws that are fitted to the points of a run while they come in."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from server.lab.live import LiveRun
from server.lab.messages import LabFit, LabFitsEvent
from server.lab.plan import LabPlan
from server.lab.store import LabStore
from server.lab.tasks import Tasks
from server.refusal import Refusal

# between one fit to the points so far and the next
FIT_INTERVAL = 1.0
log = logging.getLogger(__name__)


class Asker(Protocol):
    """What runs ask about specs and results."""

    async def plan(self, toml: str, *, only: str | None = None) -> LabPlan:
        """Return what a spec means; raises Refusal."""
        ...

    async def fits(self, run_id: str, toml: str, results: list[str]) -> list[dict[str, Any]]:
        """Return the laws that results follow, as values of LabFit; raises Refusal."""
        ...

    async def stop(self) -> None:
        """End; stopping twice is harmless."""
        ...


class LawFitter:
    """Fits laws to runs that are watched, one run at a time once a second at most, and to those asked for."""

    def __init__(self, store: LabStore, asker: Asker, tasks: Tasks) -> None:
        self._store = store
        self._asker = asker
        self._tasks = tasks
        self._fitting: set[str] = set()

    def refit(self, run: LiveRun) -> None:
        """Fit laws to the points so far and tell of them, unless that is under way already."""
        if run.stored.plan.kind == "scaling" and run.viewers and run.run_id not in self._fitting:
            self._fitting.add(run.run_id)
            self._tasks.spawn(self._keep_fitting(run))

    async def _keep_fitting(self, run: LiveRun) -> None:
        try:
            told = 0
            while told != (num_done := run.num_done) and run.viewers:
                await self.fit(run)
                if run.num_fitted < num_done:
                    # they cannot be fitted; perhaps they can when another point has come
                    break
                told = run.num_fitted
                run.publish(LabFitsEvent(fits=run.fits))
                await asyncio.sleep(FIT_INTERVAL)
        finally:
            self._fitting.discard(run.run_id)

    async def fit(self, run: LiveRun) -> None:
        """Fit laws to the points so far, unless there are those of as many."""
        plan = run.stored.plan
        num_done = run.num_done
        if plan.kind != "scaling" or num_done == run.num_fitted:
            return
        try:
            fits = await self._asker.fits(run.run_id, plan.toml, await self.results(run))
        except Refusal as refusal:
            log.warning("no laws were fitted to run %s: %s", run.run_id, refusal.sentence)
            return
        run.fits, run.num_fitted = [LabFit.model_validate(fit) for fit in fits], num_done

    async def results(self, run: LiveRun) -> list[str]:
        """Return a run's results so far as JSON, in the order of its points."""
        kept = await self._store.load_results(run.run_id)
        return [kept[point.key] for point in run.stored.plan.points if point.key in kept]
