"""The REST interface under /api/."""

from __future__ import annotations

import asyncio
import secrets
from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from server.directory import Directory
from server.engine import Engine
from server.refusal import Refusal
from server.rest import (
    CatalogueInfo,
    FormulaCheck,
    FormulaRequest,
    Health,
    SessionCreated,
    SessionList,
    SessionRequest,
    SessionSummary,
    TableCreated,
)
from server.settings import Settings
from server.storage import Storage
from server.uploads import check_formula, describe_table, receive_file

router = APIRouter(prefix="/api")


def _directory(request: Request) -> Directory:
    return request.app.state.directory


@router.get("/health")
async def health() -> Health:
    """Say that the server answers."""
    return Health(version=version("kanoscope"))


@router.get("/catalogue")
async def get_catalogue(request: Request) -> CatalogueInfo:
    """Return what menus are filled from."""
    engine: Engine = request.app.state.engine
    settings: Settings = request.app.state.settings
    catalogue = await engine.catalogue()
    max_csv_bytes = min(settings.max_csv_bytes, catalogue.limits.max_csv_bytes)
    limits = catalogue.limits.model_copy(update={"max_csv_bytes": max_csv_bytes})
    return catalogue.model_copy(update={"limits": limits})


@router.post("/formula/check")
async def post_formula_check(body: FormulaRequest) -> FormulaCheck:
    """Tell whether a typed formula can be used."""
    return await asyncio.to_thread(check_formula, body)


@router.post("/datasets", status_code=201)
async def upload_dataset(request: Request) -> TableCreated:
    """Keep a CSV file, given as the raw body, for sessions to learn from."""
    settings: Settings = request.app.state.settings
    storage: Storage = request.app.state.storage
    content = await receive_file(request.stream(), settings.max_csv_bytes)
    table = await asyncio.to_thread(describe_table, secrets.token_urlsafe(8), content)
    if not await storage.add_table(table.dataset_id, content, limit=settings.max_datasets):
        remedy = "delete a session that you no longer need, or start the server with a higher KANOSCOPE_MAX_DATASETS"
        raise Refusal(
            "too_many_tables",
            f"This server keeps {settings.max_datasets} tables, and sessions learn from all of them: {remedy}.",
        )
    return table


@router.post("/sessions", status_code=201)
async def create_session(request: Request, body: SessionRequest) -> SessionCreated:
    """Start a session that trains at once."""
    return await _directory(request).create(body)


@router.get("/sessions")
async def list_sessions(request: Request) -> SessionList:
    """List the sessions of this server."""
    return SessionList(sessions=_directory(request).summaries())


@router.get("/sessions/{session_id}")
async def get_session(request: Request, session_id: str) -> SessionSummary:
    """Tell what anyone with the link may know of a session."""
    for summary in _directory(request).summaries():
        if summary.session_id == session_id:
            return summary
    raise Refusal("unknown_session", f"There is no session {session_id!r}.")


@router.delete("/sessions/{session_id}", status_code=204)
async def delete_session(request: Request, session_id: str, key: str | None = None) -> Response:
    """Delete a session; needs its edit key."""
    await _directory(request).delete(session_id, key)
    return Response(status_code=204)
