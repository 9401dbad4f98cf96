"""Carry out the actions that `tenure` decides: read and write the record, and apply its orders to the data."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ..errors import StepError
from . import protocol, tenure
from .guard import clock
from .protocol import Copy, Deed

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from .protocol import Outcome
    from .record import Record


class Keeper(Protocol):
    """The record's store; see `writer.Records`."""

    def read(self) -> tuple[Record | None, str]:
        """Return the record and its ETag. Raises StepError if that cannot be known."""

    def write(self, record: Record, etag: str | None) -> tuple[Outcome, str]:
        """Write on a condition; return the outcome and its reason."""


class Database(Protocol):
    """The data of one site. Each method raises StepError if it fails, and may be repeated.

    A copy accepts writes only between `permit` and the moment that it names, or `freeze`. This must hold even if the
    caller is killed or paused, and open sessions must end with it.
    """

    def copy(self, position: str | None) -> Copy:
        """Describe the copy; `replayed` is for that position (None: any)."""

    def newest(self) -> bool:
        """Return whether the archive has nothing later than this copy; False if that is not known.

        `Copy.newest` is this answer. It is asked for only if it matters, because it needs requests to the stores.
        """

    def permit(self, until: float) -> None:
        """Permit writes until that time (of `clock`)."""

    def freeze(self) -> None:
        """Permit no more writes; when this returns, none is in progress."""

    def archive(self) -> str:
        """Put all of a frozen copy into the archive; return the position where it ends."""

    def promote(self, epoch: int) -> None:
        """Replay the archive, and become the primary of an epoch; writes wait for `permit`."""

    def demote(self, epoch: int) -> None:
        """Follow the primary of that epoch; what only this copy has is lost."""


class Work(Protocol):
    """What a lock guards: a program that runs while it is permitted."""

    def permit(self, epoch: int, until: float) -> None:
        """Run until that time, and start if it is not running."""

    def stop(self) -> None:
        """Stop; when this returns, nothing runs."""

    @property
    def runs(self) -> bool:
        """Whether it runs."""


@dataclass
class Guarded:
    """Work behind a lock as a database that has nothing to replay."""

    work: Work
    epoch: int = 0

    def copy(self, position: str | None) -> Copy:  # noqa: ARG002 there are no positions
        """Describe the copy: no site has data that another one lacks."""
        return Copy(bool(self.epoch), self.epoch, self.work.runs, not self.epoch, replayed=True)

    def newest(self) -> bool:
        """Return False: there is nothing to continue with after an epoch."""
        return False

    def permit(self, until: float) -> None:
        """Run until that time."""
        self.work.permit(self.epoch, until)

    def freeze(self) -> None:
        """Stop."""
        self.work.stop()

    def archive(self) -> str:
        """Return no position."""
        return ""

    def promote(self, epoch: int) -> None:
        """Accept an epoch."""
        self.epoch = epoch

    def demote(self, epoch: int) -> None:  # noqa: ARG002 nothing is followed
        """Leave the epoch: no more is needed."""
        self.epoch = 0


def drive(
    me: protocol.Me,
    records: Keeper,
    database: Database,
    stop: threading.Event,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Take actions for a site until `stop` is set, then stop writes and leave.

    `report` gets each new difficulty once.
    """
    mind, last = protocol.Mind(), dict[object, str]()
    event: protocol.Event = protocol.Started()
    while True:
        if stop.is_set() and not mind.stopping:
            event = protocol.Stopping()
        mind, action = tenure.step(me, mind, event)
        if isinstance(action, protocol.End):
            return
        event, why = _take(me, action, records, database, stop, mind)
        of = action.deed if isinstance(action, protocol.Do) else type(action)
        if why and why != last.get(of):
            report(why)
        last[of] = why


def _take(
    me: protocol.Me,
    action: protocol.Action,
    records: Keeper,
    database: Database,
    stop: threading.Event,
    mind: protocol.Mind,
) -> tuple[protocol.Event, str]:
    """Take one action; return its event, and the fault if it failed."""
    match action:
        case protocol.Look():
            return _look(me, records, database)
        case protocol.Write(record, etag):
            sent = clock()
            outcome, why = records.write(record, etag)
            return protocol.Wrote(outcome, record, sent), why if outcome is protocol.Outcome.LOST else ""
        case protocol.Do(deed, epoch):
            return _do(database, deed, epoch)
        case protocol.Permit(until):
            try:
                database.permit(until)
            except StepError as error:
                return protocol.Started(), str(error)
        case protocol.Sleep(seconds):
            if mind.stopping:
                time.sleep(seconds)  # `stop` is set already
            else:
                stop.wait(seconds)
    return protocol.Started(), ""


def _look(me: protocol.Me, records: Keeper, database: Database) -> tuple[protocol.Event, str]:
    try:
        record, etag = records.read()
    except StepError as error:
        return protocol.Silent(clock(), _copy(database, None)), str(error)
    copy = _copy(database, record.position if record else None)
    if record and copy.primary and tenure.recalled(me, record):
        copy = replace(copy, newest=_newest(database))
    return protocol.Looked(clock(), record, etag, copy), ""


def _copy(database: Database, position: str | None) -> Copy:
    """Describe the copy; one that cannot be described is no primary and has replayed nothing."""
    try:
        return database.copy(position)
    except StepError:
        return Copy()


def _newest(database: Database) -> bool:
    try:
        return database.newest()
    except StepError:
        return False


def _do(database: Database, deed: Deed, epoch: int) -> tuple[protocol.Event, str]:
    try:
        match deed:
            case Deed.FREEZE:
                database.freeze()
            case Deed.ARCHIVE:
                return protocol.Did(deed, done=True, position=database.archive()), ""
            case Deed.PROMOTE:
                database.promote(epoch)
            case Deed.DEMOTE:
                database.demote(epoch)
    except StepError as error:
        return protocol.Did(deed, done=False), str(error)
    return protocol.Did(deed, done=True), ""
