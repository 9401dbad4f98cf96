"""The plan for a workload as plain values: sites, bill and parties.

An assessment prices and rates these values alone. `adapter` makes them from the plan of a stack file, and `built` from
what this installation can build, so that `plan` and `assess` agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .inventory import State, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.models import Mode, Side
    from .inventory import Workload


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a monthly bill: its item, USD a month, and the source of the price."""

    label: str
    usd_month: float
    source: str
    #: the target or authority that sends the bill
    payee: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One site: its target, the company that runs it (None: operators that the DAO does not know), if it is rented."""

    target: str
    company: str | None
    rented: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A workload as a plan has it. `sites` has the primary first; `bill` is the whole bill of the plan."""

    mode: Mode
    active: Side
    sites: tuple[Place, ...]
    bill: tuple[BillLine, ...]
    stores: tuple[str, ...] = ()
    dns: tuple[str, ...] = ("route53",)
    certificates: tuple[str, ...] = ("letsencrypt",)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that can be built, with the bill of a site by target for usual options; None where the size decides."""

    name: str
    bills: Mapping[str, tuple[BillLine, ...] | None]


@dataclass(frozen=True, slots=True)
class Builds:
    """What this installation can build: its kinds by name, and its targets."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    targets: Mapping[str, Place] = field(default_factory=dict)

    def kind(self, workload: Workload) -> Kind | None:
        """Return the kind that serves a workload; None if there is none yet."""
        return next((self.kinds[name] for name in kinds_of(workload.work, workload.state) if name in self.kinds), None)


#: Targets, and who runs the machines there. `Builds.targets` has what this installation really has.
PLACES: Mapping[str, Place] = {
    "aws": Place("aws", "aws"),
    "akash": Place("akash", None, rented=True),
    "flux": Place("flux", None, rented=True),
}


def place(target: str) -> Place:
    """Return a target's description; one that is not in the table is a company of its own name."""
    return PLACES.get(target, Place(target, target))


_STATIC = ("static",)
#: The kinds that serve a sort of work, best first. No entry: no kind is intended for it.
_KINDS: Mapping[Work, tuple[str, ...]] = {
    Work.DOCS: _STATIC,
    Work.FRONTEND: _STATIC,
    Work.BLOG: _STATIC,
    Work.STATUS: ("service",),
    Work.DASHBOARD: ("service",),
    Work.API: ("service",),
    Work.BOT: ("service",),
    Work.OTHER: ("service",),
    Work.FORUM: ("forum",),
    Work.DATABASE_APP: ("postgres",),
    Work.WIKI: ("postgres",),  # people edit it at run time
    Work.INDEXER: ("indexer",),
}
#: States that a static site cannot have: something is written or decided at run time.
_STATELESS = frozenset({State.NONE})


def kinds_of(work: Work, state: State) -> tuple[str, ...]:
    """Return the kinds that would serve a sort of work with a state, best first."""
    kinds = _KINDS.get(work, ())
    if kinds == _STATIC and state not in _STATELESS:
        return ("postgres",) if state is State.DATABASE else ("service",)
    if kinds == ("service",) and state is State.DATABASE:
        return ("postgres",)
    return kinds
