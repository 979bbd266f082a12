"""Jobs are handed out in turn, rest, and are begun again when their process dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from server.lab import queue as queue_module
from server.lab.jobs import Job, JobProgress
from server.lab.process import NUMBER
from server.lab.queue import DIED, LocalJobQueue
from server.wire import Kind, Packet
from tests.server.lab.fakes import make_plan, make_result

POINTS = make_plan(6).points


class FakeProcess:
    """Notes what it is sent; the test says what it answers."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.sent: list[Kind] = []
        self.job: Job | None = None
        self.is_alive = True
        self._number = b""
        self._on_packet: Callable[[Packet], None] | None = None
        self._on_death: Callable[[object], None] | None = None

    def listen(self, on_packet: Callable[[Packet], None], on_death: Callable[[object], None]) -> None:
        self._on_packet, self._on_death = on_packet, on_death

    def send(self, packet: Packet) -> None:
        self.sent.append(packet.kind)
        if packet.kind is Kind.LAB_POINT:
            self._number = packet.body[: NUMBER.size]
            self.job = Job.model_validate_json(packet.body[NUMBER.size :])

    def tell(self, kind: Kind, text: str) -> None:
        assert self._on_packet is not None
        self._on_packet(Packet(kind, "", self._number + text.encode()))

    def finish(self) -> None:
        assert self.job is not None
        self.tell(Kind.LAB_RESULT, make_result(self.job.point))

    def die(self) -> None:
        assert self._on_death is not None
        self.is_alive = False
        self._on_death(self)

    def kill(self) -> None:
        self.is_alive = False

    async def stop(self) -> None:
        self.is_alive = False


class Listener:
    """Notes results; while `gate` is closed it takes its time to keep them."""

    def __init__(self) -> None:
        self.progress: list[tuple[str, float]] = []
        self.results: dict[tuple[str, str], str] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    def on_progress(self, job: Job, progress: JobProgress) -> None:
        self.progress.append((job.point.key, progress.progress))

    async def on_result(self, job: Job, result: str) -> None:
        await self.gate.wait()
        name = (job.run_id, job.point.key)
        assert name not in self.results, "a result came twice"
        self.results[name] = result


class Bench:
    """A queue whose processes are fakes."""

    def __init__(self, num_processes: int) -> None:
        self.processes: list[FakeProcess] = []
        # what the next launches fail with
        self.failures: list[Exception] = []
        self.listener = Listener()
        self.queue = LocalJobQueue(num_processes, launch=self._launch)
        self.queue.listen(self.listener)

    async def _launch(self) -> FakeProcess:
        if self.failures:
            raise self.failures.pop()
        process = FakeProcess(len(self.processes))
        self.processes.append(process)
        return process

    def put(self, run_id: str, count: int, *, priority: int = 0) -> None:
        self.queue.put(Job(run_id=run_id, toml="", point=point, priority=priority) for point in POINTS[:count])

    def under_way(self) -> list[tuple[str, int]]:
        """Return the run and seed that each process was given last."""
        return [(process.job.run_id, process.job.point.seed) for process in self.processes if process.job is not None]


async def settle() -> None:
    """Let everything happen that is due."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def bench(num_processes: int) -> AsyncGenerator[Bench]:
    made = Bench(num_processes)
    try:
        yield made
    finally:
        await made.queue.stop()


async def test_jobs_of_a_run_are_computed_in_order_as_processes_come_free() -> None:
    async with bench(2) as one:
        one.put("a", 3)
        await settle()
        assert one.under_way() == [("a", 0), ("a", 1)]
        one.processes[1].tell(Kind.LAB_PROGRESS, '{"progress":0.5,"step":2,"seconds":1.0,"test_rmse":null}')
        one.processes[1].finish()
        await settle()
        assert one.under_way() == [("a", 0), ("a", 2)]
        one.processes[0].finish()
        one.processes[1].finish()
        await settle()
        assert [key for _, key in one.listener.results] == [POINTS[n].key for n in (1, 0, 2)]
        assert one.listener.progress == [(POINTS[1].key, 0.5)]
        assert len(one.processes) == 2


async def test_runs_take_turns_and_the_urgent_go_first() -> None:
    async with bench(2) as one:
        one.put("a", 3)
        one.put("b", 3)
        await settle()
        assert one.under_way() == [("a", 0), ("b", 0)]
        one.put("urgent", 1, priority=-1)
        one.processes[0].finish()
        await settle()
        assert one.under_way() == [("urgent", 0), ("b", 0)]


async def test_all_jobs_of_an_urgent_run_go_first_and_equal_runs_share() -> None:
    async with bench(2) as one:
        one.put("a", 6)
        one.put("b", 6)
        one.put("urgent", 3, priority=-1)
        one.put("slow", 2, priority=1)
        begun: list[str] = []
        await settle()
        while (under_way := [process for process in one.processes if process.job is not None]) and len(begun) < 17:
            # the process that has had its job longest is done first
            first = under_way[len(begun) % 2]
            assert first.job is not None
            begun.append(first.job.run_id)
            first.job, job = None, first.job
            first.tell(Kind.LAB_RESULT, make_result(job.point))
            await settle()
        assert begun == ["urgent"] * 3 + ["a", "b"] * 6 + ["slow"] * 2


async def test_a_process_takes_no_job_before_its_result_is_kept() -> None:
    async with bench(1) as one:
        one.put("a", 2)
        await settle()
        one.listener.gate.clear()
        one.processes[0].finish()
        await settle()
        assert one.under_way() == [("a", 0)]
        one.listener.gate.set()
        await settle()
        assert one.under_way() == [("a", 1)]


async def test_a_held_job_rests_while_others_run_and_goes_on_where_it_was() -> None:
    async with bench(1) as one:
        one.put("a", 1)
        await settle()
        one.queue.hold("a")
        one.put("b", 1)
        await settle()
        assert one.processes[0].sent == [Kind.LAB_POINT, Kind.LAB_HOLD]
        assert one.under_way() == [("a", 0), ("b", 0)]
        one.queue.release("a")
        await settle()
        # there is one place, and another run has it
        assert one.processes[0].sent == [Kind.LAB_POINT, Kind.LAB_HOLD]
        one.processes[1].finish()
        await settle()
        assert one.processes[0].sent == [Kind.LAB_POINT, Kind.LAB_HOLD, Kind.LAB_GO]
        one.processes[0].finish()
        await settle()
        assert set(one.listener.results) == {("a", POINTS[0].key), ("b", POINTS[0].key)}


async def test_what_has_rested_longest_begins_anew_when_too_much_rests() -> None:
    async with bench(1) as one:
        for name in ("a", "b"):
            one.put(name, 1)
            await settle()
            one.queue.hold(name)
        await settle()
        assert one.processes[0].sent == [Kind.LAB_POINT, Kind.LAB_HOLD, Kind.LAB_DROP]
        assert one.processes[1].sent == [Kind.LAB_POINT, Kind.LAB_HOLD]
        one.queue.release("a")
        await settle()
        assert one.processes[0].sent == [Kind.LAB_POINT, Kind.LAB_HOLD, Kind.LAB_DROP, Kind.LAB_POINT]


async def test_of_a_dropped_run_there_comes_nothing_any_more() -> None:
    async with bench(1) as one:
        one.put("a", 3)
        await settle()
        one.queue.drop("a")
        one.processes[0].finish()
        one.put("b", 1)
        await settle()
        assert one.listener.results == {}
        assert one.under_way() == [("b", 0)]
        assert len(one.processes) == 1


async def test_a_job_whose_process_dies_is_begun_once_more_and_then_fails() -> None:
    async with bench(1) as one:
        one.put("a", 2)
        await settle()
        one.processes[0].die()
        await settle()
        assert one.under_way()[1] == ("a", 0)
        one.processes[1].die()
        await settle()
        result = json.loads(one.listener.results[("a", POINTS[0].key)])
        assert (result["outcome"], result["sentence"]) == ("failed", DIED)
        assert one.under_way()[2] == ("a", 1)


async def test_processes_end_when_there_has_been_no_work_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "IDLE_SECONDS", 0.0)
    async with bench(2) as one:
        one.put("a", 2)
        await settle()
        one.processes[0].finish()
        while one.processes[0].is_alive:
            await asyncio.sleep(0)
        assert one.processes[1].is_alive
        one.processes[1].finish()
        while one.processes[1].is_alive:
            await asyncio.sleep(0)
        assert one.queue.process_ids() == []
        one.put("a", 1)
        await settle()
        assert len(one.processes) == 3


async def test_a_process_that_cannot_be_started_is_tried_again_whatever_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_module, "RETRY_SECONDS", 0.0)
    async with bench(1) as one:
        one.failures = [OSError("no process"), EOFError(), RuntimeError("no thread")]
        one.put("a", 1)
        while not one.processes:
            await asyncio.sleep(0)
        await settle()
        assert one.under_way() == [("a", 0)]


async def test_stopping_ends_all_processes_and_twice_is_harmless() -> None:
    async with bench(2) as one:
        one.put("a", 3)
        await settle()
        await one.queue.stop()
        await one.queue.stop()
        assert not any(process.is_alive for process in one.processes)
        one.put("a", 1)
        await settle()
        assert len(one.processes) == 2
