"""Restore a dump of another database into a temporary PostgreSQL, to check it before the move."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StepError
from . import server as servers
from .backrest import clean, run
from .backups import TABLES, quoted
from .drill import PORT, indexes
from .files import Files, environment
from .server import Server

if TYPE_CHECKING:
    from .settings import Settings

#: Seconds that the restore of a dump may take.
_RESTORE_S = 24 * 3600


@dataclass(frozen=True)
class Rehearsal:
    """The content of a dump: bytes when restored, rows by table, B-tree indexes, and seconds of restore and check."""

    bytes: int
    tables: dict[str, int]
    indexes: int
    restore_s: float
    check_s: float


def rehearse(settings: Settings, dump: Path) -> Rehearsal:
    """Restore a dump as the application's role and check it. StepError with the error of `pg_restore` or a check."""
    folder = Path(tempfile.mkdtemp(prefix="dump-"))
    files = Files(folder)
    server = Server(servers.programs(settings.major), files.data, files.run, PORT, environment())
    try:
        files.prepare()
        server.initialise(files.data)
        server.settings = files.admit() | {"archive_mode": "off", "fsync": "off"}
        server.start()
        server.wait()
        return _restored(settings, server, dump)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _restored(settings: Settings, server: Server, dump: Path) -> Rehearsal:
    begun, name = time.monotonic(), settings.database
    server.ask(f'CREATE ROLE "{settings.user}"')
    server.ask(f'CREATE DATABASE "{name}" OWNER "{settings.user}"')
    words = [str(server.bin / "pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error"]
    words += ["-h", str(server.socket), "-p", str(PORT), "-U", "postgres", "--role", settings.user, "-d", name]
    run([*words, str(dump)], clean(), what="pg_restore", within_s=_RESTORE_S)
    restored = time.monotonic()
    counted = {
        table: int(server.ask(f"SELECT count(*) FROM {table}", name, _RESTORE_S))
        for table in server.ask(TABLES, name).splitlines()
    }
    if not counted:
        raise StepError(f"{dump.name} holds no table")
    found = indexes(server, name)
    return Rehearsal(
        bytes=int(server.ask(f"SELECT pg_database_size({quoted(name)})")),
        tables=counted,
        indexes=found,
        restore_s=round(restored - begun, 2),
        check_s=round(time.monotonic() - restored, 2),
    )
