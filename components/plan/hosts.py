"""Faults of workloads' names: outside the zone, or taken already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.models import StackConfig, Workload
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


def clashes(plans: Sequence[WorkloadPlan]) -> list[Fault]:
    """Find names that two workloads would both own, and names that lead to themselves."""
    owners: dict[str, str] = {}
    found = []
    for plan_ in plans:
        own = [("host", host) for host in (plan_.host, *(site.site_host for site in plan_.everywhere)) if host]
        others = [(f"redirect_from[{index}]", host) for index, host in enumerate(plan_.primary.redirect_from)]
        for where, name in own + others:
            owner, path = owners.get(name), f"workloads.{plan_.name}.{where}"
            owners.setdefault(name, plan_.name)
            if owner not in {None, plan_.name}:
                why = f"{name} belongs to workload {owner!r} already; choose another host or another workload name"
                found.append(Fault(path, why))
            elif owner and where != "host":
                found.append(Fault(path, f"{name} is a name of this workload already; remove one"))
    return found
