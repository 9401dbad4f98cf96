"""What a workload depends on, layer by layer: today, after homework without a move, and after its plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..config.models import Mode, Side
from .history import Vendor, vendor
from .inventory import State
from .layers import LAYERS
from .planned import Planned, place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from .inventory import Dao, VendorEntry, Workload
    from .planned import Kind

#: Networks of operators that the DAO does not know.
NETWORKS = ("akash", "flux")
SELF = "the DAO itself"
#: Who ends TLS in front of a site, by target; a target that is not listed ends it itself.
_EDGES: Mapping[str, str] = {"aws": "cloudfront", "akash": "own", "flux": "flux-fdm"}


#: The target of the centralized side, unless another is named.
CENTRAL = "aws"
#: The origin of a course that only the advice proposes.
ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be done with a workload, and where that was decided."""

    mode: Mode
    decentralized: tuple[str, ...] = ()
    active: Side = Side.CENTRALIZED
    origin: str = ADVICE
    why: str = ""
    #: why a standby or a move is refused; empty when it is not
    refused: str = ""
    #: what can be done all the same
    instead: str = ""
    centralized: str = CENTRAL
    #: the kind that builds it, with the bill of its sites
    kind: Kind | None = None
    #: the plan of the stack file; and the plan that stands already, where a base is given
    planned: Planned | None = None
    standing: Planned | None = None
    #: the move that was weighed and not advised
    considered: Course | None = None

    @property
    def moves(self) -> bool:
        """Return whether anything changes."""
        if self.standing is not None and self.planned is not None:
            return self.standing != self.planned
        return self.mode is not Mode.CENTRALIZED or self.planned is not None

    def plan(self, dao: Dao) -> Planned:
        """Return the sites of this course, primary first, and the parties that the DAO's tools bring."""
        if self.planned is not None:
            return self.planned
        decentralized = tuple(place(target) for target in self.decentralized)
        sites = {
            Mode.CENTRALIZED: (place(self.centralized),),
            Mode.ACTIVE_STANDBY: (place(self.centralized), *decentralized[:1]),
            Mode.DECENTRALIZED: decentralized,
        }[self.mode]
        turned = self.mode is Mode.ACTIVE_STANDBY and self.active is Side.DECENTRALIZED
        tools = dao.tools
        return Planned(
            mode=self.mode,
            active=self.active,
            sites=sites[::-1] if turned else sites,
            bill=(),
            stores=tools.stores,
            dns=tools.dns,
            certificates=tuple(dict.fromkeys("acm" if one.target == "aws" else tools.certificates for one in sites)),
        )

    def __str__(self) -> str:
        if self.planned is not None:
            sites = [one.target for one in self.planned.sites]
        elif self.moves:
            sites = [*([self.centralized] if self.mode is Mode.ACTIVE_STANDBY else ()), *self.decentralized]
        else:
            return "stays where it is"
        return f"{self.mode} on {' and '.join(vendor(target, {}).name for target in sites)}"


@dataclass(frozen=True)
class Situation:
    """The parties that a workload depends on, and what has been proved about it."""

    mode: Mode
    layers: Mapping[str, tuple[Vendor, ...]]
    #: where its code and secrets are, one entry for each site
    hosts: tuple[Vendor, ...]
    #: companies that hold a copy of the data
    copies: frozenset[str]
    restore_proved: date | None
    exit_rehearsed: date | None
    runway_days: float | None = None

    @cached_property
    def alone(self) -> Mapping[str, Vendor]:
        """Yield each layer that depends on one company, and that company."""
        found = {}
        for key in LAYERS:
            parties = self.layers.get(key, ())
            companies = {party.company for party in parties}
            if len(companies) == 1 and SELF not in companies:
                found[key] = parties[0]
        return found

    def networks(self) -> frozenset[str]:
        """Return the decentralised networks among the hosts."""
        return frozenset(host.key for host in self.hosts if host.key in NETWORKS)


def today(workload: Workload, own: Mapping[str, VendorEntry]) -> Situation:
    """Return the situation that the inventory describes."""
    layers: dict[str, tuple[Vendor, ...]] = {
        str(key): tuple(vendor(party, own) for party in parties) for key, parties in workload.parties.items()
    }
    data = workload.data
    return Situation(
        mode=Mode.CENTRALIZED,
        layers=layers,
        hosts=layers["compute"],
        copies=frozenset(vendor(copy, own).company for copy in data.copies) if data else frozenset(),
        restore_proved=data.restore_proved if data else None,
        exit_rehearsed=workload.exit_rehearsed,
    )


def homework(
    workload: Workload, dao: Dao, own: Mapping[str, VendorEntry], on: date, plan: Planned | None = None
) -> Situation:
    """Return the situation after drills that need no move: copies in the stores, a proved restore, a rehearsed exit.

    `plan` is the one by which the workload stands already. A workload that signs stays as it is: its keys must not be
    copied, and leaving cannot be rehearsed with them.
    """
    before = today(workload, own) if plan is None else standing(workload, plan, dao, own)
    return before if workload.state is State.KEYS else _drilled(before, workload, dao.tools.stores, own, on)


def _drilled(
    situation: Situation, workload: Workload, stores: tuple[str, ...], own: Mapping[str, VendorEntry], on: date
) -> Situation:
    copies = frozenset(vendor(store, own).company for store in stores)
    return replace(
        situation,
        copies=situation.copies | copies if workload.data else situation.copies,
        restore_proved=on if workload.data else None,
        exit_rehearsed=on,
    )


def operators(plan: Planned, own: Mapping[str, VendorEntry]) -> tuple[Vendor, ...]:
    """Return who runs each site of a plan: two rented sites on one network have two operators, kept apart."""
    found = []
    for index, site in enumerate(plan.sites, start=1):
        party = vendor(site.target, own)
        name = f"{party.name} operator {index}"
        rented = site.rented or site.target in NETWORKS
        found.append(replace(party, name=name, company=name, anonymous=True) if rented else party)
    return tuple(found)


def planned(workload: Workload, course: Course, dao: Dao, own: Mapping[str, VendorEntry], on: date) -> Situation:
    """Return the situation after the plan, its drills included."""
    if not course.moves and course.planned is None:
        return today(workload, own)
    plan = course.plan(dao)
    return _drilled(standing(workload, plan, dao, own), workload, plan.stores, own, on)


def standing(workload: Workload, plan: Planned, dao: Dao, own: Mapping[str, VendorEntry]) -> Situation:
    """Return the situation of a workload that stands as a plan has it, without the vendors that it has left."""
    before = today(workload, own)
    sites = operators(plan, own)
    rented = any(one.rented or one.target in NETWORKS for one in plan.sites)
    layers = {key: parties for key, parties in before.layers.items() if key in {"registrar", "mail", "ci"}}
    layers["compute"] = sites
    if workload.hosts:
        layers["dns"] = tuple(vendor(party, own) for party in plan.dns)
        edges = dict.fromkeys(_EDGES.get(one.target, one.target) for one in plan.sites)
        layers["edge"] = tuple(vendor(edge, own) for edge in edges)
        layers["certificates"] = tuple(vendor(party, own) for party in plan.certificates)
    if workload.state is State.DATABASE or "database" in before.layers:
        layers["database"] = sites
    if workload.data or "storage" in before.layers:
        layers["storage"] = tuple(vendor(store, own) for store in plan.stores)
    if rented:
        layers["images"] = (vendor(dao.tools.images, own),)
        networks = dict.fromkeys(one.target for one in plan.sites if one.target in NETWORKS)
        layers["rental"] = tuple(vendor(dao.tools.rental if one == "akash" else one, own) for one in networks)
    layers["state"] = (vendor(dao.tools.state, own),)
    data = workload.data
    return Situation(
        mode=plan.mode,
        layers=layers,
        hosts=sites,
        copies=(before.copies | {vendor(store, own).company for store in plan.stores}) if data else frozenset(),
        restore_proved=before.restore_proved,
        exit_rehearsed=before.exit_rehearsed,
        runway_days=dao.runway_days if rented else None,
    )
