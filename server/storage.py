"""Sessions, their newest checkpoints, command logs and uploaded tables, in a database."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Float, ForeignKey, LargeBinary, create_engine, delete, event, func, make_url, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, undefer

from server.engine import Checkpoint
from server.migrations import upgrade

BUSY_TIMEOUT_MS = 5000


class Base(DeclarativeBase):
    """The tables of the server."""

    # what float means is not the same in every version of SQLAlchemy
    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Float}


class SessionRow(Base):
    """A session and its newest checkpoint; `used` is when that was written, in seconds since 1970."""

    __tablename__ = "sessions"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    edit_key: Mapped[str]
    used: Mapped[float] = mapped_column(index=True)
    title: Mapped[str]
    dataset_id: Mapped[str | None]
    epoch: Mapped[int]
    step: Mapped[int]
    checkpoint: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class CommandRow(Base):
    """One act that a session carried out."""

    __tablename__ = "commands"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    at: Mapped[float]
    command: Mapped[str]


class TableRow(Base):
    """An uploaded CSV file as it came."""

    __tablename__ = "tables"

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[float]
    content: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A stored session but for its checkpoint."""

    session_id: str
    edit_key: str
    title: str
    step: int


class Storage:
    """The database at a SQLAlchemy address; SQLite runs in WAL mode. Call `open` first and `close` last."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _configure_sqlite)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @property
    def transactions(self) -> async_sessionmaker[AsyncSession]:
        """What other parts read and write tables of their own with."""
        return self._sessions

    async def open(self) -> None:
        """Bring the tables to their newest form; raises MigrationError when a newer version has written them."""
        async with self._engine.begin() as connection:
            await connection.run_sync(upgrade)

    async def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        await self._engine.dispose()

    async def add_session(self, session_id: str, edit_key: str, checkpoint: Checkpoint) -> None:
        """Add a session with its first checkpoint."""
        async with self._sessions.begin() as database:
            database.add(SessionRow(session_id=session_id, edit_key=edit_key, **_columns(checkpoint)))

    async def save_checkpoint(self, session_id: str, checkpoint: Checkpoint) -> bool:
        """Replace the session's checkpoint; return False when the session was deleted meanwhile."""
        change = (
            update(SessionRow)
            .where(SessionRow.session_id == session_id)
            .values(**_columns(checkpoint))
            .returning(SessionRow.session_id)
        )
        async with self._sessions.begin() as database:
            return (await database.scalar(change)) is not None

    async def load_checkpoint(self, session_id: str) -> Checkpoint | None:
        """Return the session's newest checkpoint, or None when there is no such session."""
        query = select(SessionRow).where(SessionRow.session_id == session_id).options(undefer(SessionRow.checkpoint))
        async with self._sessions() as database:
            row = await database.scalar(query)
        if row is None:
            return None
        return Checkpoint(
            epoch=row.epoch, step=row.step, title=row.title, dataset_id=row.dataset_id, content=row.checkpoint
        )

    async def load_sessions(self) -> list[StoredSession]:
        """Return every session, the least recently used first."""
        async with self._sessions() as database:
            rows = await database.scalars(select(SessionRow).order_by(SessionRow.used, SessionRow.session_id))
            return [
                StoredSession(session_id=row.session_id, edit_key=row.edit_key, title=row.title, step=row.step)
                for row in rows
            ]

    async def delete_session(self, session_id: str) -> None:
        """Delete the session with its log; deleting what is not there is harmless."""
        async with self._sessions.begin() as database:
            await database.execute(delete(CommandRow).where(CommandRow.session_id == session_id))
            await database.execute(delete(SessionRow).where(SessionRow.session_id == session_id))

    async def log_command(self, session_id: str, command: str, *, keep: int) -> None:
        """Append a command to the session's log and forget all but its newest `keep`."""
        own = CommandRow.session_id == session_id
        async with self._sessions.begin() as database:
            database.add(CommandRow(session_id=session_id, at=time.time(), command=command))
            await database.flush()
            newest = select(CommandRow.number).where(own).order_by(CommandRow.number.desc()).limit(keep)
            await database.execute(delete(CommandRow).where(own, CommandRow.number.not_in(newest)))

    async def load_commands(self, session_id: str) -> list[str]:
        """Return the session's log, the oldest first."""
        query = select(CommandRow.command).where(CommandRow.session_id == session_id).order_by(CommandRow.number)
        async with self._sessions() as database:
            return list(await database.scalars(query))

    async def add_table(self, dataset_id: str, content: bytes, *, limit: int) -> bool:
        """Keep an uploaded file in place of the oldest that no session learns from, if `limit` are kept already.

        Returns False, keeping nothing, when sessions learn from all of them.
        """
        in_use = select(SessionRow.dataset_id).where(SessionRow.dataset_id.is_not(None))
        unused = select(TableRow.dataset_id).where(TableRow.dataset_id.not_in(in_use)).order_by(TableRow.created)
        async with self._sessions.begin() as database:
            excess = (await database.scalar(select(func.count()).select_from(TableRow)) or 0) + 1 - limit
            if excess > 0:
                oldest = list(await database.scalars(unused.limit(excess)))
                if len(oldest) < excess:
                    return False
                await database.execute(delete(TableRow).where(TableRow.dataset_id.in_(oldest)))
            database.add(TableRow(dataset_id=dataset_id, created=time.time(), content=content))
            return True

    async def load_table(self, dataset_id: str) -> bytes | None:
        """Return an uploaded file, or None when there is none of this id."""
        async with self._sessions() as database:
            return await database.scalar(select(TableRow.content).where(TableRow.dataset_id == dataset_id))


def try_database(url: str) -> None:
    """Open the database at this address and close it; raises what SQLAlchemy, its driver or a migration has to say."""
    storage, address = Storage(url), make_url(url)
    if address.get_backend_name() != "sqlite" or address.database is None:
        asyncio.run(_open_and_close(storage))
        return
    # not through asyncio: when that fails, a thread is left that still speaks to the closed event loop
    engine = create_engine(address.set(drivername="sqlite"))
    event.listen(engine, "connect", _configure_sqlite)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


async def _open_and_close(storage: Storage) -> None:
    try:
        await storage.open()
    finally:
        await storage.close()


def _columns(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "used": time.time(),
        "title": checkpoint.title,
        "dataset_id": checkpoint.dataset_id,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "checkpoint": checkpoint.content,
    }


# the driver's connection has no public type of its own
def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
