"""The runs of the lab: started, looked at, paused, resumed, cancelled, and gone on with after a restart."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from server.lab.carrying import Carrier
from server.lab.following import Follower
from server.lab.jobs import JobQueue
from server.lab.laws import Asker, LawFitter
from server.lab.leases import LabLeases
from server.lab.live import LiveRun
from server.lab.messages import LabCheck, LabRunCreated, LabRunEvent, LabRunInfo, LabRunSummary
from server.lab.plan import LabPlan
from server.lab.registry import RunRegistry
from server.lab.store import LabStore, Origin, StoredRun
from server.lab.tasks import Tasks
from server.lab.viewer import LabViewer
from server.lab.wording import describe_plan
from server.refusal import Refusal
from server.rooms import DELETED, INTERRUPTED


class LabRuns:
    """The runs that were started here (`origin`), and those of elsewhere to be looked at and steered.

    Call `load` first where interrupted runs are to be gone on with, and `stop` last. At most `max_runs` are kept, and
    `capacity` events wait for one who watches.
    """

    def __init__(
        self,
        store: LabStore,
        leases: LabLeases,
        queue: JobQueue,
        asker: Asker,
        *,
        origin: Origin,
        max_runs: int,
        capacity: int,
    ) -> None:
        self._store = store
        self._leases = leases
        self.queue = queue
        self._asker = asker
        self._origin: Origin = origin
        self._max_runs = max_runs
        self._capacity = capacity
        self._tasks = Tasks()
        self._registry = RunRegistry(store, num_processes=queue.num_processes)
        self._laws = LawFitter(store, asker, self._tasks)
        self._follower = Follower(store, self._registry, self._tasks, on_point=self._laws.refit)
        self.carrier = Carrier(
            store, leases, queue, self._registry, self._tasks, on_point=self._laws.refit, on_loss=self._follow
        )

    @property
    def num_processes(self) -> int:
        """How many points are computed at once."""
        return self.queue.num_processes

    async def load(self) -> None:
        """Go on with runs that were interrupted, the oldest first, and look out for them from now on."""
        await self.carrier.take_up_interrupted(self._origin)

    async def stop(self) -> None:
        """End all processes and send everyone away; runs go on at the next start. Stopping twice is harmless."""
        await self._tasks.stop()
        await self.carrier.stop()
        await self._asker.stop()
        self._registry.close(INTERRUPTED, "the server stops")

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
        await self._check_room()
        run_id, edit_key = _names()
        lease = self._leases.make()
        return await self._begin(await self._store.add_run(run_id, edit_key, plan, origin=self._origin, lease=lease))

    async def start_only(self, plan: LabPlan) -> LabRunCreated | None:
        """Run what a spec means unless another process runs it for the same origin; raises Refusal."""
        await self._check_room()
        run_id, edit_key = _names()
        lease = self._leases.make()
        stored = await self._store.add_only_run(run_id, edit_key, plan, origin=self._origin, lease=lease)
        return None if stored is None else await self._begin(stored)

    async def _check_room(self) -> None:
        if await self._store.count_runs(self._origin) >= self._max_runs:
            remedy = "delete one that you no longer need, or start the server with a higher KANOSCOPE_MAX_LAB_RUNS"
            raise Refusal("too_many_runs", f"This server keeps {self._max_runs} runs of the lab: {remedy}.")

    async def _begin(self, stored: StoredRun) -> LabRunCreated:
        await self.carrier.carry(await self._registry.keep(stored.run_id))
        return LabRunCreated(run_id=stored.run_id, edit_key=stored.edit_key)

    # --- looking

    async def summaries(self) -> list[LabRunSummary]:
        """Return all runs at a glance, the newest first."""
        return await self._store.load_summaries()

    async def info(self, run_id: str, key: str | None) -> LabRunInfo:
        """Return a run with the laws that its points follow; raises Refusal when there is none of this id."""
        run = await self._registry.find(run_id)
        await self._laws.fit(run)
        return run.info(can_edit=run.may_edit(key))

    async def results(self, run_id: str) -> tuple[LiveRun, list[str]]:
        """Return a run and its results so far as JSON, in the order of its points; raises Refusal for no run."""
        run = await self._registry.find(run_id)
        return run, await self._laws.results(run)

    @asynccontextmanager
    async def watch(self, run_id: str, key: str | None) -> AsyncGenerator[LabViewer]:
        """Tell of a run from now on, the whole of it first; raises Refusal when there is none of this id."""
        run = await self._registry.keep(run_id)
        viewer = LabViewer(self._capacity)
        viewer.put(LabRunEvent(run=run.info(can_edit=run.may_edit(key))))
        run.viewers.add(viewer)
        self._laws.refit(run)
        self._follower.follow(run)
        try:
            yield viewer
        finally:
            run.viewers.discard(viewer)
            self._registry.let_go(run)

    def _follow(self, run: LiveRun) -> None:
        """Tell of a run from the database that another process carries out now, if somebody watches it."""
        self._follower.follow(run)
        self._registry.let_go(run)

    # --- changing

    async def pause(self, run_id: str, key: str | None) -> None:
        """Let a run rest between two steps; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            if run.state == "paused":
                return
            if run.state != "running" or not await self._store.change_state(run_id, "paused", of=("running",)):
                raise Refusal("not_running", _say("There is nothing to pause.", run))
            if run.is_carried:
                self.queue.hold(run_id)
            run.set_state("paused")

    async def resume(self, run_id: str, key: str | None) -> None:
        """Go on with a paused run; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            if run.state == "running":
                return
            if run.state == "interrupted":
                raise Refusal("not_paused", run.sentence)
            # one that rests for an obstacle is to run by what is stored
            is_paused = run.state == "paused"
            if not is_paused or not await self._store.change_state(run_id, "running", of=("paused", "running")):
                raise Refusal("not_paused", _say("There is nothing to go on with: run the spec anew.", run))
            run.set_state("running")
            if run.is_carried:
                self.queue.release(run_id)
        if run.is_carried:
            return
        if run.stored.origin == self._origin and await self.carrier.take_up(run_id):
            return
        await self._follower.look(run)

    async def cancel(self, run_id: str, key: str | None) -> None:
        """End a run, keeping the points that are done; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            if run.state == "cancelled":
                return
            if not await self._store.change_state(run_id, "cancelled", of=("running", "paused")):
                raise Refusal("not_running", _say("There is nothing to cancel.", run))
            self.carrier.drop(run)
            run.set_state("cancelled")
            self._registry.let_go(run)

    async def delete(self, run_id: str, key: str | None) -> None:
        """Delete a run with all its points; raises Refusal."""
        run = await self._find_own(run_id, key)
        async with run.changing:
            self.carrier.drop(run)
            await self._store.delete_run(run_id)
            run.state = "cancelled"
            self._registry.forget(run)
            run.close(DELETED, "the run was deleted")

    async def _find_own(self, run_id: str, key: str | None) -> LiveRun:
        run = await self._registry.find(run_id)
        if not run.may_edit(key):
            raise Refusal("read_only", "Only who holds the edit link may change a run.")
        return run


def _names() -> tuple[str, str]:
    """Return the id of a new run and its edit key."""
    return secrets.token_urlsafe(8), secrets.token_urlsafe(16)


def _say(sentence: str, run: LiveRun) -> str:
    return f"{sentence} {run.sentence}".rstrip()
