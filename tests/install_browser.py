"""Makes sure that browser tests find a Chromium: an installed one, else the system's package, else Playwright's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from live import find_chromium


def main() -> int:
    """Return 0 when there is a Chromium in the end."""
    if find_chromium() is not None:
        return 0
    if shutil.which("apt-get") is not None and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        packages = ["chromium", "fonts-liberation"]
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=False)
        if find_chromium() is not None:
            return 0
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
