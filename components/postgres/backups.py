"""Make base backups when they are due, and count the rows with each, so that a restore can be compared."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import StepError
from ..limits import DATABASE_PROOF_BYTES
from . import proofs
from .backrest import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .backrest import Standing
    from .database import Postgres
    from .server import Server
    from .settings import Settings

#: The file with the count of a store's newest backup.
COUNTED = "counted.json"
#: Tries to find a moment without writes, before the rows are left uncounted.
_TRIES = 200
#: Seconds that a count may take: it reads every table.
_COUNT_S = 3600
#: SQL for the names of all tables of an application, quoted.
TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
    "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
)


@dataclass(frozen=True)
class Counted:
    """The number of rows of each table at one position of the WAL, and the time of it (seconds since 1970).

    `backup`: the label of the store's newest backup at that time.
    """

    lsn: str
    timeline: int
    at: float
    tables: dict[str, int]
    backup: str = ""


def due(
    settings: Settings,
    database: Postgres,
    standings: Mapping[str, Standing],
    counted: dict[str, str],
    report: Callable[[str], None],
) -> None:
    """Make the backups that are due in each store, and count the rows for each newest backup without a count.

    `standings` holds the stores that answer. `counted` holds the label of the backup that each store's count is of; it
    is updated. Raises StepError with every failure, after the rest is done.
    """
    failed, newest = list[str](), {name: each.backups[-1].label for name, each in standings.items() if each.backups}
    for store, kind in which(settings, standings, database.files.promoted, time.time()).items():
        begun = time.monotonic()
        try:
            if standings[store].empty:  # it did not answer when the database began, or was emptied
                database.archiver.run("stanza-create", only=store)
            words = (f"--type={kind}", f"--annotation={EPOCH}={database.files.epoch}")
            database.archiver.run("backup", *words, only=store)
            newest[store] = database.archiver.standing(store, patient=True).backups[-1].label
        except (StepError, IndexError) as error:
            failed.append(f"store {store}: {error}")
        else:
            report(f"store {store} has a base backup ({kind}), made in {time.monotonic() - begun:.1f} s")
    try:
        failed += _counts(settings, database, newest, counted)
    except StepError as error:
        failed.append(str(error))
    if missing := [name for name in settings.archive if name not in standings]:
        failed.append(f"{', '.join(missing)}: does not answer")
    if failed:
        raise StepError("; ".join(failed))


def _counts(settings: Settings, database: Postgres, newest: Mapping[str, str], counted: dict[str, str]) -> list[str]:
    """Count once for all stores whose newest backup was not counted; return why stores did not take the count."""
    for store in newest.keys() - counted.keys():
        counted[store] = _label(proofs.opened(settings, store).read(_key(settings), DATABASE_PROOF_BYTES))
    wanted = [store for store, label in newest.items() if counted[store] != label]
    if not wanted:
        return []
    found, failed = count(settings, database.server), list[str]()
    for store in wanted:
        refused = proofs.put(settings, [store], COUNTED, replace(found, backup=newest[store])) if found else []
        failed += refused
        if not refused:  # also if writes never paused: the next try is with the next backup
            counted[store] = newest[store]
    return failed


def _key(settings: Settings) -> str:
    return f"{settings.prefix}/{COUNTED}"


def _label(content: bytes | None) -> str:
    """Return the label of the backup that was counted, "" if it is unknown."""
    try:
        return str(json.loads(content or b"{}")["backup"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def which(settings: Settings, standings: Mapping[str, Standing], promoted: float, now: float) -> dict[str, str]:
    """Return the stores that are due for a backup, each with its type: `full` or `diff`.

    A backup is due after a promotion, and when the newest is older than `backup_every_h`. It is full when the newest
    full one is older than `full_every_h`. `promoted` and `now` are seconds since 1970.
    """
    found = {}
    for store, standing in standings.items():
        newest = max((each.ended for each in standing.backups), default=0)
        full = max((each.ended for each in standing.backups if each.full), default=0)
        if newest < promoted or now - newest > settings.backup_every_h * 3600:
            found[store] = "full" if not full or now - full > settings.full_every_h * 3600 else "diff"
    return found


def count(settings: Settings, server: Server) -> Counted | None:
    """Count the rows of every table at one position, and archive the WAL up to it; None if writes never paused."""
    ask, name = server.ask, settings.database
    tables = ask(TABLES, name).splitlines()
    counts = " UNION ALL ".join(f"SELECT {quoted(each)}, count(*) FROM {each}" for each in tables)
    for _ in range(_TRIES):
        # The snapshot shows exactly that position if it does not move between two reads, and no transaction runs that
        # may have logged its commit. A snapshot ends before the newest of those, which only the next number shows.
        lines = ask(
            "SELECT pg_current_wal_insert_lsn() AS before \\gset\n"
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n"
            "SELECT pg_current_wal_insert_lsn() = :'before' AND pg_snapshot_xmin(s) = pg_snapshot_xmax(s) "
            "AND age(pg_snapshot_xmax(s)::xid) = 0 AS quiet FROM pg_current_snapshot() AS s \\gset\n"
            "\\if :quiet\n\\echo :before\n"
            "SELECT timeline_id FROM pg_control_checkpoint();\n"
            f"{counts};\n"
            "\\endif\n"
            "COMMIT;\n",
            name,
            _COUNT_S,
        ).splitlines()
        if lines:
            break
        time.sleep(0.02)
    else:
        return None
    at = time.time()
    # The first record from there on: recovery stops at it, and without one there is no segment to switch from.
    ask("SELECT pg_create_restore_point('counted'); SELECT pg_switch_wal()")
    rows = dict(line.rsplit("|", 1) for line in lines[2:] if line)
    return Counted(lines[0], int(lines[1]), at, {table: int(count) for table, count in rows.items()})


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
