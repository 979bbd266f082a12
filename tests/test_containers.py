"""What is said to container tools fits what the project is: no container tool is needed to notice a slip."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
import typer
from packaging.specifiers import SpecifierSet
from pydantic import BaseModel, BeforeValidator, TypeAdapter
from ruamel.yaml import YAML

from server.app import create_app
from server.cli import app as command_line
from server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "docker-compose.yml"
Instruction = tuple[str, str]
Strings = TypeAdapter(list[str])


def _names(listed: object) -> object:
    """Return the names of what Compose takes as a list of names or as a mapping by name."""
    return list(TypeAdapter(dict[str, object]).validate_python(listed)) if isinstance(listed, dict) else listed


class Service(BaseModel):
    """What these tests read of a service, in the short forms that the file uses."""

    build: str | None = None
    ports: list[str] = []
    volumes: list[str] = []
    depends_on: Annotated[list[str], BeforeValidator(_names)] = []
    environment: dict[str, str] = {}

    @property
    def named_volumes(self) -> dict[str, str]:
        """Where each named volume is mounted; what begins with a dot or a slash is a folder of the host."""
        mounts = (volume.split(":") for volume in self.volumes)
        return {source: target for source, target, *_ in mounts if source[0] not in "./~"}


class Compose(BaseModel):
    """What these tests read of the compose file."""

    services: dict[str, Service]
    volumes: dict[str, object] = {}


def read_instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile, continued lines joined and comments left out."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(name.upper(), value.strip()) for name, _, value in (line.partition(" ") for line in joined.splitlines())]


@pytest.fixture(scope="module")
def instructions() -> list[Instruction]:
    return read_instructions(DOCKERFILE.read_text())


@pytest.fixture(scope="module")
def served(instructions: list[Instruction]) -> dict[str, str]:
    """The last stage's last word of each instruction, and what its ENV sets."""
    last = max(index for index, (name, _) in enumerate(instructions) if name == "FROM")
    found: dict[str, str] = {}
    for name, value in instructions[last:]:
        found[name] = value
        if name == "ENV":
            found |= dict(item.split("=", 1) for item in shlex.split(value))
    return found


@pytest.fixture(scope="module")
def compose() -> Compose:
    return Compose.model_validate(YAML(typ="safe", pure=True).load(COMPOSE))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:  # as far as TOML says
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def copied(instructions: list[Instruction]) -> set[str]:
    """Return what is copied out of the repository, by COPY or by a mount."""
    sources: set[str] = set()
    for name, value in instructions:
        words = value.split()
        if name == "COPY" and not value.startswith("--from="):
            sources |= {word for word in words[:-1] if not word.startswith("--")}
        for word in words:
            if name == "RUN" and word.startswith("--mount=") and "from=" not in word:
                sources |= set(re.findall(r"\bsource=([^,]+)", word))
    return sources


async def answer(address: str) -> int:
    """Return the status with which a server that listens everywhere, as in the container, answers an address."""
    transport = httpx.ASGITransport(create_app(Settings(host="0.0.0.0")))
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.get(address)).status_code


def test_instructions_are_read_over_continued_lines_and_comments() -> None:
    text = "# head\nFROM a AS b\nRUN one \\\n    # why\n    && two\n\ncopy x y ./\n"
    assert read_instructions(text) == [("FROM", "a AS b"), ("RUN", "one  && two"), ("COPY", "x y ./")]


# --- docker-compose.yml


@pytest.mark.slow
def test_the_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_volumes_are_declared_and_used(compose: Compose) -> None:
    used = {name for service in compose.services.values() for name in service.named_volumes}
    assert used == set(compose.volumes)


def test_what_a_service_waits_for_is_there(compose: Compose) -> None:
    awaited = {name for service in compose.services.values() for name in service.depends_on}
    assert awaited <= set(compose.services)


def test_it_is_built_here_and_stays_on_this_machine(compose: Compose, served: dict[str, str]) -> None:
    service = compose.services["kanoscope"]
    assert service.build == "."
    assert service.ports == [f"127.0.0.1:8000:{served['EXPOSE']}"]
    assert list(service.named_volumes.values()) == [served["VOLUME"]]


# --- Dockerfile


def test_what_is_copied_exists_and_is_all_that_is_sent(instructions: list[Instruction]) -> None:
    sources = copied(instructions)
    assert {source for source in sources if not (ROOT / source).exists()} == set()
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule[0] == "!"} == sources


def test_what_the_wheel_is_made_of_is_copied(instructions: list[Instruction], project: dict[str, Any]) -> None:
    build = project["tool"]["hatch"]["build"]
    needed = {"pyproject.toml", "frontend", project["project"]["readme"], *project["project"]["license-files"]}
    needed |= {build["hooks"]["custom"]["path"], *build["targets"]["wheel"]["packages"]}
    assert needed - copied(instructions) == set()


def test_stages_run_on_one_python_that_the_project_takes(
    instructions: list[Instruction], project: dict[str, Any]
) -> None:
    bases = {value.split()[0] for name, value in instructions if name == "FROM"}
    assert len(bases) == 1
    version = re.fullmatch(r"python:(\d+\.\d+)-slim", bases.pop())
    assert version is not None
    assert version[1] in SpecifierSet(project["project"]["requires-python"])


def test_stages_that_are_copied_from_are_named(instructions: list[Instruction]) -> None:
    stages = {value.split(" AS ")[1] for name, value in instructions if name == "FROM" and " AS " in value}
    taken = {stage for _, value in instructions for stage in re.findall(r"\bfrom=([\w-]+)", value)}
    assert taken <= stages


def test_it_runs_as_a_user_who_is_not_root_and_owns_what_it_writes(
    instructions: list[Instruction], served: dict[str, str]
) -> None:
    user = re.fullmatch(r"(\d+):(\d+)", served["USER"])
    assert user is not None
    assert 0 not in map(int, user.groups())
    made = f"install --directory --owner={user[1]} --group={user[2]} {served['VOLUME']} {served['NUMBA_CACHE_DIR']}"
    order = [name for name, value in instructions if name in ("USER", "VOLUME") or made in value]
    assert order == ["RUN", "USER", "VOLUME"]


def test_the_command_is_one_that_the_project_has(served: dict[str, str], project: dict[str, Any]) -> None:
    script, name, *arguments = Strings.validate_json(served["CMD"])
    assert project["project"]["scripts"][script] == "server.cli:main"
    group = typer.main.get_group(command_line)
    context = group.commands[name].make_context(name, arguments)
    assert context.params | {"host": "0.0.0.0", "no_browser": True} == context.params


def test_it_serves_and_stores_where_it_says(served: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANOSCOPE_DATA_DIR", served["KANOSCOPE_DATA_DIR"])
    settings = Settings()
    assert str(settings.data_dir) == served["VOLUME"] == served["HOME"]
    assert str(settings.port) == served["EXPOSE"]
    assert "--port" not in served["CMD"]


async def test_health_is_asked_of_a_page_that_answers(served: dict[str, str]) -> None:
    check = Strings.validate_json(served["HEALTHCHECK"].partition("CMD ")[2])
    address = re.search(r"HTTPConnection\('([\d.]+)', (\d+).*'GET', '([^']+)'", check[-1])
    assert check[:2] == ["python", "-c"]
    compile(check[-1], "HEALTHCHECK", "exec")
    assert address is not None
    assert address[2] == served["EXPOSE"]
    assert await answer(f"http://{address[1]}:{address[2]}{address[3]}") == 200


# --- settings and names


def test_settings_that_are_named_exist() -> None:
    named = re.findall(r"KANOSCOPE_(\w+)", DOCKERFILE.read_text() + COMPOSE.read_text())
    assert {"DATA_DIR", "ALLOWED_HOSTS"} <= set(named)
    assert {name.lower() for name in named} <= set(Settings.model_fields)


async def test_other_names_are_known_once_the_proposed_settings_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    named = "http://kanoscope.example:8000/api/health"
    assert await answer("http://localhost:8000/api/health") == 200
    assert await answer("http://192.168.1.7:8000/api/health") == 200
    assert await answer(named) == 400
    block = re.search(r"^    # environment:\n(?:    # .*\n)+", COMPOSE.read_text(), re.MULTILINE)
    assert block is not None
    proposed = Service.model_validate(YAML(typ="safe", pure=True).load(block[0].replace("    # ", "")))
    for name, value in proposed.environment.items():
        monkeypatch.setenv(name, value)
    assert Settings().allowed_hosts == ["kanoscope.example"]
    assert await answer(named) == 200
