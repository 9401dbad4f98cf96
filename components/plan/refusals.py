"""What a plan refuses in one workload: stores, settings of its kind, placements, and what other parts refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config.models import Mode, did_you_mean
from ..errors import Fault
from ..exposure import Proof
from ..kind import State
from . import adoption, slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from ..config.models import Placement, StackConfig, Workload
    from ..kind import Implementation, Kind
    from ..registry import Registry
    from ..topology import WorkloadPlan, ZonePlan


#: Characters of a site's name with the stack's: a CloudFront function has 64, of which its event and Pulumi use 17.
_SITE_CHARS = 47
#: Characters of a name in DNS (RFC 1035 §2.3.4: 255 octets, which hold as many).
_HOST_CHARS = 253


def stores(stack: StackConfig, workload: Workload, path: str) -> list[Fault]:
    """Refuse stores that the stack file does not declare."""
    choices = f" or choose from {', '.join(sorted(stack.stores))}" if stack.stores else ""
    return [
        Fault(
            f"{path}.backup.stores[{index}]",
            f"no store named {store!r}{did_you_mean(store, stack.stores)}; declare it under stores{choices}",
        )
        for index, store in enumerate(workload.backup.stores if workload.backup else ())
        if store not in stack.stores
    ]


def kind(workload: Workload, kind: Kind[Any], path: str) -> list[Fault]:
    """Refuse a workload without settings that its kind needs, or with settings that it does not have."""
    found = []
    if workload.host is None and kind.needs_host:
        found.append(Fault(f"{path}.host", "is required; give the public name, inside the zone"))
    if workload.redirect_from and not kind.redirects:
        found.append(Fault(f"{path}.redirect_from", f"{kind.name} leads no other hosts to its own; remove it"))
    if workload.backup and kind.own_stores:
        found.append(Fault(f"{path}.backup", f"the options of a {kind.name} name its stores; take it out"))
    elif workload.backup is None and kind.state is not State.NONE and not kind.own_stores:
        found.append(Fault(f"{path}.backup", "is required; name the stores that keep every version"))
    return found


def site_hosts(stack: StackConfig, name: str, placement: Placement, path: str) -> list[Fault]:
    """Refuse sites whose own names are too long; `path` is that of the name that can be shorter."""
    hosts = {
        slots.site_name(name, placement, slot): slots.site_host(stack, name, placement, slot)
        for slot in slots.everywhere(placement)
    }
    return [
        Fault(
            path,
            f"the site host of {site} has {len(host)} characters, and {_HOST_CHARS} are the most; choose a shorter "
            "name, or a zone with a shorter one",
        )
        for site, host in hosts.items()
        if len(host) > _HOST_CHARS
    ]


def sharing(
    workload: Workload, kind: Kind[Any], chosen: BaseModel | None, placement: Placement, path: str
) -> list[Fault]:
    """Refuse to share look-ups where only one site answers, runs or may write; `chosen` are the options, if valid."""
    asked = "split" if workload.split else "balance" if workload.balance else ""
    if not asked:
        return []
    found = []
    if kind.state is State.WRITER:
        why = f"one site of a {kind.name} alone may write, so visitors cannot be led to both; take it out"
        found.append(Fault(f"{path}.{asked}", why))
    elif chosen and kind.cold(chosen):
        why = f"one site of this {kind.name} alone may run, so visitors cannot be led to both; take it out"
        found.append(Fault(f"{path}.{asked}", why))
    if workload.split and workload.mode is not Mode.ACTIVE_STANDBY:
        why = f"shares look-ups between the sides of {Mode.ACTIVE_STANDBY}, and mode is {workload.mode}"
        found.append(Fault(f"{path}.split", f"{why}; take it out, or write `mode: {Mode.ACTIVE_STANDBY}`"))
    elif len(slots.taken(workload.mode, workload.active, placement)) == 1:
        found.append(Fault(f"{path}.balance", f"one site stands in {workload.mode}; take it out, or choose two sites"))
    return found


def placement(placement: Placement, kind: Kind[Any], on: Mapping[str, Implementation[Any]], path: str) -> list[Fault]:
    """Refuse targets on which a kind does not run, and two sides on one target."""
    named = [("centralized", str(placement.centralized))] if kind.written else []
    named += [(f"decentralized[{i}]", target) for i, target in enumerate(placement.decentralized)]
    choices = ", ".join(sorted(on))
    found = [
        Fault(
            f"{path}.placement.{where}",
            f"{kind.name} does not run on {target!r}{did_you_mean(target, on)}; choose from {choices}",
        )
        for where, target in named
        if target not in on
    ]
    if placement.centralized in placement.decentralized:
        why = f"both sides are on {placement.centralized!r}, so one account can take both down; choose two targets"
        found.append(Fault(f"{path}.placement", why))
    return found


def planned(
    plan: WorkloadPlan, zone: ZonePlan, registry: Registry, on: Mapping[str, Implementation[Any]], path: str
) -> list[Fault]:
    """Return what authorities, the kind, and the implementations refuse in a planned workload."""
    inside = [fault for name in zone.authorities for fault in registry.authorities[name].refuses(plan, zone)]
    inside += registry.kinds[plan.kind].refuses(plan)
    inside += adoption.faults(plan, [registry.authorities[name] for name in zone.authorities], on)
    found = [Fault(f"{path}.{fault.path}", fault.message) for fault in inside]
    found += [
        Fault(
            f"{path}.mode",
            f"{site.name} gets a certificate only once {plan.host} leads to it, so it cannot be a standby; "
            "choose a mode in which it is primary",
        )
        for site in plan.sites[1:]
        if site.exposure.proof is Proof.HOST_ONLY
    ]
    # What two targets refuse in the same words is one fault.
    refused = dict.fromkeys(
        fault
        for target, site in {site.target: site for site in plan.everywhere}.items()
        for fault in (*on[target].refuses(plan.options, plan.release), *on[target].refuses_at(site, plan.release))
    )
    found += [Fault(f"{path}.options.{fault.path}".rstrip("."), fault.message) for fault in refused]
    long = [plan.named(site) for site in plan.everywhere] if plan.label else []
    return found + [
        Fault("label", f"{name} has {len(name)} characters, and {_SITE_CHARS} are the most; choose a shorter one")
        for name in long
        if len(name) > _SITE_CHARS
    ]
