"""Convert a plan of a stack file, and the kinds of a project, to the values that are assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .planned import BillLine, Builds, Kind, Place, Planned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..kind import Implementation
    from ..registry import Registry
    from ..topology import Line, Topology, WorkloadPlan

#: Names of issuers in CAA records, and the vendors behind them.
_ISSUERS = {"amazon.com": "acm", "letsencrypt.org": "letsencrypt"}


def planned(topology: Topology, registry: Registry) -> dict[str, Planned]:
    """Return every workload of a plan, by its name in the stack file."""
    return {plan.name: _one(plan, topology, registry) for plan in topology.workloads}


def _one(plan: WorkloadPlan, topology: Topology, registry: Registry) -> Planned:
    issuers = sorted({site.exposure.issuer for site in plan.sites if site.exposure.issuer})
    return Planned(
        mode=plan.mode,
        active=plan.active,
        sites=tuple(place(site.target, registry) for site in plan.sites),
        bill=tuple(_lines(plan.bill)),
        stores=tuple(dict.fromkeys(store.vendor for store in plan.stores.values())),
        dns=topology.zone.authorities,
        certificates=tuple(_ISSUERS.get(issuer, issuer) for issuer in issuers),
    )


def _lines(bill: Iterable[Line]) -> Iterable[BillLine]:
    return (BillLine(line.what, line.usd_month, line.source, line.payee) for line in bill)


def place(target: str, registry: Registry) -> Place:
    """Return a target as the project describes it."""
    known = registry.targets[target]
    return Place(target, known.company and known.company.lower(), rented=known.rented)


def builds(registry: Registry) -> Builds:
    """Return what a project can build, with the bill of a site by the usual options of its kind."""
    kinds = {
        name: Kind(name, {target: _bill(name, one, registry) for target, one in registry.implementations(name).items()})
        for name in registry.written
    }
    return Builds(kinds, {target: place(target, registry) for target in registry.targets})


def _bill(kind: str, implementation: Implementation[Any], registry: Registry) -> tuple[BillLine, ...] | None:
    """Return the bill of a site with usual options; None for a kind whose options have no usual values."""
    from pydantic import ValidationError

    from ..release import NOT_BUILT

    try:
        options = registry.kinds[kind].options()
    except ValidationError:
        return None
    return tuple(_lines(implementation.bill(options, NOT_BUILT)))
