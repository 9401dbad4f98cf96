"""What stands at the hosts of a stack, checked before an update builds anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from ..authority import Adopts
from ..config.standing import phrase
from ..errors import Fault, PlanError, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..authority import Survey
    from ..registry import Registry
    from ..topology import Site, Topology, WorkloadPlan


#: A second distribution cannot have the aliases that the first one has (CloudFront, CNAMEAlreadyExists).
RELABELLED = (
    "with another one every site would be made anew next to the old one, whose names CloudFront gives to one "
    "distribution alone, so the update would fail late; leave it as it was, or destroy the stack and deploy it anew"
)


def demand(topology: Topology, registry: Registry, before: Mapping[str, Any]) -> dict[str, int]:
    """Refuse hosts that hold records of another party, and return how many times each adopted host was adopted.

    `before` are the outputs of the stack's last update: a host in them is the stack's own. Only an adopted one is
    checked again, because it may have been given back. Raises PlanError with every fault; an authority that cannot be
    asked is a warning where nothing is adopted.
    """
    found: list[Fault] = []
    rounds: dict[str, int] = {}
    known = before.get("workloads") or {}
    for plan in topology.workloads:
        was = known.get(plan.name) or {}
        if was and was.get("label", "") != plan.label:
            found.append(Fault("label", f"it was {was.get('label') or 'left out'} at the last update; {RELABELLED}"))
        names = {name.host for name in plan.names}
        if not names or (not plan.adopt and names <= set(was.get("hosts") or ())):
            continue
        surveys = _ask(plan, topology, registry, found)
        found += [
            Fault(f"workloads.{plan.name}.{fault.path}", fault.message) for each in surveys for fault in each.faults
        ]
        standing = {record.at or plan.host for each in surveys for record in each.records}
        for name in plan.adopted:
            taken = _taken(was.get("adopted") or {}, name, first=name == plan.host)
            rounds[name] = taken + (name in standing)
            if name in standing:
                _report(plan, name, again=taken > 0)
    if found:
        raise PlanError("what stands is in the way", found)
    return rounds


def left(topology: Topology, registry: Registry, before: Mapping[str, Any]) -> dict[str, str]:
    """Return what an interrupted update may have made and no state knows: an id by the name of its site.

    `before` are the outputs of the stack's last update: its sites are in the state. A cloud that does not answer is a
    warning.
    """
    known: Mapping[str, Any] = before.get("workloads") or {}
    new: dict[tuple[str, str], list[tuple[Site, WorkloadPlan]]] = {}
    for plan in topology.workloads:
        noted = (known.get(plan.name) or {}).get("sites") or {}
        for site in plan.sites:
            if site.name not in noted:
                new.setdefault((site.kind, site.target), []).append((site, plan))
    found: dict[str, str] = {}
    for (kind, target), sites in new.items():
        try:
            found |= registry.implementations(kind)[target].left(sites)
        except StepError as error:
            for site, _ in sites:
                pulumi.log.warn(f"{error}; what an interrupted update made of {site.name} is not taken")
    return found


def _taken(before: Mapping[str, Any], name: str, *, first: bool) -> int:
    """Return how many times a name was adopted according to the outputs: the host's round, and those of other names."""
    return int(before.get("round", 0) if first else (before.get("rounds") or {}).get(name, 0))


def _ask(plan: WorkloadPlan, topology: Topology, registry: Registry, found: list[Fault]) -> list[Survey]:
    try:
        asked = [registry.authorities[name] for name in topology.zone.authorities]
        return [authority.survey(plan, topology.zone) for authority in asked if isinstance(authority, Adopts)]
    except StepError as error:
        if plan.adopt:
            found.append(Fault(f"workloads.{plan.name}.adopt", str(error)))
        else:
            pulumi.log.warn(f"{error}; if something else stands there, the update fails at its record")
        return []


def _report(plan: WorkloadPlan, name: str, *, again: bool) -> None:
    """Report what is replaced, for the reader of a preview."""
    stood = phrase(plan.stood(name))
    if not again:
        pulumi.log.info(f"{name}: {stood} stands there, and is replaced in one change by {plan.primary.name}")
        return
    pulumi.log.warn(
        f"{name}: {stood} stands there again; this update takes the name once more, in one change, for "
        f"{plan.primary.name}"
    )
