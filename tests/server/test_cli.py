"""The command line says in one line what is wrong, and ends with 0 or 2."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app


def test_the_ray_engine_is_refused_in_one_line() -> None:
    result = CliRunner().invoke(app, ["serve", "--engine", "ray"])
    assert result.exit_code == 2
    assert result.output == "The engine ray is not part of this release: leave --engine out or say --engine local.\n"


def test_a_port_in_use_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["--port", str(port), "--no-browser"])
    assert result.exit_code == 2
    assert result.output == (
        f"Cannot listen on 127.0.0.1 port {port} (Address already in use): choose another with --host or --port.\n"
    )


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--workers", "0"], ["--engine", "none"], ["fly"]])
def test_what_is_out_of_bounds_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_prints_its_address_and_ends_with_0_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "server.cli", "serve", "--port", str(port), "--no-browser", "--workers", "1"],
        env=os.environ | {"KANOSCOPE_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Kanoscope serves http://127.0.0.1:{port}\n"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""
