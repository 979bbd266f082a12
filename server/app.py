"""The web application: it joins the parts and never loads torch itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from server import pages, routes, streaming
from server.complaints import describe_invalid
from server.directory import Directory
from server.guard import BodyLimit, Guard, SafeHeaders
from server.keeper import CheckpointKeeper
from server.lab import routes as lab_routes
from server.lab.asking import LabAsker
from server.lab.desk import LabDesk
from server.lab.leases import LabLeases
from server.lab.queue import LocalJobQueue
from server.lab.runs import LabRuns
from server.lab.store import LabStore
from server.local import LocalEngine
from server.refusal import Refusal
from server.rest import Problem
from server.settings import Settings
from server.storage import Storage

STATUS_CODES = {
    "unknown_session": 404,
    "unknown_run": 404,
    "not_found": 404,
    "read_only": 403,
    "too_large": 413,
    "too_many_sessions": 429,
    "too_many_tables": 429,
    "too_many_runs": 429,
    "not_running": 409,
    "not_paused": 409,
    "unexpected": 500,
    "worker_died": 503,
}


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its lifespan starts and stops the workers and the database."""
    app = FastAPI(title="Kanoscope", lifespan=_lifespan, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.settings = settings
    # the last one added sees a request first
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(SafeHeaders)
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(HTTPException, _refuse_request)
    app.add_exception_handler(RequestValidationError, _refuse_body)
    app.include_router(routes.router)
    app.include_router(streaming.router)
    app.include_router(lab_routes.router)
    app.include_router(pages.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    settings: Settings = app.state.settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    storage = Storage(settings.database)
    await storage.open()
    keeper = CheckpointKeeper(storage)
    keeper.start()
    engine = LocalEngine(settings, load_table=storage.load_table, on_checkpoint=keeper.put)
    directory = Directory(engine, storage, keeper, settings)
    app.state.storage, app.state.engine, app.state.directory = storage, engine, directory
    asker = LabAsker(LabDesk())
    runs = LabRuns(
        LabStore(storage),
        LabLeases(storage, seconds=settings.lab_lease),
        LocalJobQueue(settings.lab_processes),
        asker,
        origin="page",
        max_runs=settings.max_lab_runs,
        capacity=settings.event_queue,
    )
    app.state.lab_runs, app.state.lab_asker = runs, asker
    try:
        await directory.load()
        await engine.start()
        await runs.load()
        yield
    finally:
        await directory.close()
        await runs.stop()
        await engine.stop()
        await keeper.stop()
        await storage.close()


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    problem = Problem(code=error.code, sentence=error.sentence, position=error.position)
    return JSONResponse(problem.model_dump(exclude_none=True), STATUS_CODES.get(error.code, 422))


async def _refuse_body(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    sentence = describe_invalid(error.errors(), whole="The body", received=error.body)
    return JSONResponse(Problem(code="bad_request", sentence=sentence).model_dump(exclude_none=True), 422)


async def _refuse_request(request: Request, error: Exception) -> JSONResponse:
    """Answer what no route takes: a method that is not there, or a body that is not even text."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        sentence = f"{request.url.path} does not take {request.method}: see /api/openapi.json for what there is."
    else:
        sentence = "The body is JSON in UTF-8, received something else: send it as such."
    problem = Problem(code="bad_request", sentence=sentence)
    return JSONResponse(problem.model_dump(exclude_none=True), error.status_code, headers=error.headers)
