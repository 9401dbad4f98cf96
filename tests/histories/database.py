"""A database with an archive, simulated: a log of entries at each site, and what each epoch has archived of it.

What it has in common with PostgreSQL (manual, chapters 26.3 and 27.2): a standby replays what the archive has of the
newest timeline, if that continues its own; promotion replays the archive to its end first; what a primary has not
archived is lost to the others; a copy that went on after another was promoted has to be made anew.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import NamedTuple

from components.stores.tenure import Copy

#: So many entries are archived in a moment.
_FEW = 4


class Entry(NamedTuple):
    """A row: the epoch in which it was written, and its number."""

    epoch: int
    number: int


class Failed(Exception):  # noqa: N818 the name is the situation
    """A deed cannot be done now."""


@dataclass
class Archive:
    """What each epoch's primary has archived: its whole log, as far as it came."""

    logs: dict[int, tuple[Entry, ...]] = field(default_factory=dict)
    #: When each entry was first there.
    since: dict[Entry, float] = field(default_factory=dict)

    def newest(self) -> tuple[Entry, ...]:
        """Give the log of the newest epoch."""
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
        """Whether it takes writes; `now` is this site's clock."""
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
        """Let writes through until then."""
        self.frozen, self.until = False, until

    def freeze(self) -> None:
        """Stop writes."""
        self.frozen = True

    def push(self, now: float) -> None:
        """Archive what is there, as a primary does all the time."""
        if self.primary:
            self.archive.logs[self.epoch] = tuple(self.log)
            for entry in self.log:
                self.archive.since.setdefault(entry, now)

    def archived(self, now: float) -> str:
        """Archive all that is there; return where it ends."""
        self.push(now)
        return position_of(self.log)

    def follow(self) -> None:
        """Replay what the archive has; a copy that it does not continue is made anew."""
        if not self.primary and self.archive.logs:
            self.log = list(self.archive.newest())

    def promote(self, epoch: int) -> None:
        """Become the primary of an epoch."""
        if not self.primary:
            self.follow()
        self.primary, self.epoch, self.frozen = True, epoch, True

    def demote(self) -> None:
        """Be made anew from the archive, once the newer primary has put a backup there."""
        if self._newest():
            raise Failed("the archive has nothing of the newer primary yet")
        self.primary, self.frozen, self.epoch = False, True, 0
        self.follow()

    def restart(self, *, lost: bool) -> None:
        """Come back after a kill; `lost`: with an empty volume."""
        self.frozen = True
        if lost:
            self.primary, self.epoch, self.log = False, 0, []


class Program(Site):
    """A program that keeps no data: the work of a singleton. It ends with the process that permits it."""

    def copy(self, position: str | None, now: float) -> Copy:
        """See `components.stores.drive.Guarded`."""
        return Copy(bool(self.epoch), self.epoch, self.writable(now), not self.epoch, replayed=True)

    def follow(self) -> None:
        """Have nothing to replay."""

    def promote(self, epoch: int) -> None:
        """Take an epoch."""
        self.primary, self.epoch, self.frozen = True, epoch, True

    def demote(self) -> None:
        """Have no epoch."""
        self.primary, self.epoch, self.log = False, 0, []

    def restart(self, *, lost: bool) -> None:
        """Begin anew."""
        self.frozen = True
        self.demote()


def position_of(log: list[Entry]) -> str:
    """Write where a log ends: its length, and a digest of all that is in it."""
    return f"{len(log)}:{hashlib.sha256(repr(log).encode()).hexdigest()[:12]}"
