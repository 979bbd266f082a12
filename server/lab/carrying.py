"""Runs that are carried out here: their points are computed and kept, and their leases renewed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from server.lab.jobs import Job, JobProgress, JobQueue
from server.lab.leases import LabLeases
from server.lab.live import LiveRun
from server.lab.registry import RunRegistry
from server.lab.store import LabStore, Origin, StoredState
from server.lab.tasks import Tasks
from server.refusal import Refusal

log = logging.getLogger(__name__)


class Carrier:
    """Carries runs out. A point's result is kept before anybody hears of it, and at most once.

    What is to become of a run stands in the database, where other processes may change it, and is done here at the next
    renewal of its lease. `on_point` is told of runs that have a new point, `on_loss` of those that are carried out
    here no longer though they are not over: they were deleted, or another process took them.
    """

    def __init__(
        self,
        store: LabStore,
        leases: LabLeases,
        queue: JobQueue,
        registry: RunRegistry,
        tasks: Tasks,
        *,
        on_point: Callable[[LiveRun], None],
        on_loss: Callable[[LiveRun], None],
    ) -> None:
        self._store = store
        self._leases = leases
        self._queue = queue
        self._registry = registry
        self._tasks = tasks
        self._on_point = on_point
        self._on_loss = on_loss
        self._is_beating = False
        # whose interrupted runs are taken up, if any
        self._origin: Origin | None = None
        queue.listen(self)

    async def take_up_interrupted(self, origin: Origin) -> None:
        """Carry out the runs of an origin that are to go on and that nobody carries out, now and from now on."""
        self._origin = origin
        await self.beat()
        self._begin_beating()

    async def take_up(self, run_id: str) -> bool:
        """Carry out what is missing of a run; returns False when another process does, or it is not to go on."""
        if not await self._leases.acquire(run_id):
            return False
        try:
            run = await self._registry.keep(run_id)
        except Refusal:
            # it was deleted since
            return False
        async with run.changing:
            run.take_results(await self._store.load_results(run_id, keys=[point.key for point in run.missing]))
            if run.state != "running":
                run.set_state("running")
            await self.carry(run)
        return True

    async def carry(self, run: LiveRun) -> None:
        """Carry out what is missing of a run in memory whose lease is this process's own; twice is harmless."""
        if run.is_carried:
            return
        run.is_carried = True
        stored = run.stored
        self._queue.put(Job(run_id=stored.run_id, toml=stored.plan.toml, point=point) for point in run.missing)
        self._begin_beating()
        await self._finish_if_complete(run)

    def drop(self, run: LiveRun) -> None:
        """Carry a run out no longer; of its points nothing comes any more."""
        if run.is_carried:
            run.is_carried = False
            run.forget_running()
            self._queue.drop(run.run_id)

    async def stop(self) -> None:
        """End all processes and give leases back, so that runs go on elsewhere or at the next start."""
        await self._queue.stop()
        carried = [run.run_id for run in self._registry if run.is_carried]
        try:
            if carried:
                await self._leases.release(carried)
        except SQLAlchemyError:
            log.exception("the leases of %d runs were not given back; they run out by themselves", len(carried))

    # --- what the queue tells

    def on_progress(self, job: Job, progress: JobProgress) -> None:
        """Take note of how far a point is."""
        run = self._registry.get(job.run_id)
        if run is not None and run.is_carried and run.state == "running":
            run.note_progress(job.point.key, progress)

    async def on_result(self, job: Job, result: str) -> None:
        """Keep a point's result and tell of it."""
        run = self._registry.get(job.run_id)
        if run is None or not run.is_carried:
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
        run.take_results({job.point.key: result})
        self._on_point(run)
        async with run.changing:
            await self._finish_if_complete(run)

    async def _halt(self, run: LiveRun, job: Job, error: SQLAlchemyError) -> None:
        """Let a run rest whose results cannot be written; the point is computed again when it goes on."""
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        async with run.changing:
            if not run.is_carried:
                return
            self._queue.put([job])
            if run.state == "running":
                self._queue.hold(job.run_id)
                run.set_state("paused", obstacle=f"A result cannot be written ({reason}): make room and go on.")

    async def _finish_if_complete(self, run: LiveRun) -> None:
        """Note that a run is done whose points all are; where that cannot be written it is tried again soon."""
        if not run.is_complete or not run.is_carried:
            return
        try:
            is_noted = await self._store.change_state(run.run_id, "done", of=("running", "paused"))
        except SQLAlchemyError:
            log.exception("the end of run %s was not written; that is tried again", run.run_id)
            return
        if is_noted:
            self._end(run, "done")

    def _end(self, run: LiveRun, state: StoredState) -> None:
        self.drop(run)
        run.set_state(state)
        self._registry.let_go(run)

    # --- leases

    def _begin_beating(self) -> None:
        if not self._is_beating:
            self._is_beating = True
            self._tasks.spawn(self._keep_beating())

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._leases.interval)
            try:
                await self.beat()
            except Exception:
                # whatever it was, leases that are not renewed run out
                log.exception("leases were not renewed; that is tried again")

    async def beat(self) -> None:
        """Renew all leases, do what others want of runs, and take up what was interrupted."""
        carried = [run for run in self._registry if run.is_carried]
        wanted = await self._leases.renew([run.run_id for run in carried])
        for run in carried:
            if wanted.get(run.run_id) != run.wanted or run.is_complete:
                async with run.changing:
                    await self._obey(run)
        if self._origin is not None:
            for run_id in await self._leases.load_interrupted(self._origin):
                await self.take_up(run_id)

    async def _obey(self, run: LiveRun) -> None:
        """Do what is wanted of a run by the database, asked while nothing here changes it."""
        if not run.is_carried:
            return
        wanted = (await self._leases.renew([run.run_id])).get(run.run_id)
        match wanted:
            case None:
                self.drop(run)
                self._on_loss(run)
            case "cancelled" | "done":
                self._end(run, wanted)
            case "paused" if run.wanted == "running":
                self._queue.hold(run.run_id)
                run.set_state("paused")
            case "running" if run.wanted == "paused":
                self._queue.release(run.run_id)
                run.set_state("running")
            case _:
                pass
        await self._finish_if_complete(run)
