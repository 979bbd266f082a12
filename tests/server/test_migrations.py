"""Databases of every age open, keep what they hold, and end up alike."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from server.engine import Checkpoint
from server.lab.store import LabStore
from server.migrations import MigrationError, upgrade
from server.storage import Base, Storage, StoredSession, try_database
from tests.server.lab.fakes import make_plan

# the tables as they were made before there were revisions, with a row in each
OLD = """
CREATE TABLE sessions (
    session_id VARCHAR NOT NULL, edit_key VARCHAR NOT NULL, used FLOAT NOT NULL, title VARCHAR NOT NULL,
    dataset_id VARCHAR, epoch INTEGER NOT NULL, step INTEGER NOT NULL, checkpoint BLOB NOT NULL,
    PRIMARY KEY (session_id)
);
CREATE INDEX ix_sessions_used ON sessions (used);
CREATE TABLE commands (
    number INTEGER NOT NULL, session_id VARCHAR NOT NULL, at FLOAT NOT NULL, command VARCHAR NOT NULL,
    PRIMARY KEY (number), FOREIGN KEY(session_id) REFERENCES sessions (session_id) ON DELETE CASCADE
);
CREATE INDEX ix_commands_session_id ON commands (session_id);
CREATE TABLE tables (
    dataset_id VARCHAR NOT NULL, created FLOAT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (dataset_id)
);
INSERT INTO sessions VALUES ('one', 'key', 7.5, 'x·y', 'table', 2, 9, x'0102');
INSERT INTO commands (session_id, at, command) VALUES ('one', 8.0, '{"type":"run"}');
INSERT INTO tables VALUES ('table', 6.0, x'780A31');
"""
LAB_TABLES = {"lab_specs", "lab_runs", "lab_points", "alembic_version"}


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _make_old(file: Path) -> None:
    database = sqlite3.connect(file)
    database.executescript(OLD)
    database.close()


def _names(file: Path) -> set[str]:
    database = sqlite3.connect(file)
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    return names


async def test_a_database_from_before_there_were_revisions_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    _make_old(file)
    storage = Storage(_url(file))
    await storage.open()
    assert await storage.load_sessions() == [StoredSession(session_id="one", edit_key="key", title="x·y", step=9)]
    checkpoint = Checkpoint(epoch=2, step=9, title="x·y", dataset_id="table", content=b"\x01\x02")
    assert await storage.load_checkpoint("one") == checkpoint
    assert await storage.load_commands("one") == ['{"type":"run"}']
    assert await storage.load_table("table") == b"x\n1"
    assert await LabStore(storage).load_summaries() == []
    await storage.close()
    assert _names(file) >= LAB_TABLES


@pytest.mark.parametrize("is_old", [False, True])
def test_the_revisions_make_the_tables_of_the_models(tmp_path: Path, is_old: bool) -> None:
    file = tmp_path / "test.sqlite3"
    if is_old:
        _make_old(file)
    try_database(_url(file))
    try_database(_url(file))
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_a_migration_that_does_not_end_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    _make_old(file)
    before = _names(file)
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        upgrade(connection)
        connection.rollback()
    engine.dispose()
    assert _names(file) == before


def test_a_database_of_a_newer_version_is_left_alone_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    try_database(_url(file))
    database = sqlite3.connect(file)
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    with pytest.raises(MigrationError, match="it was written by a newer Kanoscope"):
        try_database(_url(file))


async def test_runs_of_the_lab_from_before_there_were_leases_are_interrupted(tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    try_database(_url(file))
    plan = make_plan()
    database = sqlite3.connect(file)
    for column in ("carrier", "carried_until"):
        database.execute(f"ALTER TABLE lab_runs DROP COLUMN {column}")
    database.execute("UPDATE alembic_version SET version_num = '0002'")
    spec = (plan.digest, plan.title, plan.toml, plan.kind, 3, plan.model_dump_json())
    database.execute("INSERT INTO lab_specs VALUES (?, ?, ?, ?, ?, ?)", spec)
    for state in ("running", "done"):
        database.execute("INSERT INTO lab_runs VALUES (?, 'key', ?, 7.0, ?, 'page')", (state, plan.digest, state))
    database.commit()
    database.close()
    storage = Storage(_url(file))
    await storage.open()
    summaries = await LabStore(storage).load_summaries()
    assert {summary.run_id: summary.state for summary in summaries} == {"running": "interrupted", "done": "done"}
    await storage.close()


@pytest.mark.slow
async def test_servers_that_open_a_database_at_once_wait_for_each_other(tmp_path: Path) -> None:
    code = f"from server.storage import try_database; try_database({_url(tmp_path / 'test.sqlite3')!r})"
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=subprocess.PIPE) for _ in "1234"]
    ended = await asyncio.gather(*(process.communicate() for process in started))
    assert [(process.returncode, told[1]) for process, told in zip(started, ended, strict=True)] == [(0, b"")] * 4
