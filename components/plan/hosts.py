"""Faults of workloads' names: outside the zone, or taken already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Fault
from . import slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..config.models import StackConfig, Workload
    from ..registry import Registry
    from ..topology import WorkloadPlan


def public(workload: Workload) -> list[tuple[str, str]]:
    """Return each public host of a workload, with its path in the workload."""
    host = [("host", workload.host)] if workload.host else []
    return [*host, *((f"redirect_from[{index}]", each) for index, each in enumerate(workload.redirect_from))]


def outside(stack: StackConfig, workload: Workload, path: str) -> list[Fault]:
    """Find names outside the zone."""
    return [
        Fault(f"{path}.{where}", f"{host} is outside the zone; choose a name that ends in .{stack.zone}")
        for where, host in public(workload)
        if host != stack.zone and not host.endswith(f".{stack.zone}")
    ]


def clashes(stack: StackConfig, registry: Registry, plans: Sequence[WorkloadPlan]) -> Mapping[str, Sequence[Fault]]:
    """Find names that two sites or workloads would both own, and names that lead to themselves, by workload.

    Sites own their names first, so that the fault of a public name is at its path in the stack file. `plans` have the
    sites of workloads that the file does not name.
    """
    owners: dict[str, tuple[str, str]] = {}
    found: dict[str, list[Fault]] = {}
    for name, where, host, site in (*dict.fromkeys(_sites(stack, registry, plans)), *_named(stack)):
        owner, theirs = owners.get(host, ("", ""))
        owners.setdefault(host, (name, site))
        if not owner:
            continue
        what, mend = f"belongs to workload {owner!r}", "choose another host or another workload name"
        if theirs:
            what = f"is the site host of {theirs}"
        elif owner == name:
            what, mend = "is a name of this workload", "remove one"
        found.setdefault(name, []).append(Fault(f"workloads.{name}{where}", f"{host} {what} already; {mend}"))
    return found


def _named(stack: StackConfig) -> Iterator[tuple[str, str, str, str]]:
    """Yield workload, path in it, and name of each public name."""
    for name, workload in stack.workloads.items():
        yield from ((name, f".{where}", host, "") for where, host in public(workload))


def _sites(
    stack: StackConfig, registry: Registry, plans: Sequence[WorkloadPlan]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield workload, no path, name and site of each site host, also of workloads that could not be planned."""
    for name, workload in stack.workloads.items():
        placement = slots.filled(workload.placement, registry)
        for slot in slots.everywhere(placement):
            yield name, "", slots.site_host(stack, name, placement, slot), slots.site_name(name, placement, slot)
    for plan in plans:
        yield from ((plan.name, "", site.site_host, site.name) for site in plan.everywhere)
