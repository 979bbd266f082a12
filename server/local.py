"""The engine of one machine: a pool of worker processes that share the sessions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace

from pydantic import TypeAdapter

from server.engine import Checkpoint, Cursor, SessionClosed, SessionReport, Update
from server.feed import Feed
from server.messages import (
    ClientCommand,
    CsvSource,
    DataEvent,
    DataSource,
    ErrorEvent,
    Event,
    LossesEvent,
    NoticeEvent,
    ServerEvent,
    SetData,
    ShortQuery,
    SnapshotEvent,
    StatusEvent,
    StatusInfo,
)
from server.pulse import Pulse
from server.refusal import Refusal
from server.rest import CatalogueInfo, Problem, SessionRequest
from server.settings import Settings
from server.wire import Kind, Packet
from server.worker_process import TOKEN, WorkerDied, WorkerProcess, make_context

EVENTS: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)
SUSPECT_SECONDS = 60.0
RESTART_INTERVAL = 1.0
log = logging.getLogger(__name__)


class Hosted:
    """One open session: its feed, its newest checkpoint and the worker that runs it."""

    def __init__(self, session_id: str, epoch: int, worker: WorkerProcess) -> None:
        self.session_id = session_id
        self.feed = Feed(epoch)
        self.worker = worker
        self.opened: asyncio.Future[Checkpoint] = asyncio.get_running_loop().create_future()
        self.checkpoint: Checkpoint | None = None
        self.dataset_id: str | None = None
        self.changing_data = asyncio.Lock()
        self.has_credit = False
        self.died_at: float | None = None
        self.title = ""
        self.status = StatusInfo(state="paused", step=0)

    def note(self, event: Event) -> None:
        """Remember what reports and a restoration need."""
        if isinstance(event, DataEvent):
            self.title = event.data.title
            self.dataset_id = _dataset_id(event.data.source)
        elif isinstance(event, StatusEvent):
            self.status = event.status
        elif isinstance(event, LossesEvent) and event.points:
            self.status = self.status.model_copy(update={"step": event.points[-1].step})


class LocalEngine:
    """Runs sessions in `settings.workers` processes, and keeps one more ready to take a dead one's place.

    `load_table(dataset_id)` brings the uploaded tables that sessions name, and `on_checkpoint(session_id, checkpoint)`
    hears of every checkpoint. Call `start` first and `stop` last.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load_table: Callable[[str], Awaitable[bytes | None]],
        on_checkpoint: Callable[[str, Checkpoint], None],
    ) -> None:
        self._settings = settings
        self._load_table = load_table
        self._on_checkpoint = on_checkpoint
        self._context = make_context()
        self._workers: list[WorkerProcess] = []
        self._grown = Pulse()
        self._filling = asyncio.Lock()
        self._hosted: dict[str, Hosted] = {}
        self._catalogue: CatalogueInfo | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> None:
        """Begin to start the workers; sessions wait until one is there."""
        self._spawn(self._fill())

    async def stop(self) -> None:
        """End all workers after a last checkpoint of every session; stopping twice is harmless."""
        self._stopping = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        workers, self._workers = self._workers, []
        # each sends a last checkpoint of its sessions
        await asyncio.gather(*(worker.stop() for worker in workers))
        for hosted in self._hosted.values():
            hosted.feed.close()
        self._hosted.clear()

    # --- the engine's calls

    async def open(self, session_id: str, beginning: SessionRequest | Checkpoint) -> Checkpoint:
        """Start a session or bring one back and return its first checkpoint; raises Refusal."""
        is_new = isinstance(beginning, SessionRequest)
        dataset_id = _dataset_id(beginning.data) if is_new else beginning.dataset_id
        worker = await self._pick_worker()
        hosted = self._hosted[session_id] = Hosted(session_id, 0 if is_new else beginning.epoch, worker)
        try:
            await self._send_beginning(hosted, worker, beginning, dataset_id)
            return await asyncio.shield(hosted.opened)
        except BaseException:
            await self.close(session_id)
            raise

    async def command(self, session_id: str, command: ClientCommand) -> Event:
        """Carry out a command in its worker and return the answer."""
        hosted = await self._find(session_id)
        try:
            if isinstance(command, SetData):
                answer = await self._set_data(hosted, command)
            else:
                answer = await _ask(hosted.worker, session_id, command)
        except WorkerDied:
            sentence = "The worker of this session ended before it answered: try again once the session is restored."
            answer = ErrorEvent(code="worker_died", sentence=sentence, request_id=command.request_id)
        return hosted.feed.stamp(answer)

    async def _set_data(self, hosted: Hosted, command: SetData) -> Event:
        """Let the worker take up other data, and send it the table only if it says that it has not got it."""
        worker = hosted.worker
        async with hosted.changing_data:
            answer = await _ask(worker, hosted.session_id, command)
            if not isinstance(answer, ErrorEvent) or answer.code != "unknown_dataset":
                return answer
            if not await self._send_table(hosted, worker, _dataset_id(command.source)):
                return answer
            return await _ask(worker, hosted.session_id, command)

    async def snapshot(self, session_id: str) -> SnapshotEvent:
        """Return everything a page needs; raises SessionClosed, also when the session cannot be shown."""
        while True:
            hosted = await self._find(session_id)
            try:
                event = EVENTS.validate_json(await hosted.worker.ask(Kind.SNAPSHOT, session_id))
            except WorkerDied:
                continue
            if not isinstance(event, SnapshotEvent):
                raise SessionClosed
            return hosted.feed.stamp(event)

    async def next_update(self, session_id: str, after: Cursor) -> Update:
        """Return what came after the cursor, waiting for it."""
        hosted = await self._find(session_id)
        if not hosted.has_credit:
            hosted.has_credit = True
            hosted.worker.send(Packet(Kind.FRAME_CREDIT, session_id))
        return await hosted.feed.wait(after)

    async def close(self, session_id: str) -> None:
        """Forget the session."""
        hosted = self._hosted.pop(session_id, None)
        if hosted is not None:
            hosted.worker.send(Packet(Kind.CLOSE, session_id))
            self._end(hosted)

    async def catalogue(self) -> CatalogueInfo:
        """Return what sessions can be made of, as the first worker tells it at once."""
        while self._catalogue is None:
            await self._grown.wait()
        return self._catalogue

    def list(self) -> list[SessionReport]:
        """Return the open sessions."""
        return [
            SessionReport(
                session_id=hosted.session_id,
                title=hosted.title,
                state=hosted.status.state,
                step=hosted.status.step,
            )
            for hosted in self._hosted.values()
        ]

    # --- workers

    def worker_pids(self) -> dict[int, list[str]]:
        """Return which sessions each worker process runs, by process id."""
        return {
            worker.pid: [hosted.session_id for hosted in self._hosted.values() if hosted.worker is worker]
            for worker in self._workers
            if worker.pid is not None
        }

    async def _fill(self) -> None:
        async with self._filling:
            while len(self._workers) < self._settings.workers + 1:
                worker = await WorkerProcess.start(self._context, self._settings)
                self._workers.append(worker)
                worker.listen(self._take, self._on_death)
                self._grown.beat()
                with contextlib.suppress(WorkerDied):
                    # told before anything else
                    self._catalogue = CatalogueInfo.model_validate_json(await worker.ask(Kind.CATALOGUE, ""))
                    self._grown.beat()
                    # told again once it is ready: the first need not share the machine with the others' beginnings
                    await worker.ask(Kind.CATALOGUE, "")

    async def _pick_worker(self) -> WorkerProcess:
        while not self._workers:
            await self._grown.wait()
        loads = {id(worker): 0 for worker in self._workers[: self._settings.workers]}
        for hosted in self._hosted.values():
            if id(hosted.worker) in loads:
                loads[id(hosted.worker)] += 1
        return min(self._workers[: self._settings.workers], key=lambda worker: loads[id(worker)])

    def _on_death(self, worker: WorkerProcess) -> None:
        if self._stopping:
            return
        self._workers.remove(worker)
        log.warning("worker %s ended; another one takes over its sessions", worker.pid)
        self._spawn(self._replace(worker))
        for hosted in [one for one in self._hosted.values() if one.worker is worker]:
            if hosted.checkpoint is None:
                self._fail(hosted, Refusal("worker_died", "The worker ended while it made the session: try again."))
            else:
                if hosted.opened.done():
                    hosted.opened = asyncio.get_running_loop().create_future()
                self._spawn(self._restore(hosted, hosted.checkpoint))

    async def _replace(self, worker: WorkerProcess) -> None:
        await worker.stop()
        # workers that end as soon as they start must not keep the machine busy
        await asyncio.sleep(max(0.0, RESTART_INTERVAL - worker.age))
        await self._fill()

    async def _restore(self, hosted: Hosted, checkpoint: Checkpoint) -> None:
        now = asyncio.get_running_loop().time()
        again = hosted.died_at is not None and now - hosted.died_at < SUSPECT_SECONDS
        hosted.died_at = now
        hosted.has_credit = False
        hosted.worker = worker = await self._pick_worker()
        hosted.feed.begin_epoch()
        try:
            await self._send_beginning(hosted, worker, replace(checkpoint, paused=again), checkpoint.dataset_id)
            await asyncio.shield(hosted.opened)
        except Refusal:
            log.exception("session %s could not be restored", hosted.session_id)
            return
        if hosted.worker is not worker:
            # this one ended as well, and another restoration followed that tells of it
            return
        sentence = f"The worker of this session ended unexpectedly; it was restored from step {checkpoint.step}"
        sentence += " and paused, as that was the second time within a minute." if again else "."
        hosted.feed.publish(NoticeEvent(level="warning", code="restored", sentence=sentence))

    # --- packets

    def _take(self, packet: Packet) -> None:
        hosted = self._hosted.get(packet.session_id)
        if hosted is None:
            return
        if packet.kind is Kind.EVENT:
            event = EVENTS.validate_json(packet.body)
            hosted.note(event)
            hosted.feed.publish(event)
        elif packet.kind is Kind.FRAME:
            hosted.has_credit = False
            hosted.feed.put_frame(packet.body)
        elif packet.kind is Kind.REFUSED:
            problem = Problem.model_validate_json(packet.body)
            self._fail(hosted, Refusal(problem.code, problem.sentence, position=problem.position))
        else:
            self._keep(hosted, packet)

    def _keep(self, hosted: Hosted, packet: Packet) -> None:
        checkpoint = Checkpoint(
            epoch=hosted.feed.position.epoch,
            step=TOKEN.unpack_from(packet.body)[0],
            title=hosted.title,
            dataset_id=hosted.dataset_id,
            content=packet.body[TOKEN.size :],
        )
        hosted.checkpoint = checkpoint
        if packet.kind is Kind.CHECKPOINT:
            self._on_checkpoint(hosted.session_id, checkpoint)
        elif not hosted.opened.done():
            hosted.opened.set_result(checkpoint)

    async def _send_beginning(
        self, hosted: Hosted, worker: WorkerProcess, beginning: SessionRequest | Checkpoint, dataset_id: str | None
    ) -> None:
        """Send what a session starts from, its table first; nothing if it is closed or its worker dies meanwhile."""
        if isinstance(beginning, Checkpoint):
            hosted.checkpoint = beginning
            packet = Packet(Kind.RESTORE, hosted.session_id, bytes([beginning.paused]) + beginning.content)
        else:
            packet = Packet(Kind.CREATE, hosted.session_id, beginning.model_dump_json().encode())
        if dataset_id is not None:
            try:
                await self._send_table(hosted, worker, dataset_id)
            except WorkerDied:
                return
        if self._is_with(hosted, worker):
            worker.send(packet)

    async def _send_table(self, hosted: Hosted, worker: WorkerProcess, dataset_id: str | None) -> bool:
        """Send the table ahead of what names it and return whether there is one; raises WorkerDied."""

        async def load() -> Packet | None:
            content = None if dataset_id is None else await self._load_table(dataset_id)
            if dataset_id is None or content is None or not self._is_with(hosted, worker):
                return None
            head = bytes([len(dataset_id)]) + dataset_id.encode("ascii")
            return Packet(Kind.TABLE, hosted.session_id, head + content)

        return await worker.send_bulk(load)

    def _is_with(self, hosted: Hosted, worker: WorkerProcess) -> bool:
        return self._hosted.get(hosted.session_id) is hosted and hosted.worker is worker

    # --- closing

    async def _find(self, session_id: str) -> Hosted:
        hosted = self._hosted.get(session_id)
        if hosted is None:
            raise SessionClosed
        if not hosted.opened.done():
            try:
                await asyncio.shield(hosted.opened)
            except Refusal as error:
                raise SessionClosed from error
        return hosted

    def _fail(self, hosted: Hosted, refusal: Refusal) -> None:
        self._hosted.pop(hosted.session_id, None)
        if not hosted.opened.done():
            hosted.opened.set_exception(refusal)
            hosted.opened.exception()
        hosted.feed.close()

    def _end(self, hosted: Hosted) -> None:
        self._fail(hosted, Refusal("closed", "The session was closed."))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the engine failed", exc_info=error)


def _dataset_id(source: DataSource | None) -> str | None:
    return source.dataset_id if isinstance(source, CsvSource) else None


async def _ask(worker: WorkerProcess, session_id: str, command: ClientCommand) -> Event:
    """Return the worker's answer; a query waits for its turn, so that acts and training do not wait for queries.

    The worker answers those that take long beside others.
    """
    ask = worker.ask_in_turn if isinstance(command, ShortQuery) else worker.ask
    return EVENTS.validate_json(await ask(Kind.COMMAND, session_id, command.model_dump_json().encode()))
