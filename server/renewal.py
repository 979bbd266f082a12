"""What a session becomes when its network starts afresh: by a reset, by another shape, on other data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.messages import CsvSource, DataSource, Reset, SetData, SetNetwork
from server.model import Network
from server.models import fresh_network, with_hidden
from server.session_data import SessionData, build_data
from server.session_record import SessionRecord, choosing_grids

Renewal = Reset | SetNetwork | SetData


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A fresh network with its record and data; `reason` is a few words, `sentence` what everyone should read."""

    record: SessionRecord
    data: SessionData
    network: Network
    reason: str
    sentence: str = ""


def renew(record: SessionRecord, data: SessionData, command: Renewal) -> Renewed:
    """Return what the session is after the act; raises Refusal as `build_data` and `fresh_network` do.

    Where a recipe had to keep to a grid that a person chose, it chooses again; those that its training is to go through
    stay until the network or the data are others.
    """
    match command:
        case Reset():
            seed = record.seed + 1 if command.new_seed else record.seed
            network = fresh_network(record.network, data, seed)
            reason = f"started again from seed {seed}"
            record = replace(record, seed=seed, chosen_grid=None)
            return Renewed(record=record, data=data, network=network, reason=reason)
        case SetNetwork(network=settings):
            return Renewed(
                record=replace(choosing_grids(record), network=settings),
                data=data,
                network=fresh_network(settings, data, record.seed),
                reason=f"new network {'-'.join(map(str, settings.widths))}",
                sentence="A fresh network was started: its shape changed.",
            )
        case SetData():
            return _learn_other(choosing_grids(record), command)


def _learn_other(record: SessionRecord, command: SetData) -> Renewed:
    data = build_data(command.source, record.tables, seed=record.data_seed)
    settings = with_hidden(record.network, command.hidden, data)
    tables = tables_of(command.source, record.tables)
    return Renewed(
        record=replace(record, source=command.source, tables=tables, network=settings),
        data=data,
        network=fresh_network(settings, data, record.seed),
        reason=f"new data: {data.info.title}",
        sentence=f"A fresh network was started: it now learns {data.info.title}.",
    )


def tables_of(source: DataSource, tables: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the one of these uploaded tables that `source` names, if it names one."""
    used = source.dataset_id if isinstance(source, CsvSource) else None
    return {name: content for name, content in tables.items() if name == used}
