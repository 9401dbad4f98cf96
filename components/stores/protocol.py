"""The words of the protocol of a writer: a site, its copy, actions and their events, and what a process remembers.

All times are seconds of the site's own monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .record import Record, State


@dataclass(frozen=True)
class Times:
    """Time limits in seconds.

    `hand_over_s`: how long a frozen holder waits for the other site before it writes again.
    """

    ttl_s: float = 30.0
    poll_s: float = 2.0
    hand_over_s: float = 60.0

    @property
    def renew_s(self) -> float:
        """Seconds between two renewals by the holder: three tries before it has to stop."""
        return self.ttl_s / 4

    @property
    def hurry_s(self) -> float:
        """Seconds between two reads by the site for which a move waits; they are short because no site writes then."""
        return self.poll_s / 10

    @property
    def stop_s(self) -> float:
        """Seconds after sending a renewal at which writes end; the rest of `ttl_s` is for stopping and clock drift."""
        return self.ttl_s * 0.8


@dataclass(frozen=True)
class Me:
    """A site, and the process that acts for it.

    `elects`: any site may claim a free record without an order, for workloads that keep no data of their own. `strict`:
    stop when the record cannot be renewed; otherwise continue until a higher epoch is seen.
    """

    workload: str
    site: str
    instance: str
    times: Times = Times()
    elects: bool = False
    strict: bool = True


@dataclass(frozen=True)
class Copy:
    """What a site holds of the data.

    `primary`: it is a writer's copy, promoted in `epoch`; else `following`: it replays what others archive. `writable`:
    it accepts writes now. `replayed`: it has everything up to the position that was asked for. `newest`: the archive
    has nothing of a later epoch; False if that is not known. `backlog`: a large part of it is not in the archive yet,
    so archiving it would take long.
    """

    primary: bool = False
    epoch: int = 0
    writable: bool = False
    following: bool = False
    replayed: bool = False
    newest: bool = False
    position: str | None = None
    backlog: bool = False


class Deed(StrEnum):
    """An operation on the data."""

    FREEZE = "freeze"
    ARCHIVE = "archive"
    PROMOTE = "promote"
    DEMOTE = "demote"


class Outcome(StrEnum):
    """The outcome of a conditional write; `lost` means no answer."""

    TOOK = "took"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True)
class Look:
    """Read the record, then the copy."""


@dataclass(frozen=True)
class Write:
    """Write a record if the one with `etag` still stands, or if there is none."""

    record: Record
    etag: str | None


@dataclass(frozen=True)
class Permit:
    """Permit writes until that time, and not longer even if this process stops."""

    until: float


@dataclass(frozen=True)
class Do:
    """Perform a deed; `epoch` is for promote, and for demote that of the writer to follow."""

    deed: Deed
    epoch: int = 0


@dataclass(frozen=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class End:
    """Leave: this process holds nothing."""


Action = Look | Write | Permit | Do | Sleep | End


@dataclass(frozen=True)
class Started:
    """The process has started, or it has slept."""


@dataclass(frozen=True)
class Looked:
    """The record and its ETag as just read (None and "" if there is none), the copy, and the time after reading."""

    now: float
    record: Record | None
    etag: str
    copy: Copy


@dataclass(frozen=True)
class Silent:
    """The record could not be read."""

    now: float
    copy: Copy


@dataclass(frozen=True)
class Wrote:
    """A conditional write was sent at `sent` and had this outcome."""

    outcome: Outcome
    record: Record
    sent: float


@dataclass(frozen=True)
class Did:
    """A deed is done or has failed; for archive, with the position reached."""

    deed: Deed
    done: bool
    position: str | None = None


@dataclass(frozen=True)
class Stopping:
    """The process was asked to end."""


Event = Started | Looked | Silent | Wrote | Did | Stopping


@dataclass(frozen=True)
class Mind:
    """What a process remembers: nothing that has to outlive it.

    `mark`, `since`: which process held the record in which beat and state, and when that was first seen. `sent`: the
    last write, whose answer may be lost. `ready`: the order that the other site answered, and when that was first seen.
    `until`: writes are safe until then; `renewed`: when that renewal was sent.
    """

    mark: tuple[str, int, State] | None = None
    since: float = math.nan
    serial: int = -1
    epoch: int = 0
    beat: int = 0
    sent: Wrote | None = None
    ready: tuple[str, float] = ("", math.nan)
    renewed: float = -math.inf
    until: float = -math.inf
    archived: str | None = None
    failed: bool = False
    stopping: bool = False
