"""Everything that can go wrong, as one tree of exceptions.

    UnmoorError               an operator can act on it: a sentence, never a traceback
    ├── ConfigError           what the operator wrote cannot be read
    │   └── NotBuiltError     what a workload would serve does not exist yet
    ├── PlanError             it can be read, and cannot be built
    ├── SdlError              an Akash document that the network would refuse
    ├── StepError             a step was taken and did not succeed
    ├── Unanswered            the source of a fact does not answer
    └── MarketError           the Akash market did not do what was asked
        ├── NotReady          a lease exists, but its containers do not become ready
        ├── NoAcceptableBid   try later, or raise the ceiling
        │   └── NobodyBid     no provider bid at all: a demand may exclude them
        ├── LeaseLost         act first: the lease is gone
        └── Refused           money or policy forbids it

Anything else that is raised is a bug, and stays loud.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .limits import FAULT_CHARS, MESSAGE_CHARS
from .text.escape import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: where (a dotted path, may be empty), what is wrong, and what to choose."""

    path: str
    message: str

    def __str__(self) -> str:
        whole = f"{self.path}: {self.message}" if self.path else self.message
        return bounded(whole, FAULT_CHARS)


class UnmoorError(Exception):
    """A failure that the operator can act on: a title, and every fault at once below it.

    Its text is bounded and free of terminal control characters, regardless of where its parts come from.
    """

    def __init__(self, title: str, faults: Iterable[Fault] = ()) -> None:
        self.title = title
        self.faults = tuple(faults)
        super().__init__(title)

    def __str__(self) -> str:
        title = bounded(self.title, MESSAGE_CHARS // 2)
        if not self.faults:
            return title
        lines, left = [f"{title}:"], MESSAGE_CHARS - len(title)
        for count, fault in enumerate(self.faults):
            line = f"  - {fault}"
            left -= len(line) + 1
            if left < 0:
                lines.append(f"  - … and {len(self.faults) - count:,} more")
                break
            lines.append(line)
        return "\n".join(lines)


class ConfigError(UnmoorError):
    """What the operator wrote cannot be read."""


class NotBuiltError(ConfigError):
    """What a workload would serve does not exist yet; it has to be built first."""


class PlanError(UnmoorError):
    """The configuration can be read, and cannot be built."""


class SdlError(UnmoorError):
    """An Akash document that the network would refuse."""


class StepError(UnmoorError):
    """A step was taken and did not succeed."""


class Unanswered(UnmoorError):  # noqa: N818 the name is the situation
    """The source of the fact does not answer, so nothing may be assumed."""


class MarketError(UnmoorError):
    """The Akash market did not do what was asked."""


class NoAcceptableBid(MarketError):  # noqa: N818 the name is the situation
    """No provider bid, or every bid broke a rule: try later or change the rule."""


class NobodyBid(NoAcceptableBid):
    """No provider bid at all."""


class LeaseLost(MarketError):  # noqa: N818 the name is the situation
    """The lease was closed by another party; its data is gone."""


class NotReady(MarketError):  # noqa: N818 the name is the situation
    """A lease exists, but its containers do not become ready: their logs explain why."""


class Refused(MarketError):  # noqa: N818 the name is the situation
    """Money or policy forbids it; trying again does not help."""
