"""Uploaded tables go to a worker only when it has not got them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.engine import Checkpoint
from server.local import LocalEngine
from server.messages import CsvSource, DoneEvent, ErrorEvent, SetData
from server.rest import SessionRequest
from server.settings import Settings

pytestmark = pytest.mark.slow
CSV = b"a,b,y\n" + b"".join(b"%d,%d,%d\n" % (k, k * k, k % 7) for k in range(40))


class Tables:
    """The uploaded tables: one named `table`; it notes who asked for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def load(self, dataset_id: str) -> bytes | None:
        self.asked.append(dataset_id)
        return CSV if dataset_id == "table" else None


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
async def engine(tables: Tables, tmp_path: Path) -> AsyncGenerator[LocalEngine]:
    def ignore(_session_id: str, _checkpoint: Checkpoint) -> None:
        """Keep nothing: these sessions need not outlive the test."""

    settings = Settings.model_validate({"data_dir": tmp_path, "workers": 1})
    engine = LocalEngine(settings, load_table=tables.load, on_checkpoint=ignore)
    await engine.start()
    yield engine
    await engine.stop()
    await engine.stop()


def _source(dataset_id: str, *inputs: str) -> CsvSource:
    return CsvSource(dataset_id=dataset_id, inputs=list(inputs), target="y")


async def test_a_table_is_sent_once_for_a_session(engine: LocalEngine, tables: Tables) -> None:
    await engine.open("one", SessionRequest())
    for inputs in (["a"], ["b"], ["a", "b"]):
        answer = await engine.command("one", SetData(source=_source("table", *inputs)))
        assert isinstance(answer, DoneEvent)
    assert tables.asked == ["table"]
    await engine.open("two", SessionRequest(data=_source("table", "a")))
    answer = await engine.command("two", SetData(source=_source("table", "b")))
    assert isinstance(answer, DoneEvent)
    assert tables.asked == ["table", "table"]


async def test_a_table_that_is_nowhere_is_refused_by_name(engine: LocalEngine, tables: Tables) -> None:
    await engine.open("one", SessionRequest())
    answer = await engine.command("one", SetData(source=_source("none", "a"), request_id=4))
    assert isinstance(answer, ErrorEvent)
    assert (answer.code, answer.request_id) == ("unknown_dataset", 4)
    assert tables.asked == ["none"]
