"""The job queue of one machine: processes that leave the processor to sessions when those want it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from server.lab.jobs import Job, JobListener, JobProgress, failed_json
from server.lab.process import NUMBER, run_points
from server.wire import Kind, Packet
from server.worker_process import WorkerProcess, make_context

# how often a job is begun whose process ends under it
MAX_TRIES = 2
IDLE_SECONDS = 10.0
RETRY_SECONDS = 5.0
DIED = "The process ended while it computed this point, twice: perhaps there was not enough memory."
log = logging.getLogger(__name__)


class PointProcess(Protocol):
    """What the queue needs of a process."""

    @property
    def pid(self) -> int | None:
        """The process id."""
        ...

    def listen(self, on_packet: Callable[[Packet], None], on_death: Callable[[object], None]) -> None:
        """Begin to read."""
        ...

    def send(self, packet: Packet) -> None:
        """Send a packet; to a dead process it is lost."""
        ...

    def kill(self) -> None:
        """End the process at once."""
        ...

    async def stop(self) -> None:
        """End the process."""
        ...


async def launch_process() -> PointProcess:
    """Start a process that computes points."""
    return await WorkerProcess.launch(make_context(), run_points)


class Seat:
    """A process and the job that it has, if any; a job that `rests` is held where it is."""

    def __init__(self, process: PointProcess) -> None:
        self.process = process
        self.job: Job | None = None
        self.number = 0
        self.rests = False
        # its result is being kept
        self.is_keeping = False
        self.idle_since = 0.0

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return self.job is None and not self.is_keeping


class LocalJobQueue:
    """Computes jobs in `num_processes` processes, started when there is work and ended when there has been none.

    Of held jobs at most as many rest in processes of their own; above that the one that has rested longest begins anew
    later. A job whose process ends under it is tried once more, and then failed.
    """

    def __init__(self, num_processes: int, *, launch: Callable[[], Awaitable[PointProcess]] = launch_process) -> None:
        self._num_processes = num_processes
        self._launch = launch
        self._listener: JobListener | None = None
        self._waiting: dict[str, deque[Job]] = {}
        self._held: set[str] = set()
        self._tries: dict[tuple[str, str], int] = {}
        self._seats: list[Seat] = []
        self._last_number = 0
        self._due = asyncio.Event()
        self._dispatching: asyncio.Task[None] | None = None
        self._keeping: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def num_processes(self) -> int:
        """How many jobs are computed at once."""
        return self._num_processes

    def process_ids(self) -> list[int]:
        """Return the ids of the processes there are."""
        return [seat.process.pid for seat in self._seats if seat.process.pid is not None]

    def listen(self, listener: JobListener) -> None:
        """Tell this one of jobs from now on."""
        self._listener = listener

    def put(self, jobs: Iterable[Job]) -> None:
        """Compute these, in this order within their run."""
        for job in jobs:
            self._waiting.setdefault(job.run_id, deque()).append(job)
        self._wake()

    def hold(self, run_id: str) -> None:
        """Let the run's jobs rest where they are."""
        self._held.add(run_id)
        for seat in list(self._seats):
            if seat.job is not None and seat.job.run_id == run_id and not seat.rests:
                seat.rests = True
                seat.process.send(Packet(Kind.LAB_HOLD, ""))
                # the longest rest comes first
                self._seats.remove(seat)
                self._seats.append(seat)
        self._wake()

    def release(self, run_id: str) -> None:
        """Go on with jobs that were held."""
        self._held.discard(run_id)
        self._wake()

    def drop(self, run_id: str) -> None:
        """Forget the run's jobs; of those there comes nothing any more."""
        self._held.discard(run_id)
        self._waiting.pop(run_id, None)
        for key in [key for key in self._tries if key[0] == run_id]:
            del self._tries[key]
        for seat in self._seats:
            if seat.job is not None and seat.job.run_id == run_id:
                seat.process.send(Packet(Kind.LAB_DROP, ""))
                self._leave(seat)
        self._wake()

    async def stop(self) -> None:
        """End all processes at once; stopping twice is harmless."""
        self._stopping = True
        task, self._dispatching = self._dispatching, None
        for one in (task, *self._keeping):
            if one is not None:
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one
        self._waiting.clear()
        seats, self._seats = self._seats, []
        for seat in seats:
            # the point under way is begun anew by whoever goes on with the run
            seat.process.kill()
        await asyncio.gather(*(seat.process.stop() for seat in seats))

    # --- handing out

    def _wake(self) -> None:
        self._due.set()
        if self._dispatching is None and not self._stopping:
            self._dispatching = asyncio.create_task(self._dispatch())

    async def _dispatch(self) -> None:
        while True:
            self._due.clear()
            try:
                await self._assign()
                wait = IDLE_SECONDS if any(seat.is_free for seat in self._seats) else None
            except Exception:
                # whatever it was, other runs wait for this task too
                log.exception("no process could be started for the lab; that is tried again")
                wait = RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._due.wait()
            if not self._due.is_set():
                await self._end_idle()

    async def _assign(self) -> None:
        while self._num_active() < self._num_processes and (run_id := self._next_run()) is not None:
            resting = next((seat for seat in self._resting() if seat.job and seat.job.run_id == run_id), None)
            if resting is not None:
                resting.rests = False
                resting.process.send(Packet(Kind.LAB_GO, ""))
                continue
            seat = next((seat for seat in self._seats if seat.is_free), None)
            if seat is None:
                seat = await self._start_seat()
            job = self._take_job(run_id)
            if job is not None:
                self._begin(seat, job)
        self._limit_resting()

    async def _start_seat(self) -> Seat:
        process = await self._launch()
        seat = Seat(process)
        self._seats.append(seat)
        self._leave(seat)
        process.listen(lambda packet: self._take(seat, packet), lambda _: self._on_death(seat))
        return seat

    def _take_job(self, run_id: str) -> Job | None:
        """Return the run's next job, or None when it was held or dropped meanwhile."""
        jobs = self._waiting.get(run_id)
        if not jobs or run_id in self._held:
            return None
        job = jobs.popleft()
        if not jobs:
            del self._waiting[run_id]
        return job

    def _begin(self, seat: Seat, job: Job) -> None:
        self._last_number = (self._last_number + 1) % 2**32
        seat.job, seat.number, seat.rests = job, self._last_number, False
        seat.process.send(Packet(Kind.LAB_POINT, "", NUMBER.pack(seat.number) + job.model_dump_json().encode()))

    def _next_run(self) -> str | None:
        """Return the run whose turn it is: of the most urgent the one with the fewest jobs under way."""
        turns: dict[str, tuple[int, int]] = {}
        for run_id, jobs in self._waiting.items():
            turns[run_id] = (jobs[0].priority, self._num_active(run_id))
        for seat in self._resting():
            if seat.job is not None:
                turns[seat.job.run_id] = (seat.job.priority, self._num_active(seat.job.run_id))
        ready = [run_id for run_id in turns if run_id not in self._held]
        return min(ready, key=lambda run_id: turns[run_id], default=None)

    def _num_active(self, run_id: str | None = None) -> int:
        """Return how many processes compute or keep what they have computed, for a run or all."""
        return sum(
            seat.is_keeping
            or (seat.job is not None and not seat.rests and (run_id is None or seat.job.run_id == run_id))
            for seat in self._seats
        )

    def _resting(self) -> list[Seat]:
        return [seat for seat in self._seats if seat.rests]

    def _limit_resting(self) -> None:
        held = [seat for seat in self._resting() if seat.job is not None and seat.job.run_id in self._held]
        for seat in held[: max(0, len(held) - self._num_processes)]:
            job = seat.job
            assert job is not None
            self._waiting.setdefault(job.run_id, deque()).appendleft(job)
            seat.process.send(Packet(Kind.LAB_DROP, ""))
            self._leave(seat)

    def _leave(self, seat: Seat) -> None:
        seat.job, seat.rests = None, False
        seat.idle_since = asyncio.get_running_loop().time()

    async def _end_idle(self) -> None:
        """End the processes that have had nothing to do for a while."""
        now = asyncio.get_running_loop().time()
        for seat in [seat for seat in self._seats if seat.is_free and now - seat.idle_since >= IDLE_SECONDS]:
            if seat.is_free and seat in self._seats:
                self._seats.remove(seat)
                await seat.process.stop()

    # --- what processes tell

    def _take(self, seat: Seat, packet: Packet) -> None:
        # what a process still tells of a job that was taken from it
        if seat.job is None or NUMBER.unpack_from(packet.body)[0] != seat.number or self._listener is None:
            return
        text = packet.body[NUMBER.size :].decode()
        if packet.kind is Kind.LAB_PROGRESS:
            self._listener.on_progress(seat.job, JobProgress.model_validate_json(text))
        elif packet.kind is Kind.LAB_RESULT:
            self._keep(seat, seat.job, text)

    def _keep(self, seat: Seat | None, job: Job, result: str) -> None:
        if seat is not None:
            self._leave(seat)
            seat.is_keeping = True
        self._tries.pop((job.run_id, job.point.key), None)
        task = asyncio.create_task(self._tell(seat, job, result))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _tell(self, seat: Seat | None, job: Job, result: str) -> None:
        try:
            if self._listener is not None:
                await self._listener.on_result(job, result)
        except Exception:
            log.exception("the result of %s was not kept", job.point.key)
        finally:
            if seat is not None:
                seat.is_keeping = False
            self._wake()

    def _on_death(self, seat: Seat) -> None:
        if self._stopping or seat not in self._seats:
            return
        self._seats.remove(seat)
        job = seat.job
        if job is not None:
            name = (job.run_id, job.point.key)
            self._tries[name] = self._tries.get(name, 0) + 1
            log.warning("the process %s ended while it computed %s", seat.process.pid, job.point.key)
            if self._tries[name] < MAX_TRIES:
                self._waiting.setdefault(job.run_id, deque()).appendleft(job)
            else:
                self._keep(None, job, json.dumps(failed_json(job.point, DIED)))
        self._wake()
