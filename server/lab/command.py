"""The command `kanoscope lab`: runs a spec with nobody watching, and goes on where it was interrupted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from server.lab.asking import LabAsker
from server.lab.desk import LabDesk
from server.lab.exports import COLUMNS, ENDS
from server.lab.leases import LabLeases
from server.lab.messages import LabCheck, LabFit, LabRunCreated
from server.lab.plan import LabPlan
from server.lab.queue import LocalJobQueue
from server.lab.runs import LabRuns
from server.lab.store import LabStore, StoredRun
from server.lab.tables import failure_lines, fit_rows, point_rows
from server.lab.wording import describe_plan
from server.mailbox import MailboxClosed
from server.refusal import Refusal
from server.settings import Settings
from server.storage import Storage

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# the database of a person who runs specs from the command line is that person's own
MAX_RUNS = 1_000_000
MAX_EVENTS = 100_000
INTERRUPTED = 130


class BadInput(Exception):
    """Something about the spec or the options that the caller has to change; the message is one sentence."""


class BrokenOff(Exception):
    """A run that somebody did not want; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run came to; `results` are JSON values in the order of the points."""

    run_id: str
    plan: LabPlan
    results: list[dict[str, Any]]
    fits: list[LabFit]


def lab(spec: str, settings: Settings, *, only: str | None, fresh: bool, yes: bool, as_json: bool) -> None:
    """Carry the command out; raises BadInput and BrokenOff.

    Interrupted it keeps what is done and ends with code 130.
    """
    try:
        found = asyncio.run(run_spec(spec, settings, only=only, fresh=fresh, yes=yes))
    except KeyboardInterrupt:
        typer.echo("Interrupted: what is done is kept, and the same command goes on with the rest.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except Refusal as refusal:
        raise BadInput(refusal.sentence) from refusal
    if as_json:
        typer.echo(json.dumps(_json(found), ensure_ascii=False, allow_nan=False))
    else:
        _print(found)


async def run_spec(
    spec: str, settings: Settings, *, only: str | None = None, fresh: bool = False, yes: bool = False
) -> Found:
    """Run a spec, given as a file or a ready one's name, and return what came out.

    A new run of above an hour is begun with `yes` alone, or when who sits at the terminal says so.
    Raises BadInput, BrokenOff and Refusal.
    """
    storage = Storage(settings.database)
    await storage.open()
    store, asker = LabStore(storage), LabAsker(LabDesk())
    queue = LocalJobQueue(settings.lab_processes)
    leases = LabLeases(storage, seconds=settings.lab_lease)
    runs = LabRuns(store, leases, queue, asker, origin="command", max_runs=MAX_RUNS, capacity=MAX_EVENTS)
    try:
        plan = await asker.plan(await _read(spec, asker), only=only)
        run_id = await _begin(plan, store, runs, fresh=fresh, yes=yes)
        await _follow(run_id, runs)
        info = await runs.info(run_id, None)
        _, results = await runs.results(run_id)
        return Found(run_id=run_id, plan=plan, results=[json.loads(one) for one in results], fits=info.fits)
    finally:
        await runs.stop()
        await storage.close()


async def _read(spec: str, asker: LabAsker) -> str:
    """Return the text of a file, or the name of a ready spec."""
    path = Path(spec)
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise BadInput(f"Cannot read {spec} ({error.strerror}): name a TOML file.") from error
        except UnicodeDecodeError as error:
            raise BadInput(f"Cannot read {spec} (it is no text in UTF-8): name a TOML file.") from error
    names = [ready.name for ready in (await asker.ready()).specs]
    if spec in names:
        return spec
    if path.is_dir():
        raise BadInput(f"Cannot read {spec} (it is a folder): name a TOML file or {', '.join(names)}.")
    raise BadInput(f"There is no file {spec} and no ready spec of that name: name a file or {', '.join(names)}.")


async def _begin(plan: LabPlan, store: LabStore, runs: LabRuns, *, fresh: bool, yes: bool) -> str:
    """Return a run of the spec: one that is done, one that is under way or goes on, or else a new one."""
    check = describe_plan(plan, num_processes=runs.num_processes)
    made = None
    while made is None:
        kept = [] if fresh else await store.load_runs_of(plan.digest)
        for stored in kept:
            if stored.state == "done":
                _tell(f"Run {stored.run_id} has done this already: --fresh runs it anew. {_say_link(stored)}")
                return stored.run_id
        for stored in kept:
            if stored.origin == "command" and stored.state != "cancelled":
                _tell(f"{check.sentence} {await _join(stored, store, runs)} {_say_link(stored)}")
                return stored.run_id
        if check.is_long and not yes:
            await _ask(check)
        # where another command has just begun to run it, that one is found next
        made = await (runs.start_plan(plan) if fresh else runs.start_only(plan))
    _tell(f"{check.sentence} {_say_link(made)}")
    return made.run_id


async def _ask(check: LabCheck) -> None:
    """Ask whether to start what takes long; raises BadInput when nobody is there to say so, BrokenOff at a no."""
    if not sys.stdin.isatty():
        raise BadInput(f"This takes {check.takes}: say --yes to start it, or make the spec smaller.")
    typer.echo(f"This takes {check.takes}. Start it? [y/N] ", nl=False, err=True)
    # read when there is a line, so that an interrupt need not wait for one
    loop, is_typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), is_typed.set)
    try:
        await is_typed.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BrokenOff("It was not started.")


async def _join(stored: StoredRun, store: LabStore, runs: LabRuns) -> str:
    """Go on with a run that nobody carries out, and say so, or that another command carries it out."""
    run_id = stored.run_id
    if not stored.is_carried:
        await store.change_state(run_id, "running", of=("paused",))
        if await runs.carrier.take_up(run_id):
            return f"Run {run_id} was {_was(stored)} and goes on: {await _say_done(run_id, runs)}."
    return f"Run {run_id} is under way in another process, and is followed here: {await _say_done(run_id, runs)}."


def _was(stored: StoredRun) -> str:
    return "paused" if stored.state == "paused" else "interrupted"


async def _say_done(run_id: str, runs: LabRuns) -> str:
    run, _ = await runs.results(run_id)
    return f"{run.num_done} of {run.num_points} points are done"


def _say_link(run: StoredRun | LabRunCreated) -> str:
    return f"Watch, cancel or delete it with kanoscope serve at /lab/{run.run_id}#edit={run.edit_key}."


async def _follow(run_id: str, runs: LabRuns) -> None:
    """Show how far a run is until it is done; go on with it when the process ends that carried it out.

    Raises BadInput when it cannot go on, and BrokenOff when somebody has ended it.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        task = progress.add_task("Starting", total=None)
        try:
            async with runs.watch(run_id, None) as viewer:
                state = ""
                while state != "done":
                    state = _show(progress, task, json.loads(await viewer.get())) or state
                    if state in ("interrupted", "paused", "cancelled"):
                        state = await _react(run_id, runs, state)
        except MailboxClosed as closed:
            raise BrokenOff(f"Run {run_id} was deleted by somebody with its edit link.") from closed


async def _react(run_id: str, runs: LabRuns, state: str) -> str:
    """Do what another state of a run asks for."""
    run, _ = await runs.results(run_id)
    if state == "cancelled":
        raise BrokenOff(f"Run {run_id} was cancelled by somebody with its edit link. {run.sentence}")
    if run.obstacle:
        raise BadInput(run.obstacle)
    if state == "paused":
        _tell(f"Run {run_id} was paused by somebody with its edit link, and goes on when it is resumed there.")
    elif await runs.carrier.take_up(run_id):
        _tell(f"The process that carried out run {run_id} has ended: it goes on here.")
    return ""


def _show(progress: Progress, task: TaskID, event: dict[str, Any]) -> str:
    """Show an event and return the state that it tells of, if any."""
    match event["type"]:
        case "lab_run":
            run = event["run"]
            progress.update(task, description=run["title"], total=run["num_points"], completed=run["num_done"])
            return run["state"]
        case "lab_point":
            point = event["point"]
            progress.update(task, description=f"{point['problem']}, {point['contestant']}", completed=event["num_done"])
        case "lab_state":
            return event["state"]
        case _:
            pass
    return ""


def _json(found: Found) -> dict[str, Any]:
    return {
        "title": found.plan.title,
        "digest": found.plan.digest,
        "run_id": found.run_id,
        "points": [
            {name: result[name] for name in (*COLUMNS, *ENDS)} | {"provenance": result.get("provenance")}
            for result in found.results
        ],
        "fits": [fit.model_dump() for fit in found.fits],
    }


def _print(found: Found) -> None:
    from rich.console import Console

    print_tables([point_rows(found.plan, found.results), fit_rows(found.fits)])
    console = Console()
    if failures := failure_lines(found.plan, found.results):
        for line in ("What failed:", *failures):
            console.print(line, highlight=False, markup=False)
    _tell(f"Kept as run {found.run_id}.")


def print_tables(tables: Sequence[list[list[str]]]) -> None:
    """Print rows under their titles, those that have any."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for rows in tables:
        if len(rows) < 2:
            continue
        table = Table(box=None, pad_edge=False)
        for title in rows[0]:
            is_text = title in ("problem", "contestant", "what it says")
            table.add_column(title, justify="left" if is_text else "right", overflow="fold")
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table, highlight=False, markup=False)
        console.print()


def _tell(sentence: str) -> None:
    typer.echo(sentence, err=True)
