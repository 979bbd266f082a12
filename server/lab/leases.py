"""Who carries runs out: of several processes on one database one at a time, as long as it goes on saying so."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection

from sqlalchemy import select, update

from server.lab.store import STATES, LabRunRow, Lease, Origin, StoredState
from server.storage import Storage

# how often a lease is renewed before it runs out
RENEWALS = 5


class LabLeases:
    """The leases of this process on runs of an open storage.

    A lease that was not renewed for `seconds` has run out: then anyone may take it, and one alone gets it. `clock` is
    in seconds since 1970; those of machines that share a database are to agree to within much less than `seconds`.
    """

    def __init__(self, storage: Storage, *, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._transactions = storage.transactions
        self._seconds = seconds
        self._clock = clock
        self._carrier = secrets.token_urlsafe(8)

    @property
    def interval(self) -> float:
        """The seconds between two renewals."""
        return self._seconds / RENEWALS

    def make(self) -> Lease:
        """Return a lease that begins now, for a new run."""
        return Lease(carrier=self._carrier, until=self._clock() + self._seconds)

    async def acquire(self, run_id: str) -> bool:
        """Take the lease of a run that is to go on; returns False when another has it, or there is nothing to do."""
        now = self._clock()
        is_free = (LabRunRow.run_id == run_id) & (LabRunRow.state == "running") & (LabRunRow.carried_until <= now)
        change = update(LabRunRow).where(is_free).values(carrier=self._carrier, carried_until=now + self._seconds)
        async with self._transactions.begin() as database:
            return (await database.scalar(change.returning(LabRunRow.run_id))) is not None

    async def renew(self, run_ids: Collection[str]) -> dict[str, StoredState]:
        """Renew leases, and return what is to become of the runs that are still this process's own."""
        if not run_ids:
            return {}
        is_own = (LabRunRow.carrier == self._carrier) & LabRunRow.run_id.in_(run_ids)
        change = update(LabRunRow).where(is_own).values(carried_until=self._clock() + self._seconds)
        async with self._transactions.begin() as database:
            rows = await database.execute(change.returning(LabRunRow.run_id, LabRunRow.state))
            return {run_id: STATES[state] for run_id, state in rows}

    async def release(self, run_ids: Collection[str]) -> None:
        """Give leases back, so that others need not wait for their end."""
        is_own = (LabRunRow.carrier == self._carrier) & LabRunRow.run_id.in_(run_ids)
        async with self._transactions.begin() as database:
            await database.execute(update(LabRunRow).where(is_own).values(carried_until=0.0))

    async def load_interrupted(self, origin: Origin) -> list[str]:
        """Return the runs that are to go on and that nobody carries out, the oldest first."""
        query = (
            select(LabRunRow.run_id)
            .where(LabRunRow.origin == origin, LabRunRow.state == "running", LabRunRow.carried_until <= self._clock())
            .order_by(LabRunRow.created, LabRunRow.run_id)
        )
        async with self._transactions() as database:
            return list(await database.scalars(query))
