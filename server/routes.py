"""The REST interface under /api/."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from server.directory import Directory
from server.refusal import Refusal
from server.rest import Health, SessionCreated, SessionList, SessionRequest, SessionSummary

router = APIRouter(prefix="/api")


def _directory(request: Request) -> Directory:
    return request.app.state.directory


@router.get("/health")
async def health() -> Health:
    """Say that the server answers."""
    return Health(version=version("kanoscope"))


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
