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


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("WORKERS", "abc", "KANOSCOPE_WORKERS is a whole number, received 'abc': change it or leave it out."),
        ("PORT", "99999", "KANOSCOPE_PORT is at most 65535, received '99999': change it or leave it out."),
        (
            "ALLOWED_HOSTS",
            "kan.example",
            "KANOSCOPE_ALLOWED_HOSTS is a JSON list such as [\"kan.example\"], received 'kan.example': change it.",
        ),
        (
            "DATABASE_URL",
            "nonsense",
            "Cannot open the database of KANOSCOPE_DATABASE_URL "
            "(Could not parse SQLAlchemy URL from given URL string): change the address or leave it out.",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_line(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    environment = {"KANOSCOPE_DATA_DIR": str(tmp_path), f"KANOSCOPE_{name}": value}
    result = CliRunner().invoke(app, ["--no-browser"], env=environment)
    assert (result.exit_code, result.output) == (2, f"{sentence}\n")


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "kanoscope.sqlite3").mkdir()
    remedy = "name a folder that can be written in KANOSCOPE_DATA_DIR.\n"
    for folder, what in (
        (tmp_path / "file", f"Cannot make the folder {tmp_path}/file (File exists): "),
        (tmp_path, f"Cannot write the database in {tmp_path} (unable to open database file): "),
    ):
        result = CliRunner().invoke(app, ["--no-browser"], env={"KANOSCOPE_DATA_DIR": str(folder)})
        assert (result.exit_code, result.output) == (2, what + remedy)


VISIT = """
import socket, sys, urllib.request
answer = urllib.request.urlopen(sys.argv[2] + "/api/health", timeout=30)
socket.create_connection(("127.0.0.1", int(sys.argv[1]))).sendall(f"{sys.argv[2]} {answer.status}".encode())
"""


@pytest.mark.slow
def test_the_page_is_opened_once_the_server_answers_at_an_address_that_browsers_read(tmp_path: Path) -> None:
    visit = tmp_path / "visit.py"
    visit.write_text(VISIT)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
        port = probe.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as seen:
        seen.settimeout(60)
        browser = f"{sys.executable} {visit} {seen.getsockname()[1]} %s"
        with subprocess.Popen(
            [sys.executable, "-m", "server.cli", "--host", "::1", "--port", str(port), "--workers", "1"],
            env=os.environ | {"KANOSCOPE_DATA_DIR": str(tmp_path), "BROWSER": browser},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            connection, _ = seen.accept()
            with connection, connection.makefile() as told:
                assert told.read() == f"http://[::1]:{port} 200"
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert process.stdout is not None
            assert process.stdout.read() == f"Kanoscope serves http://[::1]:{port}\n"


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
