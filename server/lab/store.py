"""Specs, runs and the results of points in the database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sqlalchemy import ColumnElement, ForeignKey, Subquery, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from server.lab.messages import LabRunState, LabRunSummary
from server.lab.plan import LabPlan
from server.storage import Base, Storage

# who carries a run out: the server, or `kanoscope lab`
Origin = Literal["page", "command"]
TRIES = 5
STATES: Mapping[str, LabRunState] = MappingProxyType(
    {"running": "running", "paused": "paused", "done": "done", "cancelled": "cancelled"}
)


class LabSpecRow(Base):
    """A spec in its canonical form with what it means, once however often it is run."""

    __tablename__ = "lab_specs"

    digest: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    toml: Mapped[str]
    kind: Mapped[str]
    num_points: Mapped[int]
    plan: Mapped[str]


class LabRunRow(Base):
    """A spec being carried out; `created` is in seconds since 1970."""

    __tablename__ = "lab_runs"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    edit_key: Mapped[str]
    digest: Mapped[str] = mapped_column(ForeignKey("lab_specs.digest"), index=True)
    created: Mapped[float] = mapped_column(index=True)
    state: Mapped[str]
    origin: Mapped[str]


class LabPointRow(Base):
    """The result of a point as JSON; a run has each of its points at most once."""

    __tablename__ = "lab_points"

    run_id: Mapped[str] = mapped_column(ForeignKey("lab_runs.run_id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run but for its points."""

    run_id: str
    edit_key: str
    digest: str
    created: float
    state: LabRunState
    origin: Origin
    plan: LabPlan


class LabStore:
    """The lab's tables of an open storage."""

    def __init__(self, storage: Storage) -> None:
        self._transactions = storage.transactions

    async def add_run(self, run_id: str, edit_key: str, plan: LabPlan, *, origin: Origin) -> StoredRun:
        """Add a run without results, and its spec if that is new."""
        created = time.time()
        for left in reversed(range(TRIES)):
            try:
                await self._add_run(run_id, edit_key, plan, created, origin)
                break
            except IntegrityError:
                # somebody else added the same spec, or deleted it with its last run, at the same moment
                if left == 0:
                    raise
        return StoredRun(
            run_id=run_id,
            edit_key=edit_key,
            digest=plan.digest,
            created=created,
            state="running",
            origin=origin,
            plan=plan,
        )

    async def _add_run(self, run_id: str, edit_key: str, plan: LabPlan, created: float, origin: Origin) -> None:
        async with self._transactions.begin() as database:
            spec = await database.get(LabSpecRow, plan.digest)
            if spec is None:
                database.add(
                    LabSpecRow(
                        digest=plan.digest,
                        title=plan.title,
                        toml=plan.toml,
                        kind=plan.kind,
                        num_points=len(plan.points),
                        plan=plan.model_dump_json(),
                    )
                )
                await database.flush()
            database.add(
                LabRunRow(
                    run_id=run_id,
                    edit_key=edit_key,
                    digest=plan.digest,
                    created=created,
                    state="running",
                    origin=origin,
                )
            )

    async def count_runs(self, origin: Origin) -> int:
        """Return how many runs are kept that were started there."""
        query = select(func.count()).select_from(LabRunRow).where(LabRunRow.origin == origin)
        async with self._transactions() as database:
            return await database.scalar(query) or 0

    async def load_summaries(self) -> list[LabRunSummary]:
        """Return all runs at a glance, the newest first."""
        counts = _counts()
        query = (
            select(LabRunRow, LabSpecRow.title, LabSpecRow.kind, LabSpecRow.num_points, counts.c.num)
            .join(LabSpecRow, LabSpecRow.digest == LabRunRow.digest)
            .outerjoin(counts, counts.c.run_id == LabRunRow.run_id)
            .order_by(LabRunRow.created.desc(), LabRunRow.run_id)
        )
        async with self._transactions() as database:
            rows = (await database.execute(query)).all()
        return [
            LabRunSummary(
                run_id=row.run_id,
                title=title,
                kind="scaling" if kind == "scaling" else "race",
                digest=row.digest,
                state=STATES[row.state],
                num_points=num_points,
                num_done=num_done or 0,
                created=row.created,
            )
            for row, title, kind, num_points, num_done in rows
        ]

    async def load_run(self, run_id: str) -> StoredRun | None:
        """Return a run, or None when there is none of this id."""
        return next(iter(await self._load(LabRunRow.run_id == run_id)), None)

    async def load_runs_of(self, digest: str) -> list[StoredRun]:
        """Return the runs of a spec, the newest first."""
        return await self._load(LabRunRow.digest == digest)

    async def load_running(self, origin: Origin) -> list[StoredRun]:
        """Return the runs that are to go on, the newest first."""
        return await self._load((LabRunRow.state == "running") & (LabRunRow.origin == origin))

    async def _load(self, which: ColumnElement[bool]) -> list[StoredRun]:
        query = (
            select(LabRunRow, LabSpecRow.plan)
            .join(LabSpecRow, LabSpecRow.digest == LabRunRow.digest)
            .where(which)
            .order_by(LabRunRow.created.desc(), LabRunRow.run_id)
        )
        async with self._transactions() as database:
            return [
                StoredRun(
                    run_id=row.run_id,
                    edit_key=row.edit_key,
                    digest=row.digest,
                    created=row.created,
                    state=STATES[row.state],
                    origin="command" if row.origin == "command" else "page",
                    plan=LabPlan.model_validate_json(plan),
                )
                for row, plan in await database.execute(query)
            ]

    async def set_state(self, run_id: str, state: LabRunState) -> None:
        """Note what became of a run."""
        async with self._transactions.begin() as database:
            await database.execute(update(LabRunRow).where(LabRunRow.run_id == run_id).values(state=state))

    async def add_result(self, run_id: str, key: str, result: str) -> bool:
        """Keep the result of a point; returns False, changing nothing, when it is there or the run is not."""
        try:
            async with self._transactions.begin() as database:
                database.add(LabPointRow(run_id=run_id, key=key, result=result))
        except IntegrityError:
            return False
        return True

    async def load_results(self, run_id: str, *, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return the results of a run's points by their keys, of some or all."""
        query = select(LabPointRow.key, LabPointRow.result).where(LabPointRow.run_id == run_id)
        if keys is not None:
            query = query.where(LabPointRow.key.in_(list(keys)))
        async with self._transactions() as database:
            return {row.key: row.result for row in await database.execute(query)}

    async def delete_run(self, run_id: str) -> None:
        """Delete a run with its results; deleting what is not there is harmless."""
        async with self._transactions.begin() as database:
            await database.execute(delete(LabPointRow).where(LabPointRow.run_id == run_id))
            await database.execute(delete(LabRunRow).where(LabRunRow.run_id == run_id))
            used = select(LabRunRow.digest)
            await database.execute(delete(LabSpecRow).where(LabSpecRow.digest.not_in(used)))


def _counts() -> Subquery:
    """Return how many results each run has that has any."""
    return select(LabPointRow.run_id, func.count().label("num")).group_by(LabPointRow.run_id).subquery()
