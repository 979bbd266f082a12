"""The page itself: static files that the build put beside this module."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response

from server.refusal import Refusal

STATIC = Path(__file__).parent / "static"
MISSING = "The page was not built: install Kanoscope with `pip install .`, or run `npm run build` in frontend/.\n"
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/s/{session_id}")
@router.get("/lab")
@router.get("/lab/{run_id}")
async def index() -> Response:
    """Serve the page; which session or run it shows it reads from its own address."""
    page = STATIC / "index.html"
    if not page.is_file():
        return PlainTextResponse(MISSING, status_code=503)
    return FileResponse(page, headers=FRESH)


@router.get("/{path:path}")
async def asset(path: str) -> Response:
    """Serve a file of the build; names under assets/ carry a digest of the content and never change."""
    if path.startswith("api/"):
        raise Refusal("not_found", f"There is no /{path}: see /api/openapi.json for what there is.")
    file = _find(path)
    if file is None:
        return PlainTextResponse("There is no such page.\n", status_code=404)
    return FileResponse(file, headers=IMMUTABLE if path.startswith("assets/") else FRESH)


def _find(path: str) -> Path | None:
    try:
        file = (STATIC / path).resolve()
        return file if file.is_relative_to(STATIC.resolve()) and file.is_file() else None
    except (ValueError, OSError):
        # no file system has such a name: it holds a NUL or is too long
        return None
