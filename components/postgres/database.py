"""The database of one site, which `stores.drive` directs.

`ROOT/pgdata` is a complete copy or does not exist: a restore fills `ROOT/incoming`, which is renamed at its end. A copy
with PostgreSQL's `standby.signal` is a standby. Any other copy is a primary, promoted in the epoch of `ROOT/epoch`. If
`ROOT/leaving` exists, a copy with the signal is a primary that was about to leave its timeline.
"""

from __future__ import annotations

import functools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ..errors import StepError
from ..stores.protocol import Copy
from . import promotion
from . import server as servers
from .backrest import Backrest, restorable
from .files import Files, environment
from .restoring import Restore
from .server import Server

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from .settings import Settings

_Of = ParamSpec("_Of")
_Result = TypeVar("_Result")
#: The part of `archive_timeout_s` after which PostgreSQL begins a new segment. The rest is for archiving the last one.
_SWITCHED = 0.9
#: The most segments that may wait without counting as a backlog: they are archived in a moment.
FEW = 4
#: Seconds that a file of the WAL waits before each store gets it separately.
_STUCK_S = 5
#: The prefix of the position of a copy that was killed. Its end is unknown, so only its own site has reached it.
_UNKNOWN = "unknown:"
#: The position of any other copy.
_POSITION = re.compile(r"([0-9]{1,10}):([0-9A-F]{1,8}/[0-9A-F]{1,8})")
#: SQL for whether a standby is in recovery, the position up to which it has replayed, and its timeline.
_WHERE = (
    "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn(), greatest((pg_control_checkpoint()).timeline_id, "
    "(pg_control_recovery()).min_recovery_end_timeline)"
)


def _failing(method: Callable[_Of, _Result]) -> Callable[_Of, _Result]:
    """Make a method raise StepError instead of OSError: the disk is full, for example."""

    @functools.wraps(method)
    def done(*given: _Of.args, **named: _Of.kwargs) -> _Result:
        try:
            return method(*given, **named)
        except OSError as error:
            raise StepError(f"{error.filename or 'the disk'}: {error.strerror}") from None

    return done


def _read(position: str) -> tuple[int, int] | None:
    """Return the timeline of a position in a record, and its bytes in the WAL; None for what is none."""
    read = _POSITION.fullmatch(position)
    return (int(read[1]), servers.lsn(read[2])) if read else None


class Postgres:
    """One copy of the database. `report` receives problems that do not make an order fail."""

    def __init__(
        self,
        settings: Settings,
        site: str,
        root: Path,
        port: int,
        stop: threading.Event,
        report: Callable[[str], None],
    ) -> None:
        self.settings, self.site, self.stop, self.report = settings, site, stop, report
        self.files = Files(root)
        self.archiver = Backrest(settings, self.files, port, stop)
        self.server = Server(
            servers.programs(settings.major),
            self.files.data,
            self.files.run,
            port,
            environment() | self.archiver.environment(),
        )
        self._restore = Restore(self.files, self.archiver, stop, report)
        self._reported, self._follows = "", False
        #: The waiting files of the WAL that each store has got separately.
        self._given: dict[str, set[str]] = {store: set() for store in settings.archive}

    def prepare(self, listen: str, grace_s: float) -> None:
        """Prepare the directory, and the settings of PostgreSQL and the archive.

        `listen`: PostgreSQL's address for the application. `grace_s`: seconds that PostgreSQL may take to stop at the
        end of its permission. Raises ConfigError if the directory holds anything else.
        """
        self.files.prepare()
        self.archiver.write()
        self.server.listen, self.server.grace_s = listen, grace_s
        self.server.settings = self.files.admit("host all all all scram-sha-256\n") | {
            "archive_mode": "on",
            "archive_command": self.archiver.command("archive-push", "%p"),
            "restore_command": self.archiver.get,
            "archive_timeout": str(max(1, int(self.settings.archive_timeout_s * _SWITCHED))),
            "recovery_target_timeline": "latest",
            "wal_level": "replica",
            "hot_standby": "on",
            "password_encryption": "scram-sha-256",
        }

    # what there is

    @property
    def there(self) -> bool:
        """Whether there is a complete copy."""
        return self.files.data.exists()

    @property
    def primary(self) -> bool:
        """Whether there is a copy that was promoted, or is the first one."""
        return self.there and not self.files.follows

    @property
    def role(self) -> str:
        """The role of this copy: `empty`, `restoring`, `starting`, `standby`, `primary` or `stopped`."""
        if not self.there:
            return "restoring" if self._restore.runs else "empty"
        if not self.primary:
            return "standby" if self.server.runs and self._follows else "starting"
        return "primary" if self.server.open else "stopped"

    def copy(self, position: str | None) -> Copy:
        """See `Database`. Start a copy that follows; begin a restore if there is no copy."""
        try:
            found = self._observe(position)
        except StepError as error:
            if str(error) != self._reported:
                self._reported = str(error)
                self.report(self._reported)
            raise
        self._reported = ""
        return found

    def _observe(self, position: str | None) -> Copy:
        if not self.there:
            return self._without(position)
        if not self.primary:
            return self._follower(position)
        runs, control = self.server.runs, self.server.control()
        end = None if runs else control.end
        has = control.checkpoint if end is None else end
        return Copy(
            primary=True,
            epoch=self.files.epoch,
            writable=self.server.open,
            replayed=self._reached(position, control.timeline, has),
            position=f"{_UNKNOWN}{self.site}" if end is None else f"{control.timeline}:{servers.written(end)}",
            backlog=len(self.files.waiting()) > FEW,
        )

    def _without(self, position: str | None) -> Copy:
        if self._restore.runs:
            return Copy()
        standings = self.archiver.each()
        if any(not each.empty for each in standings.values()):
            if restorable(standings.values()):
                self._restore.begin()
            return Copy()
        return Copy(replayed=position is None and len(standings) == len(self.settings.archive))

    def _follower(self, position: str | None) -> Copy:
        if not self.server.runs:
            self._follows = False
            self.server.start()
        try:
            recovers, at, timeline = self.server.ask(_WHERE).split("|")
            if position is not None and self._behind(position, int(timeline)):
                # A standby writes its new timeline down at the next restart point; until then it shows the old one.
                self.server.ask("CHECKPOINT", within_s=60)
                recovers, at, timeline = self.server.ask(_WHERE).split("|")
        except StepError:
            return Copy()  # it is starting, or its data is not consistent yet
        if recovers != "t" or not at:
            return Copy()
        replayed = self._reached(position, int(timeline), servers.lsn(at))
        if not replayed:
            self.server.hurry()
        self._follows = True
        return Copy(following=True, replayed=replayed, position=f"{timeline}:{at}")

    def _behind(self, position: str, timeline: int) -> bool:
        read = _read(position)
        return read is not None and read[0] > timeline

    def _reached(self, position: str | None, timeline: int, at: int) -> bool:
        """Return whether a copy that is at `at` on a timeline has everything up to a position (None: any).

        No copy has reached what is no position of PostgreSQL's.
        """
        if position is None or (self.primary and position == f"{_UNKNOWN}{self.site}"):
            return True
        read = _read(position)
        if read is None:
            return False
        of, wanted = read
        if of > timeline or wanted > at:
            return False
        if of == timeline:
            return True
        left = servers.forked(self.files.history(timeline), of)
        return left is not None and wanted <= left

    def newest(self) -> bool:
        """See `Database`. Return False for a copy that runs."""
        if self.server.runs:
            return False
        seen = self.archiver.timelines()
        return len(seen) == len(self.settings.archive) and max(seen.values()) <= self.server.control().timeline

    # what is ordered

    def permit(self, until: float) -> None:
        """See `Database`."""
        if not self.primary or self.files.signal.exists():
            raise StepError("there is no primary's copy to write to")
        if self.server.open:
            self.server.extend(until)
            return
        self.server.stop()
        self.server.start(until, opened=True)

    def freeze(self) -> None:
        """See `Database`: end all sessions and stop."""
        self.server.stop()

    @_failing
    def archive(self) -> str:
        """See `Database`. One store is enough; the other gets what it lacks when it answers again."""
        control = self.server.control()
        if control.end is None:
            # It was killed: recover and stop cleanly first. `_push_all` archives after that.
            self.server.start(archive_command="")
            self.server.wait()
            self.server.ask("CHECKPOINT", within_s=120)
            self.server.stop()
            control = self.server.control()
        if control.end is None:
            raise StepError("the last checkpoint does not open a segment of the WAL; it is tried again")
        self._push_all()
        return f"{control.timeline}:{servers.written(control.end)}"

    def _push_all(self) -> None:
        """Archive what waits in all stores at once, because writes are frozen. Raises StepError if none takes all."""
        names = [note.stem for note in self.files.waiting()]
        with ThreadPoolExecutor(len(self._given)) as pool:
            failed = [why for why in pool.map(lambda store: self._push(store, names), self._given) if why]
        for name in names:
            if all(name in given for given in self._given.values()):
                self.files.archived(name)
        if len(failed) == len(self._given):
            raise StepError(f"the last writes cannot be archived: {'; '.join(failed)}")

    def _push(self, store: str, names: Iterable[str]) -> str:
        """Archive files of the WAL in one store, in their order; return why it did not take one, "" if it has all."""
        given = self._given[store]
        for name in names:
            if name in given:
                continue
            try:
                self.archiver.run("archive-push", str(self.files.data / "pg_wal" / name), only=store)
            except StepError as error:
                self.report(f"{name} is not in store {store}: {error}")
                return f"store {store}: {error}"
            given.add(name)
        return ""

    def ferry(self, store: str) -> None:
        """Archive what waits in one store while the other fails: PostgreSQL continues only when both have a file.

        Raises StepError if this store fails too.
        """
        waiting, done = self.files.waiting(), self._given[store]
        done &= {note.stem for note in waiting}
        if not waiting or time.time() - waiting[0].stat().st_mtime < _STUCK_S:
            return
        for note in waiting:
            if note.stem not in done and self.server.open:
                self.archiver.push(self.files.data / "pg_wal" / note.stem, store, self._permitted)
                done.add(note.stem)

    def _permitted(self) -> float:
        """Return the time (of `guard.clock`) until which this copy may write; it has passed for one that follows."""
        return self.server.until if self.server.open else 0.0

    @_failing
    def promote(self, epoch: int) -> None:
        """See `Database`."""
        if self._restore.runs:
            raise StepError("the copy is being restored; it is promoted after that")
        promotion.promote(self, epoch)

    @_failing
    def demote(self, epoch: int) -> None:
        """See `Database`: the copy is restored over this one."""
        if self.primary:
            self.server.stop(0)  # in order, it would archive a timeline that is over, for restored copies to follow
            if not self._succeeded(epoch):
                raise StepError("the archive has nothing of the newer primary yet")
            self.files.depart()
        self.server.stop()
        if not self.there:
            self._restore.make()
        self.server.start()

    def _succeeded(self, epoch: int) -> bool:
        """Whether the archive has something of the writer of an epoch: a later timeline, or a backup that it made.

        A timeline of this copy that was never archived has a number that the writer's may not exceed.
        """
        if max(self.archiver.timelines().values(), default=0) > self.server.control().timeline:
            return True
        return any(each.epoch >= epoch for each in restorable(self.archiver.each().values()))
