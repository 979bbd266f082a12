"""The command line: `kanoscope [serve]`, `kanoscope discover` and `kanoscope lab`."""

from __future__ import annotations

import contextlib
import enum
import os
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from server.settings import Settings


# what is wrong with a command line is a ClickException, of click's or of the copy of it that newer releases have inside
Complaint: type[Exception] = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException")


class OneLine(TyperGroup):
    """Says what is wrong with options in one line, with exit code 2, where typer draws a box of several."""

    def main(self, *args: Any, standalone_mode: bool = True, **settings: Any) -> Any:
        """Run the command line."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **settings)
        try:
            sys.exit(super().main(*args, standalone_mode=False, **settings))
        except Complaint as error:
            said: Any = error
            context: Any = getattr(error, "ctx", None)
            called = "kanoscope" if context is None or context.parent is None else f"kanoscope {context.info_name}"
            sentence = " ".join(said.format_message().split()).rstrip(".")
            typer.echo(f"{sentence}: see `{called} --help`.", err=True)
            sys.exit(2)
        except typer.Abort:
            sys.exit(1)


app = typer.Typer(
    cls=OneLine, add_completion=False, help="Watch a Kolmogorov-Arnold network learn, cut it, and read its law."
)


class EngineName(enum.StrEnum):
    """What runs the sessions."""

    LOCAL = "local"
    RAY = "ray"


Host = Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 8000 by default.", min=1, max=65535)]
Workers = Annotated[int | None, typer.Option(help="Worker processes; one a core by default.", min=1, max=256)]
EngineOption = Annotated[EngineName, typer.Option(help="What runs the sessions.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")]


@app.callback(invoke_without_command=True)
def run_default(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    engine: EngineOption = EngineName.LOCAL,
    no_browser: NoBrowser = False,
) -> None:
    """Serve, when no other command is named."""
    if context.invoked_subcommand is None:
        serve(host=host, port=port, workers=workers, engine=engine, no_browser=no_browser)


@app.command()
def serve(
    *,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    engine: EngineOption = EngineName.LOCAL,
    no_browser: NoBrowser = False,
) -> None:
    """Serve the page and its sessions until interrupted."""
    if engine is EngineName.RAY:
        _fail("The engine ray is not part of this release: leave --engine out or say --engine local.")
    # imported here: worker processes read this module again and need nothing of the web
    from server.serving import run

    settings = _read_settings(host=host, port=port, workers=workers)
    _prepare_storage(settings)
    listener = _listen(settings.host, settings.port)
    run(settings, listener, on_start=lambda: _announce(settings, open_browser=not no_browser))


@app.command()
def discover(
    data: Annotated[Path, typer.Argument(help="A CSV file with a column for each quantity.", show_default=False)],
    *,
    target: Annotated[str, typer.Option(help="The column whose law is looked for.", show_default=False)],
    seconds: Annotated[
        float,
        typer.Option(
            help="How long to look at most, from when the processes have loaded (some seconds); an exact law ends it "
            "sooner. The last tenth, three seconds at most, goes to looking for nice constants."
        ),
    ] = 30.0,
    seed: Annotated[int, typer.Option(help="Decides initial networks and which rows are held out.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Look for the law of a column of a CSV file, with all cores and nobody watching.

    Expressions in JSON are for sympy.sympify, with locals={name: Symbol(name)}
    for every column. A name that is no identifier has _ for what is no letter
    or digit, and v_ before a digit, a keyword or a function that is called;
    "symbols" then says which column each is.
    """
    from server.discover_command import BadInput, BrokenOff
    from server.discover_command import discover as carry_out

    try:
        carry_out(data, target=target, seconds=seconds, seed=seed, as_json=as_json)
    except BadInput as error:
        _fail(str(error))
    except BrokenOff as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def lab(
    spec: Annotated[
        str | None, typer.Argument(help="A TOML file, or the name of a ready spec.", show_default=False)
    ] = None,
    *,
    only: Annotated[str | None, typer.Option(help="Run this problem of the spec alone.", show_default=False)] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run it anew, whatever was kept of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start it without a question though it takes hours.")] = False,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Set two runs that were kept side by side instead.", metavar="RUN RUN", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run a race or a scaling sweep; interrupted, the same command goes on where it was."""
    from server.lab.command import BadInput, BrokenOff
    from server.lab.command import lab as carry_out
    from server.lab.compare_command import compare as set_side_by_side

    if (spec is None) == (compare is None):
        _fail("Name a spec to run or two runs to --compare, one of both: see `kanoscope lab --help`.")
    settings = _read_settings()
    _prepare_storage(settings)
    try:
        if compare is not None:
            set_side_by_side(compare, settings, as_json=as_json)
        elif spec is not None:
            carry_out(spec, settings, only=only, fresh=fresh, yes=yes, as_json=as_json)
    except BadInput as error:
        _fail(str(error))
    except BrokenOff as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _read_settings(**given: object) -> Settings:
    from pydantic import ValidationError

    from server.complaints import describe_invalid
    from server.settings import Settings

    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        complaint = error.errors()[0]
        if complaint["loc"]:
            name = f"KANOSCOPE_{complaint['loc'][0]}".upper()
            sentence = describe_invalid([{**complaint, "loc": (name, *complaint["loc"][1:])}])
            _fail(f"{sentence.rstrip('.')}: change it or leave it out.")
        # a list is read before the fields are; that complaint names its field in quotes and not what it holds
        name = f"KANOSCOPE_{complaint['msg'].split(chr(34))[1]}".upper()
        _fail(f'{name} is a JSON list such as ["kan.example"], received {os.environ.get(name, "")!r}: change it.')


def _prepare_storage(settings: Settings) -> None:
    """Make the data folder and see that the database opens, while what is wrong can still be said in one line."""
    from sqlalchemy.exc import SQLAlchemyError

    from server.migrations import MigrationError
    from server.storage import try_database

    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "name a folder that can be written in KANOSCOPE_DATA_DIR"
        _fail(f"Cannot make the folder {settings.data_dir} ({error.strerror}): {remedy}.")
    try:
        try_database(settings.database)
    except MigrationError as error:
        _fail(f"Cannot use the database ({error}): install that version again.")
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        if settings.database_url is None:
            remedy = "name a folder that can be written in KANOSCOPE_DATA_DIR"
            _fail(f"Cannot write the database in {settings.data_dir} ({reason}): {remedy}.")
        _fail(f"Cannot open the database of KANOSCOPE_DATABASE_URL ({reason}): change the address or leave it out.")


def _announce(settings: Settings, *, open_browser: bool) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    typer.echo(f"Kanoscope serves {address}")
    if open_browser:
        # a text browser returns only when it is closed
        threading.Thread(target=_open_browser, args=(address,), daemon=True).start()


def _open_browser(address: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(address)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        _fail(f"Cannot listen on {host} port {port} ({error.strerror}): choose another with --host or --port.")
    return listener


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
