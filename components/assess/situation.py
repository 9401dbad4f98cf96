"""What a workload stands on, layer by layer: today, and once its plan is carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..config.models import Mode, Side
from .history import Vendor, vendor
from .layers import LAYERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from .inventory import Dao, VendorEntry, Workload

#: Networks of hosts that nobody has to know, and who stands between us and them.
NETWORKS = ("akash", "flux")
SELF = "the DAO itself"


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be done with a workload, and on whose word."""

    mode: Mode
    decentralized: tuple[str, ...] = ()
    active: Side = Side.CENTRALIZED
    origin: str = "recommended"
    why: str = ""
    #: why a standby or a move is refused; empty when it is not
    refused: str = ""
    #: what can be done all the same
    instead: str = ""

    @property
    def moves(self) -> bool:
        """Tell whether anything changes."""
        return self.mode is not Mode.CENTRALIZED

    def __str__(self) -> str:
        return f"{self.mode} on {' and '.join(self.decentralized)}" if self.moves else "stays where it is"


@dataclass(frozen=True)
class Situation:
    """Who a workload depends on, and what has been proved about it."""

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
        """Each layer that hangs on one company, and that company."""
        found = {}
        for key in LAYERS:
            parties = self.layers.get(key, ())
            companies = {party.company for party in parties}
            if len(companies) == 1 and SELF not in companies:
                found[key] = parties[0]
        return found

    def networks(self) -> frozenset[str]:
        """Name the decentralised networks among the hosts."""
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


def leases(targets: tuple[str, ...], own: Mapping[str, VendorEntry]) -> tuple[Vendor, ...]:
    """Return the hosts of the decentralised sites: two on one network are two hosts, rented apart."""
    found = []
    for index, target in enumerate(targets, start=1):
        network = vendor(target, own)
        host = f"{network.name} host {index}"
        found.append(replace(network, name=host, company=host) if target in NETWORKS else network)
    return tuple(found)


def planned(workload: Workload, course: Course, dao: Dao, own: Mapping[str, VendorEntry], on: date) -> Situation:
    """Return the situation once the plan is carried out, its drills included."""
    before = today(workload, own)
    if not course.moves:
        return before
    tools = dao.tools
    sites = leases(course.decentralized, own)
    stays = course.mode is Mode.ACTIVE_STANDBY
    layers = dict(before.layers)
    if workload.hosts or "dns" in layers:
        layers["dns"] = (vendor(tools.dns, own),)
    layers["compute"] = _sides(before.layers["compute"] if stays else (), sites, course)
    layers["edge"] = _edge(before, course, own) if stays else tuple(
        vendor("flux-fdm", own) for target in course.decentralized if target == "flux"
    )  # fmt: skip
    stores = tuple(vendor(store, own) for store in tools.stores)
    if "database" in layers:
        layers["database"] = _sides(before.layers["database"] if stays else (), sites, course)
    if "storage" in layers or workload.data:
        layers["storage"] = (*before.layers.get("storage", ()), *stores) if stays else stores
    layers["images"] = (*before.layers.get("images", ()), vendor(tools.images, own))
    authority = vendor(tools.certificates, own)
    if workload.hosts:
        layers["certificates"] = (
            (*(before.layers.get("edge") or before.layers["compute"])[:1], authority) if stays else (authority,)
        )
    layers["rental"] = tuple(
        vendor(tools.rental if target == "akash" else target, own) for target in dict.fromkeys(course.decentralized)
    )
    layers["state"] = (vendor(tools.state, own),)
    return Situation(
        mode=course.mode,
        layers=layers,
        hosts=layers["compute"],
        copies=before.copies | {store.company for store in stores},
        restore_proved=on if workload.data else None,
        exit_rehearsed=on,
        runway_days=dao.runway_days,
    )


def _sides(central: tuple[Vendor, ...], sites: tuple[Vendor, ...], course: Course) -> tuple[Vendor, ...]:
    """Put both sides in a row, primary first."""
    return (*sites, *central) if course.active is Side.DECENTRALIZED else (*central, *sites)


def _edge(before: Situation, course: Course, own: Mapping[str, VendorEntry]) -> tuple[Vendor, ...]:
    """Return who serves TLS when both sides stand: the vendor of today, and each lease by itself."""
    if "edge" not in before.layers:
        return ()
    doors = tuple(vendor("flux-fdm" if target == "flux" else "own", own) for target in course.decentralized[:1])
    return (*before.layers["edge"], *doors)
