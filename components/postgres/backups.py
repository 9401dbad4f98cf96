"""Base backups when they are due, and what is counted with each, so that a restore can be compared."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import StepError
from . import proofs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .backrest import Standing
    from .database import Postgres
    from .settings import Settings

#: How often a moment is looked for at which nothing is being written, before the rows are left uncounted.
_TRIES = 200
#: Counting reads every table; no database of this size takes longer on its own disk.
_COUNT_S = 3600
_TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
    "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
)


@dataclass(frozen=True)
class Counted:
    """The rows of each table at one place in the WAL, and when that was (seconds since 1970)."""

    lsn: str
    timeline: int
    at: float
    tables: dict[str, int]


def due(settings: Settings, database: Postgres, report: Callable[[str], None]) -> None:
    """Make the backups that are due in each store, then count. StepError if one fails; the others are made first."""
    failed, made = list[str](), list[str]()
    standings = database.archiver.each()
    chosen = which(settings, standings, database.files.promoted, time.time())
    for store, kind in chosen.items():
        begun = time.monotonic()
        try:
            database.archiver.run("backup", f"--type={kind}", only=store)
        except StepError as error:
            failed.append(f"store {store}: {error}")
        else:
            report(f"store {store} has a base backup ({kind}), made in {time.monotonic() - begun:.1f} s")
            made.append(store)
    try:
        if made and (counted := _count(settings, database)):
            failed += proofs.put(settings, made, "counted.json", counted)
    except StepError as error:
        failed.append(str(error))
    if missing := [name for name in settings.archive if name not in standings]:
        failed.append(f"{', '.join(missing)}: does not answer")
    if failed:
        raise StepError("; ".join(failed))


def which(settings: Settings, standings: Mapping[str, Standing], promoted: float, now: float) -> dict[str, str]:
    """Return which stores are due for a backup, and of which type: `full` or `diff`.

    One is due after a promotion, and when the newest is old; a full one when the newest full one is old.
    """
    found = {}
    for store, standing in standings.items():
        newest = max((each.ended for each in standing.backups), default=0)
        full = max((each.ended for each in standing.backups if each.full), default=0)
        if newest < promoted or now - newest > settings.backup_every_h * 3600:
            found[store] = "full" if not full or now - full > settings.full_every_h * 3600 else "diff"
    return found


def _count(settings: Settings, database: Postgres) -> Counted | None:
    """Count every table at one moment, and archive the WAL up to there; None if writes never paused."""
    ask, name = database.server.ask, settings.database
    tables = ask(_TABLES, name).splitlines()
    counts = " UNION ALL ".join(f"SELECT {quoted(each)}, count(*) FROM {each}" for each in tables)
    for _ in range(_TRIES):
        # The position does not move between two looks, and no transaction is under way: the snapshot is that position.
        lines = ask(
            "SELECT pg_current_wal_insert_lsn() AS before \\gset\n"
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n"
            "SELECT pg_current_wal_insert_lsn() = :'before' AND pg_snapshot_xmin(s) = pg_snapshot_xmax(s) AS quiet "
            "FROM pg_current_snapshot() AS s \\gset\n"
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
    ask("SELECT pg_switch_wal()")
    rows = dict(line.rsplit("|", 1) for line in lines[2:] if line)
    return Counted(lines[0], int(lines[1]), at, {table: int(count) for table, count in rows.items()})


def quoted(text: str) -> str:
    """Write a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
