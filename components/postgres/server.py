"""One PostgreSQL and its data directory: start it closed or open, query it, and read its state after it stopped.

Closed: only this process reaches it, by a socket in a directory of its own. Open: the application reaches it by TCP.
"""

from __future__ import annotations

import re
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, StepError
from ..stores.guard import Program
from ..text.escape import outside
from . import backrest

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds until a started server has to answer. Callers that expect a long recovery wait longer.
START_S = 60
#: Seconds for the last checkpoint before a server is killed; the next start recovers then.
STOP_S = 20
#: Where distributions keep the programs of each major version.
_PLACES = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin", "/opt/homebrew/opt/postgresql@{major}/bin")
#: Bytes of the header of a segment's first page; the record after it is the segment's first (access/xlog_internal.h).
_HEADER = 40


@dataclass(frozen=True)
class Control:
    """The output of `pg_controldata` that is used here. `checkpoint` and `segment` are in bytes."""

    clean: bool
    timeline: int
    checkpoint: int
    segment: int

    @property
    def end(self) -> int | None:
        """The position of the end of a cleanly stopped primary: the segment that its last checkpoint opens.

        PostgreSQL begins a new segment before its last checkpoint (ShutdownXLOG in xlog.c), if it archives. None if it
        was killed, or other records are in that segment.
        """
        first = self.checkpoint % self.segment == _HEADER
        return self.checkpoint - _HEADER if self.clean and first else None


def programs(major: int) -> Path:
    """Return the folder with PostgreSQL's programs of a major version; ConfigError if there is none."""
    on_path = shutil.which("postgres")
    places = [Path(each.format(major=major)) for each in _PLACES] + ([Path(on_path).parent] if on_path else [])
    for place in places:
        if (place / "postgres").exists():
            answer = backrest.run([str(place / "postgres"), "--version"], backrest.clean())
            if re.search(rf"\) {major}[.\s]", answer):
                return place
    raise ConfigError(f"PostgreSQL {major} is not installed; install it, with pgBackRest and amcheck")


def lsn(text: str) -> int:
    """Return a position in the WAL in bytes, from a text such as `16/B374D848`. Raises ValueError for other text."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) | int(low, 16)


def segment(timeline: int, position: int, size: int) -> str:
    """Name the file of the WAL that holds a position, where files have so many bytes (XLogFileName, xlog_internal.h).

    Names sort as their contents do: by timeline, then by position.
    """
    number, each = position // size, (1 << 32) // size
    return f"{timeline:08X}{number // each:08X}{number % each:08X}"


def written(position: int) -> str:
    """Return a position in the WAL as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


class Server:
    """A server on one data directory, under a guard that kills it when this process ends."""

    def __init__(self, bin_: Path, data: Path, run: Path, port: int, environment: Mapping[str, str]) -> None:
        self.bin, self.data, self.socket, self.port = bin_, data, run, port
        self.environment = environment
        #: The settings of every start.
        self.settings: dict[str, str] = {}
        self.listen = "127.0.0.1"
        #: Seconds that it may take to end before it is killed.
        self.grace_s = 5.0
        #: The time (of `guard.clock`) until which it may run.
        self.until = 0.0
        self._program: Program | None = None
        self._open = False

    @property
    def runs(self) -> bool:
        """Whether it runs, open or closed."""
        return self._program is not None and self._program.runs

    @property
    def open(self) -> bool:
        """Whether it runs, and the application can reach it."""
        return self._open and self.runs

    def start(self, until: float = float("inf"), *, opened: bool = False, **more: str) -> None:
        """Start it, to run until that time (of `guard.clock`). `more`: settings of this start alone."""
        settings = self.settings | {
            "listen_addresses": self.listen if opened else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            "logging_collector": "off",
            **more,
        }
        words = [str(self.bin / "postgres"), "-D", str(self.data)]
        words += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._program = Program(words, self.grace_s, signal.SIGINT)  # SIGINT: end sessions, make a checkpoint, stop
        self._program.environment = self.environment
        self._open, self.until = opened, until
        self._program.permit(0, until)

    def extend(self, until: float) -> None:
        """Let an open server run until that time (of `guard.clock`)."""
        if self._program is not None:
            self.until = until
            self._program.permit(0, until)

    def stop(self, patience_s: float = STOP_S) -> None:
        """Stop it; when this returns, nothing of it runs. Sessions end at once; the last checkpoint may take time."""
        if self._program is not None:
            self._program.stop(patience_s)
        self._program, self._open = None, False

    def wait(self, within_s: float = START_S) -> None:
        """Wait until it answers. Raises StepError if it ends, or does not answer in `within_s` seconds."""
        end = time.monotonic() + within_s
        while True:
            if not self.runs:
                raise StepError("PostgreSQL has ended while it started; its log has the reason")
            try:
                self.ask("SELECT 1")
            except StepError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def ask(self, sql: str, database: str = "postgres", within_s: float = 10) -> str:
        """Run SQL as the superuser over the socket; return rows with `|` between columns. StepError if it fails."""
        words = [str(self.bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket), "-p", str(self.port)]
        words += ["-U", "postgres", "-d", database, "-f", "-"]
        return backrest.run(words, backrest.clean(), what="PostgreSQL", within_s=within_s, given=sql).strip()

    def hurry(self) -> None:
        """Make PostgreSQL ask the archive now: a signal ends its wait of `wal_retrieve_retry_interval` (5 s)."""
        self.ask("SELECT pg_reload_conf()")

    def control(self) -> Control:
        """Return the state that `pg_controldata` reads. Raises StepError if it cannot be read."""
        words = [str(self.bin / "pg_controldata"), "-D", str(self.data)]
        lines = backrest.run(words, {**backrest.clean(), "LC_ALL": "C"}, what="pg_controldata").splitlines()
        read = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        try:
            recovery = int(read["Min recovery ending loc's timeline"])
            return Control(
                clean=read["Database cluster state"] in {"shut down", "shut down in recovery"},
                timeline=max(int(read["Latest checkpoint's TimeLineID"]), recovery),
                checkpoint=lsn(read["Latest checkpoint location"]),
                segment=int(read["Bytes per WAL segment"]),
            )
        except (KeyError, ValueError) as error:
            raise StepError(f"pg_controldata prints no {outside(error)}") from None

    def initialise(self, into: Path) -> None:
        """Make an empty database cluster with checksums."""
        words = [str(self.bin / "initdb"), "-D", str(into), "-U", "postgres", "--data-checksums", "-E", "UTF8"]
        # Text is ordered by code points, because no update of a C library changes that order under an index.
        backrest.run([*words, "--locale=C.UTF-8", "--auth=reject"], backrest.clean(), what="initdb")


def forked(history: str, timeline: int) -> int | None:
    """Return the position where a timeline ends, by the history file of a later one; None if it is not listed."""
    for line in history.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == str(timeline):
            return lsn(words[1])
    return None
