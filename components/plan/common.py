"""Workloads that sites of several workloads share. No stack file names them; they are planned from those it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config.models import Mode, Placement, Workload
from ..errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from ..config.models import StackConfig
    from ..kind import Implementation, Kind
    from ..registry import Registry
    from ..topology import Site, WorkloadPlan


class Common(Workload):
    """The settings of a shared workload, which has the name of its kind and one target."""


def workload(kind: str, target: str) -> Common:
    """Return the settings of the workload that sites at a target share."""
    return Common(kind=kind, mode=Mode.CENTRALIZED, placement=Placement(centralized=target, decentralized=()))


def shared(on: Mapping[str, Implementation[Any]], target: str, options: BaseModel) -> tuple[str, ...]:
    """Return the sites that a site at a target shares with others."""
    return tuple(f"{kind}-{target}" for kind in on[target].shares(options))


def wanted(plans: Sequence[WorkloadPlan], registry: Registry) -> dict[str, list[Site]]:
    """Return the kinds of which the sites that stand share one, each with those sites."""
    found: dict[str, list[Site]] = {}
    for plan in plans:
        for site in plan.sites:
            for kind in registry.implementations(plan.kind)[site.target].shares(plan.options):
                found.setdefault(kind, []).append(site)
    return found


def faults(stack: StackConfig, kind: Kind[Any], sites: Sequence[Site]) -> Iterator[Fault]:
    """Refuse a workload with the name of a shared one, and more sites than can share it."""
    if kind.name in stack.workloads:
        why = f"is what the {kind.name} is called that workloads of this stack share; choose another name"
        yield Fault(f"workloads.{kind.name}", why)
    if kind.most_sharing is not None and len(sites) > kind.most_sharing:
        why = f"{len(sites)} sites share one {kind.name}, and it has room for {kind.most_sharing}; take some out of it"
        yield Fault(f"workloads.{sites[-1].workload}.options", why)
