"""A simulated database with an archive: a log of entries at each site, and the archived part of it in each epoch.

It works as PostgreSQL does (manual, chapters 26.3 and 27.2). A standby replays the newest timeline of the archive, if
that continues its own. Promotion first replays the archive to its end. The other sites never get what a primary has not
archived. A copy that wrote after another was promoted has to be restored.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import NamedTuple

from components.stores.tenure import Copy

#: The most entries that may wait without counting as a backlog.
_FEW = 4


class Entry(NamedTuple):
    """A row: the epoch in which it was written, and its number."""

    epoch: int
    number: int


class Failed(Exception):  # noqa: N818 the name is the situation
    """An order to the database that fails now."""


@dataclass
class Archive:
    """The archive: the log of each epoch's primary, as far as it was archived."""

    logs: dict[int, tuple[Entry, ...]] = field(default_factory=dict)
    #: When each entry was first archived, in seconds of virtual time.
    since: dict[Entry, float] = field(default_factory=dict)

    def newest(self) -> tuple[Entry, ...]:
        """Return the log of the newest epoch."""
        return self.logs[max(self.logs)] if self.logs else ()


@dataclass
class Site:
    """The database of one site."""

    archive: Archive
    log: list[Entry] = field(default_factory=list)
    primary: bool = False
    epoch: int = 0
    frozen: bool = True
    until: float = -math.inf

    def writable(self, now: float) -> bool:
        """Return whether it accepts writes. `now`: seconds of this site's clock."""
        return self.primary and not self.frozen and now < self.until

    def copy(self, position: str | None, now: float) -> Copy:
        """See `components.stores.drive.Database`."""
        done = position is None or self._reached(position)
        writes = not self.frozen and self.writable(now)
        waits = len(self.log) - len(self.archive.logs.get(self.epoch, ())) if self.primary else 0
        end = position_of(self.log)
        return Copy(self.primary, self.epoch, writes, not self.primary, done, self._newest(), end, waits > _FEW)

    def _newest(self) -> bool:
        return max(self.archive.logs, default=0) <= self.epoch

    def _reached(self, position: str) -> bool:
        length = int(position.partition(":")[0])
        return len(self.log) >= length and position_of(self.log[:length]) == position

    def permit(self, until: float) -> None:
        """Accept writes until that time of this site's clock."""
        self.frozen, self.until = False, until

    def freeze(self) -> None:
        """Stop writes."""
        self.frozen = True

    def push(self, now: float) -> None:
        """Archive the log, as a primary does continuously."""
        if self.primary:
            self.archive.logs[self.epoch] = tuple(self.log)
            for entry in self.log:
                self.archive.since.setdefault(entry, now)

    def archived(self, now: float) -> str:
        """Archive the log, and return the position of its end."""
        self.push(now)
        return position_of(self.log)

    def follow(self) -> None:
        """Replay the archive; a copy that it does not continue is restored from it."""
        if not self.primary and self.archive.logs:
            self.log = list(self.archive.newest())

    def promote(self, epoch: int) -> None:
        """Become the primary of an epoch."""
        if not self.primary:
            self.follow()
        self.primary, self.epoch, self.frozen = True, epoch, True

    def demote(self) -> None:
        """Restore the copy from the archive, once the newer primary has a backup there."""
        if self._newest():
            raise Failed("the archive has nothing of the newer primary yet")
        self.primary, self.frozen, self.epoch = False, True, 0
        self.follow()

    def restart(self, *, lost: bool) -> None:
        """Start again after a kill; `lost`: with an empty volume."""
        self.frozen = True
        if lost:
            self.primary, self.epoch, self.log = False, 0, []


class Program(Site):
    """A program without data: the work of a singleton. It ends with the process that permits it."""

    def copy(self, position: str | None, now: float) -> Copy:
        """See `components.stores.drive.Guarded`."""
        return Copy(bool(self.epoch), self.epoch, self.writable(now), not self.epoch, replayed=True)

    def follow(self) -> None:
        """Do nothing: there is nothing to replay."""

    def promote(self, epoch: int) -> None:
        """Accept an epoch."""
        self.primary, self.epoch, self.frozen = True, epoch, True

    def demote(self) -> None:
        """Give up the epoch."""
        self.primary, self.epoch, self.log = False, 0, []

    def restart(self, *, lost: bool) -> None:
        """Start again without an epoch."""
        self.frozen = True
        self.demote()


def position_of(log: list[Entry]) -> str:
    """Return the position of a log's end: its length, and a digest of its entries."""
    return f"{len(log)}:{hashlib.sha256(repr(log).encode()).hexdigest()[:12]}"
