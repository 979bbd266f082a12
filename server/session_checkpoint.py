"""A session as bytes: one safetensors file with JSON metadata, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from kan_core import KAN
from kan_core.checkpoint import read_metadata
from kan_core.errors import CheckpointError
from kan_core.symbolic import Library
from kan_core.symbolic.own_functions import describe_function, restore_function
from server.history import Entry, History, Sparsity
from server.loss_log import LossLog
from server.messages import AnyNetworkSettings, DataSource, LossPoint, StatusInfo, TrainingSettings
from server.model import Network
from server.models import model_of, rebuild
from server.refusal import Refusal
from server.session import Session
from server.session_data import build_data
from server.session_laws import Laws
from server.session_record import SessionRecord

FORMAT = "kanoscope-session-1"

_SOURCE: TypeAdapter[DataSource] = TypeAdapter(DataSource)
_SETTINGS: TypeAdapter[AnyNetworkSettings] = TypeAdapter(AnyNetworkSettings)


def session_to_bytes(session: Session) -> bytes:
    """Return the session with its losses, undo and redo networks and laws; `session_from_bytes` reads it back.

    Uploaded tables stay out: they are large, never change and are kept by their ids.

    Parameters come back bit by bit. What an optimizer remembers of earlier steps does not: it starts anew, as after a
    structural act. A search for laws that is at work is lost, but for the laws that it has found.
    """
    record = session.record
    networks = [
        session.network,
        *(entry.network for entry in session.history.undo_entries),
        *(entry.network for entry in session.history.redo_entries),
        *session.laws.networks,
    ]
    tensors: dict[str, Tensor] = {}
    for index, network in enumerate(networks):
        tensors |= model_of(network).tensors(f"{index}/")
    description = {
        "session_id": record.session_id,
        "source": record.source.model_dump(),
        "data_seed": record.data_seed,
        "seed": record.seed,
        "network": record.network.model_dump(),
        "training": record.training.model_dump(),
        "chosen_grid": record.chosen_grid,
        "own_functions": [describe_function(function) for function in record.library.own],
        "status": session.training_status.model_dump(),
        "steps_left": session.course.steps_left,
        "seconds": session.course.seconds,
        "revision": session.revision,
        "losses": [[point.step, point.train, point.test, point.seconds] for point in session.losses.points],
        "shelved": session.shelved_sparsity,
        "undo": [_describe_entry(entry) for entry in session.history.undo_entries],
        "redo": [_describe_entry(entry) for entry in session.history.redo_entries],
        "explanation": None if session.explanation is None else session.explanation.model_dump(),
        "networks": [model_of(network).describe() for network in networks],
    }
    return save(tensors, {"format": FORMAT, "session": json.dumps(description)})


def session_from_bytes(data: bytes, tables: Mapping[str, bytes] | None = None) -> Session:
    """Return the session that `session_to_bytes` wrote, `tables` being the uploaded files that it learns from, by id.

    Raises CheckpointError for any other bytes, and Refusal with code unknown_dataset when its table is missing.
    """
    metadata = read_metadata(data)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"a session's checkpoint has the format {FORMAT!r}, received format={metadata.get('format')!r}: "
            "start the session again"
        )
    try:
        return _rebuild(json.loads(metadata["session"]), load(data), {} if tables is None else tables)
    except Refusal:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint does not describe a session: {error}") from error


def _rebuild(description: dict[str, Any], tensors: dict[str, Tensor], tables: Mapping[str, bytes]) -> Session:
    record = SessionRecord(
        session_id=description["session_id"],
        source=_SOURCE.validate_python(description["source"]),
        tables=tables,
        data_seed=description["data_seed"],
        seed=description["seed"],
        network=_SETTINGS.validate_python(description["network"]),
        training=TrainingSettings.model_validate(description["training"]),
        # checkpoints from before the recipe could be told a grid have none
        chosen_grid=description.get("chosen_grid"),
        library=Library([restore_function(one) for one in description.get("own_functions", [])]),
    )
    networks = [rebuild(one, tensors, prefix=f"{index}/") for index, one in enumerate(description["networks"])]
    status = StatusInfo.model_validate(description["status"])
    num_undo = len(description["undo"])
    after_redo = 1 + num_undo + len(description["redo"])
    laws = [network for network in networks[after_redo:] if isinstance(network, KAN)]
    undo, redo = networks[1 : 1 + num_undo], networks[1 + num_undo : after_redo]
    # checkpoints from before time was taken have none
    losses = [
        LossPoint(step=step, train=train, test=test, seconds=seconds[0] if seconds else 0.0)
        for step, train, test, *seconds in description["losses"]
    ]
    data = build_data(record.source, tables, seed=record.data_seed)
    # checkpoints from before laws were searched for have none
    session = Session(
        record,
        data,
        networks[0],
        num_steps=status.step,
        revision=description["revision"],
        history=History(_entries(description["undo"], undo), _entries(description["redo"], redo)),
        losses=LossLog(losses),
        laws=Laws.restored(description.get("explanation"), laws, data),
    )
    session.course.seconds = description.get("seconds", 0.0)
    session.shelved_sparsity = _sparsity(description["shelved"])
    session.resume(status, steps_left=description["steps_left"])
    return session


def _describe_entry(entry: Entry) -> list[Any]:
    return [entry.label, entry.sparsity, entry.chosen_grid]


def _entries(described: list[list[Any]], networks: list[Network]) -> list[Entry]:
    return [
        Entry(label, network, _sparsity(sparsity), *chosen_grid)
        for (label, sparsity, *chosen_grid), network in zip(described, networks, strict=True)
    ]


def _sparsity(described: list[float] | None) -> Sparsity | None:
    return None if described is None else (described[0], described[1])
