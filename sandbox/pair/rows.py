"""Write numbered rows continuously to the site that accepts them, and keep the acknowledgements."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ack(NamedTuple):
    """A row that a site acknowledged, and the time by this process's monotonic clock (seconds)."""

    number: int
    site: str
    at: float


def gap(acks: Iterable[Ack], since: float = 0.0) -> float:
    """Return the longest time between two successive acknowledgements, in seconds."""
    times = [ack.at for ack in acks if ack.at >= since]
    return max((b - a for a, b in pairwise(times)), default=0.0)


class Pace:
    """Fixed times, `every_s` apart, at which rows are due, as those of many people are.

    What waited for a writer or for this machine is due at once, so that the number of rows in a second holds.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s, self._due = every_s, time.monotonic()

    def left(self) -> float:
        """Return how many seconds are left until the next row is due, and go on to the one after it."""
        left = self._due - time.monotonic()
        self._due += self._every_s
        return max(0.0, left)


class Client:
    """A thread with one session at a time, and `every_s` between rows. A row without an answer is not repeated."""

    def __init__(self, psql: str, ports: dict[str, int], password: str, every_s: float = 0.02) -> None:
        self.psql, self.ports, self.password = psql, ports, password
        self.acks: list[Ack] = []
        self._number, self._pace = 0, Pace(every_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop writing."""
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set():
            for site, port in self.ports.items():
                self._session(site, port)
            self._stop.wait(0.05)

    def _session(self, site: str, port: int) -> None:
        words = [self.psql, "-XqAt", "-h", "127.0.0.1", "-p", str(port), "-U", "forum", "-d", "forum", "-f", "-"]
        environment = {**os.environ, "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "2"}
        pipe = subprocess.PIPE
        session = subprocess.Popen(
            words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, bufsize=1, env=environment
        )
        with contextlib.suppress(OSError), contextlib.ExitStack() as last:
            last.callback(_end, session)
            if session.stdin is None or session.stdout is None:
                return
            session.stdin.write(
                "SET client_min_messages = error;\n"
                "CREATE TABLE IF NOT EXISTS posts (id bigserial PRIMARY KEY, number int UNIQUE, site text);\n"
                "SELECT 'ready';\n"
            )
            if session.stdout.readline().strip() != "ready":
                return
            while not self._stop.is_set():
                self._stop.wait(self._pace.left())
                self._number += 1
                number = self._number
                values = f"({number}, '{site}')"
                session.stdin.write(f"INSERT INTO posts (number, site) VALUES {values} RETURNING number;\n")  # noqa: S608 our own numbers
                if session.stdout.readline().strip() != str(number):
                    return
                self.acks.append(Ack(number, site, time.monotonic()))


def _end(session: subprocess.Popen[str]) -> None:
    session.kill()
    session.wait()
    for each in (session.stdin, session.stdout):
        with contextlib.suppress(OSError):
            if each is not None:
                each.close()
