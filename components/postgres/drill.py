"""Restore the newest backup of a store into a temporary PostgreSQL, check it, and return the proof."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StepError
from ..limits import DATABASE_PROOF_BYTES, FAULT_CHARS
from ..text.escape import bounded
from . import server as servers
from .backrest import Backrest, Backup, clean, restorable, run
from .backups import COUNTED, Counted, quoted
from .files import Files, environment
from .proofs import Proof, opened
from .reading import read
from .server import Server

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from .settings import Settings

#: Seconds for the recovery up to the counted position, and for the check of every index.
_RECOVER_S, _CHECK_S = 3600, 3600
#: Seconds for the upload of WAL that is ready to be archived, and between two looks at a store.
_UPLOAD_S, _LOOK_S = 60, 2
#: A part of the socket's name only: no port is opened.
PORT = 5432


def drill(settings: Settings, store: str, report: Callable[[str], None], stop: threading.Event) -> Proof:
    """Restore from one store alone and check; return the proof, which has a `fault` if anything failed."""
    proof = Proof(settings.workload, store, 0.0)
    folder = Path(tempfile.mkdtemp(prefix="drill-"))
    try:
        proof = _Drill(settings, store, folder, report, stop).run()
    except StepError as error:
        proof = replace(proof, fault=bounded(str(error), FAULT_CHARS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(proof, at=time.time())


class _Drill:
    """One drill in a folder of its own."""

    def __init__(
        self, settings: Settings, store: str, folder: Path, report: Callable[[str], None], stop: threading.Event
    ) -> None:
        self.settings, self.store, self.report, self.stop = settings, store, report, stop
        self.files = Files(folder)
        self.archiver = Backrest(settings, self.files, PORT, stop)
        bin_ = servers.programs(settings.major)
        self.server = Server(
            bin_, self.files.data, self.files.run, PORT, environment() | self.archiver.environment(store)
        )

    def run(self) -> Proof:
        """Restore and check. Raises StepError with the reason if either fails."""
        self.files.prepare()
        self.archiver.write()
        counted = self._counted()
        begun = time.monotonic()
        backup = self._restore(counted)
        begun += self._await(counted)  # no part of what a restore takes
        try:
            self._recover(counted)
            restored = time.monotonic()
            self.report(f"restored {backup.label} to {counted.lsn} in {restored - begun:.1f} s; checking")
            compared, rows = self._compare(counted)
            checked = indexes(self.server, self.settings.database)
            size = int(self.server.ask("SELECT sum(pg_database_size(oid)) FROM pg_database"))
        finally:
            self.server.stop()
        return Proof(
            workload=self.settings.workload,
            store=self.store,
            at=0.0,
            backup=backup.label,
            as_of=counted.at,
            bytes=size,
            restore_s=round(restored - begun, 2),
            check_s=round(time.monotonic() - restored, 2),
            compared=compared,
            rows=rows,
            indexes=checked,
            checks=("page checksums", "row counts", "pg_amcheck --heapallindexed"),
        )

    def _counted(self) -> Counted:
        content = opened(self.settings, self.store).read(f"{self.settings.prefix}/{COUNTED}", DATABASE_PROOF_BYTES)
        if content is None:
            raise StepError("no backup of this store was counted yet; try again after the agent has made one")
        counted = read(Counted, content, check=lambda found: servers.lsn(found.lsn))
        if counted is None:
            raise StepError("counted.json cannot be read; try again after the next backup, which replaces it")
        return counted

    def _restore(self, counted: Counted) -> Backup:
        """Restore the newest backup that ended before the counted position, and return it."""
        standing = self.archiver.standing(self.store, patient=True)
        found = [each for each in restorable([standing]) if servers.lsn(each.stop) <= servers.lsn(counted.lsn)]
        if not found:
            raise StepError("no backup is older than the count; try again after the next backup")
        self.report(f"restoring {found[0].label} from store {self.store}")
        self.files.data.mkdir(mode=0o700)
        words = ("--type=lsn", f"--target={counted.lsn}", f"--set={found[0].label}")
        self.archiver.run("restore", *words, only=self.store)
        return found[0]

    def _await(self, counted: Counted) -> float:
        """Wait until the store has the WAL of the moment that was counted; return for how long, in seconds.

        The agent counts before that WAL is archived. StepError if none has come for as long as that may take.
        """
        wanted = servers.segment(counted.timeline, servers.lsn(counted.lsn), self.server.control().segment)
        limit, last = self.settings.archive_timeout_s + _UPLOAD_S, None
        begun = since = time.monotonic()
        while (has := self.archiver.standing(self.store, patient=True).last_wal) < wanted:
            there = f"store {self.store} has {f'WAL up to {has}' if has else 'no WAL'}"
            if has != last:
                self.report(f"{there}; waiting for {wanted}, which was written when the rows were counted")
                last, since = has, time.monotonic()
            elif time.monotonic() - since > limit:
                raise StepError(f"{there}, and {wanted} did not come in {limit} s; see why in `unmoor status`")
            self.stop.wait(_LOOK_S)
        return time.monotonic() - begun

    def _recover(self, counted: Counted) -> None:
        """Replay up to the counted position, and become a primary that archives nothing."""
        self.server.settings = self.files.admit() | {
            "archive_mode": "off",
            "restore_command": self.archiver.command("archive-get", "%f", '"%p"', only=self.store),
            "recovery_target_lsn": counted.lsn,
            "recovery_target_timeline": self._timeline(counted),
            "recovery_target_action": "promote",
        }
        self.server.start()
        try:
            self._replay(counted)
        except StepError:
            if self.server.runs or not self._left(counted):
                raise
            raise StepError(
                f"the rows were counted at {counted.lsn} of timeline {counted.timeline}, which a promotion gave up "
                "before that was archived; try again after the next backup, which the new writer makes"
            ) from None

    def _replay(self, counted: Counted) -> None:
        self.server.wait(_RECOVER_S)
        end = time.monotonic() + _RECOVER_S
        while self.server.ask("SELECT pg_is_in_recovery()") != "f":
            if not self.server.runs or time.monotonic() > end:
                raise StepError(f"the WAL up to {counted.lsn} cannot be replayed")
            time.sleep(0.1)

    def _left(self, counted: Counted) -> bool:
        """Return whether the store's newest WAL is of a later timeline than the count."""
        return int(self.archiver.standing(self.store, patient=True).last_wal[:8] or "0", 16) > counted.timeline

    def _timeline(self, counted: Counted) -> str:
        """Return PostgreSQL's word for the timeline of the moment that was counted.

        It asks the archive for the history of one that has a number, and a store that was filled anew has none.
        """
        return "current" if self.server.control().timeline == counted.timeline else str(counted.timeline)

    def _compare(self, counted: Counted) -> tuple[int, int]:
        """Compare the number of rows of each table with the count; return how many tables and rows there are."""
        differ = []
        for table, rows in counted.tables.items():
            found = int(self.server.ask(f"SELECT count(*) FROM {_identifier(table)}", self.settings.database, _CHECK_S))
            if found != rows:
                differ.append(f"{table} has {found:,} rows, and had {rows:,}")
        if differ:
            raise StepError("; ".join(differ))
        return len(counted.tables), sum(counted.tables.values())


def indexes(server: Server, database: str) -> int:
    """Check every B-tree index against its table; return how many a database has. StepError if one is damaged."""
    words = [str(server.bin / "pg_amcheck"), "--all", "--install-missing", "--heapallindexed"]
    words += ["-h", str(server.socket), "-p", str(PORT), "-U", "postgres"]
    run(words, clean(), what="pg_amcheck", within_s=_CHECK_S)
    return int(
        server.ask(
            "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "JOIN pg_am ON pg_am.oid = relam WHERE amname = 'btree'",
            database,
        )
    )


def _identifier(table: str) -> str:
    """Return a table's name that `quote_ident` wrote. Raises StepError for other text, because it is from a store."""
    part = r'([a-z_][a-z0-9_$]*|"([^"]|"")+")'
    if not re.fullmatch(rf"{part}\.{part}", table):
        raise StepError(f"counted.json holds an invalid name of a table: {quoted(bounded(table, 60))}")
    return table
