"""Shared parts of the pair: its names and secrets, free ports, waiting, and the user of PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
SITES = ("aws", "akash")
#: The stores and their makes: two for the archive, and one for the record.
STORES = {"first": "versitygw", "second": "moto", "witness": "versitygw"}
SECRETS = {
    "FIRST_KEY": "first-access",
    "FIRST_SECRET": "first-secret-value",
    "SECOND_KEY": "second-access",
    "SECOND_SECRET": "second-secret-value",
    "WITNESS_KEY": "witness-access",
    "WITNESS_SECRET": "witness-secret-value",
    "FORUM_PASSWORD": "forum's password",
    "ARCHIVE_CIPHER": "a pass phrase for the archive",
}
TTL_S = 6.0
#: The most seconds of each step of `World.begin` on a loaded machine.
BEGIN_S = 400


class NotSeen(AssertionError):  # noqa: N818 the name is the situation
    """A condition did not become true in time."""


def until(condition: Callable[[], Any], what: str = "the condition", within_s: float = 120) -> Any:
    """Wait until a condition returns a true value, and return it. Raises NotSeen after `within_s` seconds."""
    end = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > end:
            raise NotSeen(f"{what} did not come in {within_s:g} s")
        time.sleep(0.1)
    return found


def free_port() -> int:
    """Return a free port below those of outgoing connections, which begin at 32768 (ip(7))."""
    while True:
        port = random.randrange(12_000, 30_000)
        with socket.socket() as each, contextlib.suppress(OSError):
            each.bind(("127.0.0.1", port))
            return port


def unprivileged() -> list[str]:
    """Return the words that start a program as the user `postgres`, because PostgreSQL refuses to run as root.

    The program keeps the right to read this tree.
    """
    if os.geteuid() != 0:
        return []
    words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return [*words, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
