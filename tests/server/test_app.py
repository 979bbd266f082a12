"""The web process stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_web_process_does_not_load_torch() -> None:
    code = "import sys, server.app, server.serving; assert not {'torch', 'numba'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
