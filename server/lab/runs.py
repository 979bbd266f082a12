"""The runs of the lab: started, paused, resumed, cancelled, and gone on with after a restart."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from server.lab.jobs import Job, JobProgress, JobQueue
from server.lab.live import LiveRun
from server.lab.messages import LabCheck, LabFit, LabFitsEvent, LabRunCreated, LabRunEvent, LabRunInfo, LabRunSummary
from server.lab.plan import LabPlan
from server.lab.store import LabStore, Origin, StoredRun
from server.lab.viewer import LabViewer
from server.lab.wording import describe_plan
from server.refusal import Refusal
from server.rooms import DELETED, INTERRUPTED

# between one fit of laws to the points so far and the next
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


class LabRuns:
    """The runs that were started here (`origin`), and those of elsewhere to be looked at.

    A point's result is kept before anybody hears of it, and at most once. Call `load` first and `stop` last. At most
    `max_runs` are kept, and `capacity` events wait for one who watches.
    """

    def __init__(
        self, store: LabStore, queue: JobQueue, asker: Asker, *, origin: Origin, max_runs: int, capacity: int
    ) -> None:
        self._store = store
        self.queue = queue
        self._asker = asker
        self._origin: Origin = origin
        self._max_runs = max_runs
        self._capacity = capacity
        # those that are not over, and those that somebody watches
        self._live: dict[str, LiveRun] = {}
        self._loading = asyncio.Lock()
        self._fitting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        queue.listen(self)

    @property
    def num_processes(self) -> int:
        """How many points are computed at once."""
        return self.queue.num_processes

    async def load(self) -> None:
        """Go on with the runs that a stop of the server interrupted, the oldest first."""
        for stored in reversed(await self._store.load_running(self._origin)):
            await self.go_on(stored)

    async def stop(self) -> None:
        """End all processes and send everyone away; runs go on at the next start. Stopping twice is harmless."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.queue.stop()
        await self._asker.stop()
        for run in self._live.values():
            run.close(INTERRUPTED, "the server stops")
        self._live.clear()

    # --- specs

    async def check(self, toml: str) -> LabCheck:
        """Return whether a spec can be run and what that means."""
        try:
            plan = await self._asker.plan(toml)
        except Refusal as refusal:
            return LabCheck(ok=False, sentence=refusal.sentence)
        return describe_plan(plan, num_processes=self.num_processes)

    async def start(self, toml: str) -> LabRunCreated:
        """Run a spec; raises Refusal."""
        return await self.start_plan(await self._asker.plan(toml))

    async def start_plan(self, plan: LabPlan) -> LabRunCreated:
        """Run what a spec means; raises Refusal when there are too many runs."""
        if await self._store.count_runs(self._origin) >= self._max_runs:
            remedy = "delete one that you no longer need, or start the server with a higher KANOSCOPE_MAX_LAB_RUNS"
            raise Refusal("too_many_runs", f"This server keeps {self._max_runs} runs of the lab: {remedy}.")
        run_id, edit_key = secrets.token_urlsafe(8), secrets.token_urlsafe(16)
        stored = await self._store.add_run(run_id, edit_key, plan, origin=self._origin)
        await self.go_on(stored)
        return LabRunCreated(run_id=run_id, edit_key=edit_key)

    async def go_on(self, stored: StoredRun) -> None:
        """Carry out what is missing of a run that nobody carries out at present."""
        run = self._live[stored.run_id] = LiveRun(
            stored, await self._store.load_results(stored.run_id), num_processes=self.num_processes
        )
        run.state = "running"
        self._put(run)
        await self._finish_if_complete(run)

    # --- looking

    async def summaries(self) -> list[LabRunSummary]:
        """Return all runs at a glance, the newest first."""
        return await self._store.load_summaries()

    async def info(self, run_id: str, key: str | None) -> LabRunInfo:
        """Return a run with the laws that its points follow; raises Refusal when there is none of this id."""
        run = await self._find(run_id)
        await self._fit(run)
        return run.info(can_edit=run.may_edit(key))

    async def results(self, run_id: str) -> tuple[LiveRun, list[str]]:
        """Return a run and its results so far as JSON, in the order of its points; raises Refusal for no run."""
        run = await self._find(run_id)
        return run, await self._results_of(run)

    @asynccontextmanager
    async def watch(self, run_id: str, key: str | None) -> AsyncGenerator[LabViewer]:
        """Tell of a run from now on, the whole of it first; raises Refusal when there is none of this id."""
        run = self._live.setdefault(run_id, await self._find(run_id))
        viewer = LabViewer(self._capacity)
        viewer.put(LabRunEvent(run=run.info(can_edit=run.may_edit(key))))
        run.viewers.add(viewer)
        self._refit(run)
        try:
            yield viewer
        finally:
            run.viewers.discard(viewer)
            self._let_go(run)

    async def _find(self, run_id: str) -> LiveRun:
        async with self._loading:
            run = self._live.get(run_id)
            if run is not None:
                return run
            stored = await self._store.load_run(run_id)
            if stored is None:
                raise Refusal("unknown_run", f"There is no run {run_id!r}.")
            results = await self._store.load_results(run_id)
            run = LiveRun(stored, results, num_processes=self.num_processes)
            if self._is_active(run):
                self._live[run_id] = run
            return run

    def _is_active(self, run: LiveRun) -> bool:
        """Whether the run is to be carried out here."""
        return run.state in ("running", "paused") and run.stored.origin == self._origin

    # --- changing

    async def pause(self, run_id: str, key: str | None) -> None:
        """Let a run rest between two steps; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            if run.state == "running":
                await self._store.set_state(run_id, "paused")
                self.queue.hold(run_id)
                run.set_state("paused")
            elif run.state != "paused":
                raise Refusal("not_running", f"There is nothing to pause. {run.sentence}")

    async def resume(self, run_id: str, key: str | None) -> None:
        """Go on with a paused run; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            if run.state == "paused":
                await self._store.set_state(run_id, "running")
                run.set_state("running")
                if not run.is_queued:
                    self._put(run)
                self.queue.release(run_id)
                await self._finish_if_complete(run)
            elif run.state != "running":
                raise Refusal("not_paused", f"There is nothing to go on with: run the spec anew. {run.sentence}")

    async def cancel(self, run_id: str, key: str | None) -> None:
        """End a run, keeping the points that are done; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            if run.state in ("running", "paused"):
                await self._store.set_state(run_id, "cancelled")
                self.queue.drop(run_id)
                run.set_state("cancelled")
                self._let_go(run)
            elif run.state != "cancelled":
                raise Refusal("not_running", f"There is nothing to cancel. {run.sentence}")

    async def delete(self, run_id: str, key: str | None) -> None:
        """Delete a run with all its points; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            self.queue.drop(run_id)
            await self._store.delete_run(run_id)
            run.state = "cancelled"
            self._live.pop(run_id, None)
            run.close(DELETED, "the run was deleted")

    async def _find_own(self, run_id: str, key: str | None) -> LiveRun:
        run = await self._find(run_id)
        if not run.may_edit(key):
            raise Refusal("read_only", "Only who holds the edit link may change a run.")
        return run

    def _put(self, run: LiveRun) -> None:
        run.is_queued = True
        stored = run.stored
        self.queue.put(Job(run_id=stored.run_id, toml=stored.plan.toml, point=point) for point in run.missing)

    def _let_go(self, run: LiveRun) -> None:
        """Keep a run that is not carried out here in memory only while somebody watches it."""
        run_id = run.stored.run_id
        if not run.viewers and not self._is_active(run) and self._live.get(run_id) is run:
            del self._live[run_id]

    # --- what the queue tells

    def on_progress(self, job: Job, progress: JobProgress) -> None:
        """Take note of how far a point is."""
        run = self._live.get(job.run_id)
        if run is not None and run.state == "running":
            run.note_progress(job.point.key, progress)

    async def on_result(self, job: Job, result: str) -> None:
        """Keep a point's result and tell of it."""
        run = self._live.get(job.run_id)
        if run is None or run.state in ("cancelled", "done"):
            return
        try:
            if not await self._store.add_result(job.run_id, job.point.key, result):
                kept = await self._store.load_results(job.run_id, keys=[job.point.key])
                if job.point.key not in kept:
                    # it was deleted meanwhile
                    return
                result = kept[job.point.key]
        except SQLAlchemyError as error:
            log.exception("the result of %s was not written", job.point.key)
            await self._halt(run, job, error)
            return
        run.finish_point(job.point.key, result)
        self._refit(run)
        async with run.changing:
            await self._finish_if_complete(run)

    async def _halt(self, run: LiveRun, job: Job, error: SQLAlchemyError) -> None:
        """Let a run rest whose results cannot be written; the point is computed again when it goes on."""
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        async with run.changing:
            self.queue.put([job])
            if run.state == "running":
                self.queue.hold(job.run_id)
                run.set_state("paused", obstacle=f"A result cannot be written ({reason}): make room and go on.")

    async def _finish_if_complete(self, run: LiveRun) -> None:
        if run.is_complete and run.state in ("running", "paused"):
            await self._store.set_state(run.stored.run_id, "done")
            run.set_state("done")
            self._let_go(run)

    # --- laws

    def _refit(self, run: LiveRun) -> None:
        """Fit laws to the points so far and tell of them, unless that is under way already."""
        run_id = run.stored.run_id
        if run.stored.plan.kind == "scaling" and run.viewers and run_id not in self._fitting:
            self._fitting.add(run_id)
            self._spawn(self._keep_fitting(run))

    async def _keep_fitting(self, run: LiveRun) -> None:
        try:
            told = 0
            while told != (num_done := run.num_done) and run.viewers:
                await self._fit(run)
                if run.num_fitted < num_done:
                    # they cannot be fitted; perhaps they can when another point has come
                    break
                told = run.num_fitted
                run.publish(LabFitsEvent(fits=run.fits))
                await asyncio.sleep(FIT_INTERVAL)
        finally:
            self._fitting.discard(run.stored.run_id)

    async def _fit(self, run: LiveRun) -> None:
        plan = run.stored.plan
        num_done = run.num_done
        if plan.kind != "scaling" or num_done == run.num_fitted:
            return
        try:
            fits = await self._asker.fits(run.stored.run_id, plan.toml, await self._results_of(run))
        except Refusal as refusal:
            log.warning("no laws were fitted to run %s: %s", run.stored.run_id, refusal.sentence)
            return
        run.fits, run.num_fitted = [LabFit.model_validate(fit) for fit in fits], num_done

    async def _results_of(self, run: LiveRun) -> list[str]:
        kept = await self._store.load_results(run.stored.run_id)
        return [kept[point.key] for point in run.stored.plan.points if point.key in kept]

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the laws of a run were not fitted", exc_info=error)
