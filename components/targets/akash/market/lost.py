"""Which signs mean a lost lease, and after how long: one table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .observed import RUNNING, reason

if TYPE_CHECKING:
    from .observed import Observed


@dataclass(frozen=True)
class Loss:
    """A sign of a lost lease: it counts once it has been seen for this many seconds; with the reason for that time."""

    sign: str
    after_s: float
    why: str


CLOSED = Loss("its lease is closed", 0.0, "the network never opens a closed lease again; its data is gone with it")
RECLAIMED = Loss("its provider is taking it back", 0.0, "the lease ends at its deadline, and serves until then")
SILENT = Loss(
    "its provider is silent and visitors are not served",
    180.0,
    "a provider's gateway is away for minutes in an upgrade, while its leases serve; visitors show which it is",
)
#: Every sign that counts. A provider's silence alone is none: a lease that serves visitors is not lost.
TABLE = (CLOSED, RECLAIMED, SILENT)


def lost(seen: Observed, silent_s: float = 0.0, *, served: bool | None = None) -> str:
    """Return why a lease is lost; empty if it is not, or if nothing proves it.

    `silent_s` is the time in seconds for which its provider has shown no status. `served` is whether visitors get an
    answer from it, None if that is not known.
    """
    lease = seen.lease
    if lease is None:
        return ""
    if lease.state == "reclaiming":
        return f"{lease.provider} is taking it back"
    if lease.state not in RUNNING:
        return f"its lease is {reason(lease)}"
    if seen.services is None and served is False and silent_s >= SILENT.after_s:
        return f"{lease.provider} has not answered for {silent_s:.0f} s, and neither has what runs there"
    return ""
