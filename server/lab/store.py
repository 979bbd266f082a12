"""Specs, runs and the results of points in the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
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
# what is to become of a run; one that is to run and is carried out by nobody is told as interrupted
StoredState = Literal["running", "paused", "done", "cancelled"]
TRIES = 5
STATES: Mapping[str, StoredState] = MappingProxyType(
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
    """A spec being carried out; times are in seconds since 1970.

    `carrier` is the process that carries it out, for certain until `carried_until`, which it puts off as it goes on.
    """

    __tablename__ = "lab_runs"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    edit_key: Mapped[str]
    digest: Mapped[str] = mapped_column(ForeignKey("lab_specs.digest"), index=True)
    created: Mapped[float] = mapped_column(index=True)
    state: Mapped[str]
    origin: Mapped[str]
    carrier: Mapped[str] = mapped_column(default="")
    carried_until: Mapped[float] = mapped_column(default=0.0)


class LabPointRow(Base):
    """The result of a point as JSON; a run has each of its points at most once."""

    __tablename__ = "lab_points"

    run_id: Mapped[str] = mapped_column(ForeignKey("lab_runs.run_id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """That a process carries a run out, for certain until a time in seconds since 1970."""

    carrier: str
    until: float


NOBODY = Lease(carrier="", until=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run but for its points; `is_carried` says whether some process carries it out now."""

    run_id: str
    edit_key: str
    digest: str
    created: float
    state: LabRunState
    origin: Origin
    is_carried: bool
    plan: LabPlan


class LabStore:
    """The lab's tables of an open storage; `clock` is in seconds since 1970."""

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.time) -> None:
        self._transactions = storage.transactions
        self._clock = clock

    async def add_run(
        self, run_id: str, edit_key: str, plan: LabPlan, *, origin: Origin, lease: Lease = NOBODY
    ) -> StoredRun:
        """Add a run without results, and its spec if that is new."""
        added = await self._add(run_id, edit_key, plan, origin, lease, is_only_one=False)
        assert added is not None
        return added

    async def add_only_run(
        self, run_id: str, edit_key: str, plan: LabPlan, *, origin: Origin, lease: Lease
    ) -> StoredRun | None:
        """Do the same unless a process carries out another run of that spec and origin; then nothing is added."""
        return await self._add(run_id, edit_key, plan, origin, lease, is_only_one=True)

    async def _add(
        self, run_id: str, edit_key: str, plan: LabPlan, origin: Origin, lease: Lease, *, is_only_one: bool
    ) -> StoredRun | None:
        created = self._clock()
        for left in reversed(range(TRIES)):
            row = LabRunRow(
                run_id=run_id,
                edit_key=edit_key,
                digest=plan.digest,
                created=created,
                state="running",
                origin=origin,
                carrier=lease.carrier,
                carried_until=lease.until,
            )
            try:
                is_added = await self._add_run(row, plan, is_only_one=is_only_one)
                return self._stored(row, plan) if is_added else None
            except IntegrityError:
                # somebody else added the same spec, or deleted it with its last run, at the same moment
                if left == 0:
                    raise
        return None

    async def _add_run(self, row: LabRunRow, plan: LabPlan, *, is_only_one: bool) -> bool:
        async with self._transactions() as database:
            # of two who add runs of one spec at once, the second waits here or at its insertion for the first
            spec = await database.get(LabSpecRow, plan.digest, with_for_update=True)
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
            database.add(row)
            await database.flush()
            others = select(LabRunRow.run_id).where(
                LabRunRow.digest == row.digest,
                LabRunRow.origin == row.origin,
                LabRunRow.run_id != row.run_id,
                LabRunRow.state.in_(("running", "paused")),
                LabRunRow.carried_until > self._clock(),
            )
            if is_only_one and (await database.scalar(others.limit(1))) is not None:
                await database.rollback()
                return False
            await database.commit()
            return True

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
                state=self._state(row),
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

    async def load_standing(self, run_id: str) -> tuple[LabRunState, int] | None:
        """Return a run's state and how many of its points are done, or None when there is none of this id."""
        num_done = select(func.count()).where(LabPointRow.run_id == LabRunRow.run_id).scalar_subquery()
        async with self._transactions() as database:
            found = (await database.execute(select(LabRunRow, num_done).where(LabRunRow.run_id == run_id))).first()
        return None if found is None else (self._state(found[0]), found[1])

    async def _load(self, which: ColumnElement[bool]) -> list[StoredRun]:
        query = (
            select(LabRunRow, LabSpecRow.plan)
            .join(LabSpecRow, LabSpecRow.digest == LabRunRow.digest)
            .where(which)
            .order_by(LabRunRow.created.desc(), LabRunRow.run_id)
        )
        async with self._transactions() as database:
            return [self._stored(row, LabPlan.model_validate_json(plan)) for row, plan in await database.execute(query)]

    def _stored(self, row: LabRunRow, plan: LabPlan) -> StoredRun:
        return StoredRun(
            run_id=row.run_id,
            edit_key=row.edit_key,
            digest=row.digest,
            created=row.created,
            state=self._state(row),
            origin="command" if row.origin == "command" else "page",
            is_carried=row.carried_until > self._clock(),
            plan=plan,
        )

    def _state(self, row: LabRunRow) -> LabRunState:
        is_interrupted = row.state == "running" and row.carried_until <= self._clock()
        return "interrupted" if is_interrupted else STATES[row.state]

    async def change_state(self, run_id: str, state: StoredState, *, of: Collection[StoredState]) -> bool:
        """Note what is to become of a run in one of some states; returns False when it is in none of them."""
        is_in_one = (LabRunRow.run_id == run_id) & LabRunRow.state.in_(of)
        change = update(LabRunRow).where(is_in_one).values(state=state).returning(LabRunRow.run_id)
        async with self._transactions.begin() as database:
            return (await database.scalar(change)) is not None

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
