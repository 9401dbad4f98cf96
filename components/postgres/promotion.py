"""Promote the copy of a site: replay the archive, begin a new timeline, and create the application's role."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from ..errors import StepError
from . import server as servers
from .backups import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .backrest import Standing
    from .database import Postgres
    from .server import Server
    from .settings import Settings

#: Seconds that a promotion waits for WAL that the archive lists but does not deliver: it may be damaged.
_REPLAY_S = 60
#: The replayed position and what the process that replays waits for, and the event of its wait when it has applied all
#: that it read and no source has more WAL. It also asks the archive while it has not applied all yet.
_STANDS = "SELECT pg_last_wal_replay_lsn(), (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup')"
_WAITS = "RecoveryRetrieveRetryInterval"


def promote(database: Postgres, epoch: int) -> None:
    """Replay the archive and become the primary of an epoch, with the application's role and its database.

    The server runs at the end and is closed. Raises StepError if anything fails; the call may be repeated.
    """
    files, server = database.files, database.server
    standings = {} if database.primary and files.epoch else database.archiver.each()
    if not database.there:
        _found(database, standings)
    if database.primary:
        _new_timeline_if_needed(database)
    else:
        _end_recovery(database, standings.values())
    if not server.runs:
        server.start()
        server.wait(600)
    _establish(server, database.settings)
    for store in (name for name, each in standings.items() if each.empty):
        database.archiver.run("stanza-create", only=store)
    files.epoch = epoch


def _found(database: Postgres, standings: Mapping[str, Standing]) -> None:
    """Make the first copy. Raises StepError unless the archive is known to be empty."""
    if len(standings) < len(database.settings.archive) or any(not each.empty for each in standings.values()):
        raise StepError("there is no copy here, and the archive is not known to be empty")
    shutil.rmtree(database.files.incoming, ignore_errors=True)
    database.server.initialise(database.files.incoming)
    database.files.arrived()


def _end_recovery(database: Postgres, standings: Iterable[Standing]) -> None:
    """Replay what the archive has, then become a primary on a new timeline."""
    if not database.server.runs:
        database.server.start()
    database.server.wait(600)
    _replay(database, max((each.last_wal for each in standings), default=""))
    _leave_recovery(database.server)


def _leave_recovery(server: Server) -> None:
    server.ask("SELECT pg_promote(true, 60)", within_s=90)
    if server.ask("SELECT pg_is_in_recovery()") != "f":
        raise StepError("PostgreSQL was not promoted in 60 s; it is tried again")


def _replay(database: Postgres, last: str) -> None:
    """Wait until the last listed segment is replayed; go on without it after `_REPLAY_S` without progress."""
    server = database.server
    size = server.control().segment
    end, seen = time.monotonic() + _REPLAY_S, ""
    while last:
        at, _, event = server.ask(_STANDS).partition("|")
        waits = event == _WAITS
        if _replayed(at or "0/0", last, size, waits=waits):
            return
        if at != seen:
            seen, end = at, time.monotonic() + _REPLAY_S
        if time.monotonic() > end:
            database.report(f"WAL up to {last} is in the archive and cannot be replayed; promoted at {at}")
            return
        if waits:
            server.hurry()
        time.sleep(0.2)


def _replayed(at: str, last: str, size: int, *, waits: bool) -> bool:
    """Return whether a copy that is at a position has replayed the segment `last`; `waits`: it finds no more WAL.

    The last record of a full segment often goes on in the next one. If the archive does not have that, the position
    stays within `last`.
    """
    position = servers.lsn(at)
    segment = servers.segment(int(last[:8], 16), position, size)
    return segment > last or (segment == last and position % size > 0 and waits)


def _new_timeline_if_needed(database: Postgres) -> None:
    """Move a primary to a new timeline if the archive has a later one, because standbys follow the latest."""
    files, server = database.files, database.server
    seen = database.archiver.timelines()
    if not seen:
        raise StepError("no store of the archive answers")
    cut_short = files.signal.exists()
    if max(seen.values()) <= server.control().timeline and not cut_short:
        return
    server.stop()
    files.leave()
    server.start(recovery_target_timeline="current")
    server.wait(600)
    _leave_recovery(server)
    files.left()


def _establish(server: Server, settings: Settings) -> None:
    """Create the application's role and its database if they are missing, and set the role's password."""
    user, database = settings.user, settings.database
    password = quoted(settings.secret(settings.password))
    ask = server.ask
    if not ask(f"SELECT 1 FROM pg_roles WHERE rolname = '{user}'"):
        ask(f'CREATE ROLE "{user}" LOGIN')  # in quotes, because it may be a key word of SQL
    ask(f'SET log_min_error_statement = panic; ALTER ROLE "{user}" PASSWORD {password}')
    if not ask(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):
        ask(f'CREATE DATABASE "{database}" OWNER "{user}"')
