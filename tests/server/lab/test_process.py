"""A process computes one point after the other and does what its host wants between steps."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

from server.lab.jobs import Job, JobProgress
from server.lab.process import NUMBER, PointWorker, answer_questions
from server.wire import Kind, Packet, encode_packet, receive_packet
from tests.server.lab.fakes import make_plan

POINTS = make_plan().points


class Host:
    """The other end of a worker's socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def send(self, kind: Kind, body: bytes = b"") -> None:
        self.connection.sendall(encode_packet(Packet(kind, "", body)))

    def begin(self, number: int) -> None:
        job = Job(run_id="run", toml="", point=POINTS[number])
        self.send(Kind.LAB_POINT, NUMBER.pack(number) + job.model_dump_json().encode())

    def leave(self) -> None:
        self.connection.shutdown(socket.SHUT_WR)

    def told(self) -> Iterator[tuple[Kind, int, str]]:
        """Yield what the worker told, once it has ended."""
        while (packet := receive_packet(self.connection)) is not None:
            yield packet.kind, NUMBER.unpack_from(packet.body)[0], packet.body[NUMBER.size :].decode()


class Counting:
    """A computation of four steps, which calls a script ahead of each."""

    def __init__(self, key: str, script: Callable[[int], None]) -> None:
        self._key = key
        self._script = script
        self._steps = 0

    @property
    def is_done(self) -> bool:
        return self._steps == 4

    def step(self) -> None:
        self._steps += 1
        self._script(self._steps)

    def progress(self) -> JobProgress:
        return JobProgress(progress=self._steps / 4, step=self._steps, seconds=0.0, test_rmse=None)

    def result(self) -> str:
        return f"{self._key} after {self._steps}"


def _serve(script: Callable[[Host, str, int], None]) -> list[tuple[Kind, int, str]]:
    """Return what a worker told a host that begins point 0 and then does what the script says in each step."""
    ours, theirs = socket.socketpair()
    with ours:
        host = Host(ours)
        host.begin(0)
        with theirs:
            times = iter(range(1000))
            PointWorker(
                theirs,
                lambda job: Counting(job.point.key, lambda step: script(host, job.point.key, step)),
                clock=lambda: float(next(times)),
            ).serve()
        return list(host.told())


def test_progress_comes_on_the_way_and_a_result_at_the_end() -> None:
    def script(host: Host, _key: str, step: int) -> None:
        if step == 4:
            host.leave()

    told = _serve(script)
    assert [(kind, number) for kind, number, _ in told] == [*[(Kind.LAB_PROGRESS, 0)] * 3, (Kind.LAB_RESULT, 0)]
    assert [JobProgress.model_validate_json(text).progress for _, _, text in told[:3]] == [0.25, 0.5, 0.75]
    assert told[3][2] == f"{POINTS[0].key} after 4"


def test_a_point_that_is_held_goes_on_where_it_was() -> None:
    def script(host: Host, _key: str, step: int) -> None:
        if step == 2:
            # both are read ahead of the next step: the worker waits at the first until the second is there
            host.send(Kind.LAB_HOLD)
            host.send(Kind.LAB_GO)
        if step == 4:
            host.leave()

    assert _serve(script)[-1] == (Kind.LAB_RESULT, 0, f"{POINTS[0].key} after 4")


def test_a_worker_whose_host_leaves_while_it_is_held_ends() -> None:
    def script(host: Host, _key: str, step: int) -> None:
        assert step < 3, "a step was done while it was held"
        if step == 2:
            host.send(Kind.LAB_HOLD)
            host.leave()

    assert [kind for kind, _, _ in _serve(script)] == [Kind.LAB_PROGRESS] * 2


def test_a_dropped_point_is_forgotten_for_the_next() -> None:
    def script(host: Host, key: str, step: int) -> None:
        if key == POINTS[0].key:
            assert step < 3, "a step was done after it was dropped"
            if step == 2:
                host.send(Kind.LAB_HOLD)
                host.send(Kind.LAB_DROP)
                host.begin(1)
        elif step == 4:
            host.leave()

    results = [one for one in _serve(script) if one[0] is Kind.LAB_RESULT]
    assert results == [(Kind.LAB_RESULT, 1, f"{POINTS[1].key} after 4")]


def test_a_worker_ends_in_the_middle_of_a_point_when_its_host_is_gone() -> None:
    def script(host: Host, _key: str, step: int) -> None:
        assert step < 2, "a step was done with nobody there"
        host.leave()

    assert [kind for kind, _, _ in _serve(script)] == [Kind.LAB_PROGRESS]


def test_questions_are_answered_in_order_with_their_tokens() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        asking = Host(ours)
        for number, text in enumerate((b"one", b"two")):
            asking.send(Kind.LAB_ASK, NUMBER.pack(number) + text)
        asking.leave()
        answer_questions(theirs, bytes.upper)
        theirs.shutdown(socket.SHUT_WR)
        assert list(asking.told()) == [(Kind.ANSWER, 0, "ONE"), (Kind.ANSWER, 1, "TWO")]
