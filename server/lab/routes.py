"""The lab under /api/lab and /ws/lab."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from dataclasses import replace

from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect

from server.directory import Directory
from server.lab.asking import LabAsker
from server.lab.comparing import compare_runs
from server.lab.exports import MEDIA_TYPES, results_csv, results_json
from server.lab.messages import (
    LabCheck,
    LabComparison,
    LabExportFormat,
    LabOpenRequest,
    LabReadyList,
    LabRunCreated,
    LabRunInfo,
    LabRunList,
    LabSpecRequest,
)
from server.lab.runs import LabRuns
from server.lab.viewer import LabViewer
from server.mailbox import MailboxClosed
from server.refusal import Refusal
from server.rest import SessionCreated
from server.settings import Settings
from server.streaming import UNKNOWN_SESSION

router = APIRouter()
NOTHING = 204


def _runs(request: Request) -> LabRuns:
    return request.app.state.lab_runs


def _asker(request: Request) -> LabAsker:
    return request.app.state.lab_asker


@router.get("/api/lab/ready")
async def get_ready(request: Request) -> LabReadyList:
    """Return the ready specs."""
    return await _asker(request).ready()


@router.post("/api/lab/check")
async def post_check(request: Request, body: LabSpecRequest) -> LabCheck:
    """Tell whether a spec can be run, how many points that takes and how long."""
    return await _runs(request).check(body.toml)


@router.post("/api/lab/runs", status_code=201)
async def post_run(request: Request, body: LabSpecRequest) -> LabRunCreated:
    """Run a spec."""
    return await _runs(request).start(body.toml)


@router.get("/api/lab/runs")
async def list_runs(request: Request) -> LabRunList:
    """List the runs of this server, the newest first."""
    return LabRunList(runs=await _runs(request).summaries())


@router.get("/api/lab/runs/{run_id}")
async def get_run(request: Request, run_id: str, key: str | None = None) -> LabRunInfo:
    """Tell all about a run."""
    return await _runs(request).info(run_id, key)


@router.delete("/api/lab/runs/{run_id}", status_code=NOTHING)
async def delete_run(request: Request, run_id: str, key: str | None = None) -> Response:
    """Delete a run with its points; needs its edit key."""
    await _runs(request).delete(run_id, key)
    return Response(status_code=NOTHING)


@router.post("/api/lab/runs/{run_id}/pause", status_code=NOTHING)
async def pause_run(request: Request, run_id: str, key: str | None = None) -> Response:
    """Let a run rest; needs its edit key."""
    await _runs(request).pause(run_id, key)
    return Response(status_code=NOTHING)


@router.post("/api/lab/runs/{run_id}/resume", status_code=NOTHING)
async def resume_run(request: Request, run_id: str, key: str | None = None) -> Response:
    """Go on with a paused run; needs its edit key."""
    await _runs(request).resume(run_id, key)
    return Response(status_code=NOTHING)


@router.post("/api/lab/runs/{run_id}/cancel", status_code=NOTHING)
async def cancel_run(request: Request, run_id: str, key: str | None = None) -> Response:
    """End a run, keeping the points that are done; needs its edit key."""
    await _runs(request).cancel(run_id, key)
    return Response(status_code=NOTHING)


@router.get("/api/lab/runs/{run_id}/figures")
async def get_figures(request: Request, run_id: str) -> Response:
    """Return Plotly figures of the points so far, by their names."""
    run, results = await _runs(request).results(run_id)
    figures = await _asker(request).figures(run_id, run.stored.plan.toml, results)
    return Response(await asyncio.to_thread(json.dumps, figures), media_type="application/json")


@router.get("/api/lab/runs/{run_id}/export.{form}")
async def export_run(request: Request, run_id: str, form: LabExportFormat) -> Response:
    """Return a run as a file."""
    run, results = await _runs(request).results(run_id)
    plan = run.stored.plan
    match form:
        case "csv":
            text = await asyncio.to_thread(results_csv, run_id, plan, results)
        case "json":
            fits = (await _runs(request).info(run_id, None)).fits
            text = await asyncio.to_thread(results_json, run_id, plan, results, fits)
        case "toml":
            text = plan.toml
        case "html":
            text = await _asker(request).report(run_id, plan.toml, results)
    name = re.sub(r"[^a-z0-9]+", "-", plan.title.lower()).strip("-")[:60] or "lab"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(text, media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/api/lab/runs/{run_id}/compare/{other_id}")
async def compare(request: Request, run_id: str, other_id: str) -> LabComparison:
    """Set two runs side by side."""
    first, first_results = await _runs(request).results(run_id)
    second, second_results = await _runs(request).results(other_id)
    stored = [replace(run.stored, state=run.state) for run in (first, second)]
    return await asyncio.to_thread(compare_runs, stored[0], first_results, stored[1], second_results)


@router.post("/api/lab/runs/{run_id}/open", status_code=201)
async def open_point(request: Request, run_id: str, body: LabOpenRequest) -> SessionCreated:
    """Start a session with the data, network, training and seed of a point."""
    directory: Directory = request.app.state.directory
    run, _ = await _runs(request).results(run_id)
    return await directory.create(await _asker(request).session(run.stored.plan.toml, body.key))


@router.websocket("/ws/lab/{run_id}")
async def stream_run(websocket: WebSocket, run_id: str, key: str | None = None) -> None:
    """Let a page watch a run."""
    await websocket.accept()
    runs: LabRuns = websocket.app.state.lab_runs
    settings: Settings = websocket.app.state.settings
    try:
        async with runs.watch(run_id, key) as viewer:
            await _stream(websocket, viewer, settings.send_timeout)
    except Refusal:
        await websocket.close(UNKNOWN_SESSION, "unknown run")


async def _stream(websocket: WebSocket, viewer: LabViewer, send_timeout: float) -> None:
    """Send and receive until the page leaves or its mailbox closes."""
    tasks = [asyncio.create_task(_send(websocket, viewer, send_timeout)), asyncio.create_task(_drain(websocket))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(websocket: WebSocket, viewer: LabViewer, send_timeout: float) -> None:
    # a page that is gone, or reads nothing for so long that not even the reason for closing can be sent
    with contextlib.suppress(WebSocketDisconnect, TimeoutError):
        try:
            while True:
                text = await viewer.get()
                async with asyncio.timeout(send_timeout):
                    await websocket.send_text(text)
        except MailboxClosed as closed:
            async with asyncio.timeout(1.0):
                await websocket.close(closed.code, closed.reason)


async def _drain(websocket: WebSocket) -> None:
    """Return when the page leaves; what it says is not listened to."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
