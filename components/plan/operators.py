"""Which sites must not be with one operator: the sites of a workload, and name servers and everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..action import Create, Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..registry import Registry
    from ..topology import Site, WorkloadPlan, ZonePlan


def created(
    plan: WorkloadPlan, site: Site, plans: Sequence[WorkloadPlan], zone: ZonePlan, registry: Registry
) -> Create:
    """Return the creation of a site, with the operators that it must not share.

    Those of sites that are made before it are known by then: name servers, who can forge its names, and the sites of
    its workload with a lower name. A flip must not change which of two avoids the other, so roles do not matter. The
    names of all others in the placement are given too: what they have when it is rented anew may serve until its names
    have moved, and a site that waits for this one cannot be waited for.
    """
    if not registry.targets[site.target].several_operators:
        return Create()
    servers = {server.site for server in zone.own.servers} if zone.own else set()
    there = {other.name: other for each in plans for other in each.everywhere if other.target == site.target}
    parted = {
        name
        for name, other in there.items()
        if name != site.name and (other.workload == site.workload or {name, site.name} & servers)
    }
    first = sorted(parted & servers) if site.name not in servers else []
    earlier = sorted(other.name for other in plan.sites if other.name in parted and other.name < site.name)
    return Create(tuple(Ref(name, "operator") for name in (*first, *earlier)), tuple(sorted(parted)))
