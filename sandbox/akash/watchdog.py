"""End every lease when the world is gone, for any reason: a process that reads a pipe until the other end closes.

Lines are `+PGID` when a process group starts and `-PGID` when it has ended. The kernel closes the pipe even if the
world is killed with SIGKILL, on Linux and macOS alike; then every group still registered is killed. It runs as a plain
file in a bare interpreter (`python -I -S watchdog.py`), and imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def watch() -> None:
    """Read until the end, then kill what is left."""
    for quiet in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(quiet, signal.SIG_IGN)  # it ends when the world ends, not before
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(number)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    watch()
