"""Which processes there are, as the operating system tells."""

from __future__ import annotations

import os
import select
import subprocess


def discovering_pids(parent: int) -> list[int]:
    """Return the processes that a process has started for discoveries."""
    columns = ["ps", "-A", "-o", "pid=,ppid=,args="]
    listed = subprocess.run(columns, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(row[0]) for row in rows if len(row) == 3 and int(row[1]) == parent and "kan_core.discovery" in row[2]]


def is_alive(pid: int) -> bool:
    """Return whether there is such a process, other than one that has ended and that nobody has asked about."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.strip().startswith("Z")


def group_pids(group: int) -> list[int]:
    """Return the processes of a process group, other than those that have ended."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z")]


def wait_for_group(group: int) -> None:
    """Return once all processes of a group have ended, taking no processor from them meanwhile."""
    while pids := group_pids(group):
        for pid in pids:
            try:
                watched = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            select.select([watched], [], [])
            os.close(watched)
