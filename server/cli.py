"""The command line: `kanoscope [serve]`."""

from __future__ import annotations

import contextlib
import enum
import socket
import webbrowser
from typing import Annotated, NoReturn

import typer

app = typer.Typer(add_completion=False, help="Watch a Kolmogorov-Arnold network learn, cut it, and read its law.")


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
    from server.settings import Settings

    given = {"host": host, "port": port, "workers": workers}
    settings = Settings.model_validate({name: value for name, value in given.items() if value is not None})
    listener = _listen(settings.host, settings.port)
    address = f"http://{settings.host}:{settings.port}"
    typer.echo(f"Kanoscope serves {address}")
    if not no_browser:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(address)
    run(settings, listener)


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
