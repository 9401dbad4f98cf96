"""The stack's own name servers in a plan: their sites, what is refused, and the paths of their faults."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ..authority import OnServers
from ..config.models import Mode
from ..config.own_names import WORKLOAD
from ..errors import Fault
from ..topology import NameServer, OwnServers, identity
from . import slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..config.models import StackConfig
    from ..registry import Registry
    from ..release import Release
    from ..topology import ZonePlan

#: The least number of vendors whose stores hold the zone, so that it survives the loss of one.
_VENDORS = 2


def own(stack: StackConfig, registry: Registry, release: Release | None) -> OwnServers | None:
    """Return the name servers of a stack. `release` is their workload's, None while it is unknown."""
    workload = stack.workloads.get(WORKLOAD)
    if stack.dns.servers is None or workload is None:
        return None
    placement = slots.filled(workload.placement, registry)
    named = tuple(
        NameServer(
            slots.site_name(WORKLOAD, placement, slot),
            slots.target(placement, slot),
            slots.site_host(stack, WORKLOAD, placement, slot),
        )
        for slot in slots.everywhere(placement)
    )
    records = json.dumps(release.data, sort_keys=True) if release and release.data else ""
    digest = hashlib.sha256(records.encode()).hexdigest() if records else ""
    return OwnServers(named, dict(stack.stores), f"{identity(WORKLOAD, stack.label)}/zone", digest)


def are(stack: StackConfig, workload: str) -> bool:
    """Return whether a workload is that of the stack's own name servers."""
    return workload == WORKLOAD and stack.dns.servers is not None


def faults(stack: StackConfig, registry: Registry, names: Sequence[str]) -> Iterator[Fault]:
    """Return the faults of the zone's authorities, servers and stores; `names` are the known authorities."""
    authorities = [registry.authorities[name] for name in names]
    ours = [each.name for each in authorities if isinstance(each, OnServers)]
    if ours and stack.dns.servers is None:
        why = f"is required with {ours[0]}; name the targets of the name servers, as `placement: [akash, akash]`"
        yield Fault("dns.servers", why)
    if stack.dns.servers and not ours:
        can = ", ".join(each.name for each in registry.authorities.values() if isinstance(each, OnServers))
        why = f"none of them answers from the servers of dns.servers; add {can}, or take the servers out"
        yield Fault("dns.authorities", why)
    if ours and stack.dns.delegation is None:
        why = f"is required with {ours[0]}; name the registrar, and the name servers that the parent names now"
        yield Fault("dns.delegation", why)
    vendors = {store.vendor for store in stack.stores.values()}
    if ours and len(vendors) < _VENDORS:
        why = f"name servers take the zone from the stores of two vendors, and there is {_count(len(vendors))}; add one"
        yield Fault("stores", why)
    companies = {each.company for each in authorities}
    anywhere = any(workload.mode is Mode.DECENTRALIZED for workload in stack.workloads.values())
    if len(authorities) > 1 and len(companies) == 1 and None not in companies and anywhere:
        company = next(iter(companies))
        why = f"all belong to {company}, which alone could end every name of a decentralized stack; name one of another"
        yield Fault("dns.authorities", why)


def companies(zone: ZonePlan, registry: Registry) -> list[str | None]:
    """Return the companies that can switch the zone off, without authorities to which the parent does not lead yet."""
    named = zone.delegation.name_servers if zone.delegation else ()
    idle = zone.own is not None and not {server.host for server in zone.own.servers}.intersection(named)
    known = [registry.authorities[name] for name in zone.authorities]
    asked = [each for each in known if not (idle and isinstance(each, OnServers))]
    return [each.company for each in asked or known]


def _count(number: int) -> str:
    return "one" if number else "none"


def as_written(found: Iterable[Fault]) -> list[Fault]:
    """Return faults with the paths of the stack file, where `dns.servers` stands for the servers' workload."""
    return [Fault(_written(fault.path), fault.message) for fault in found]


def _written(path: str) -> str:
    inside = f"workloads.{WORKLOAD}."
    if not path.startswith(inside):
        return path
    rest = path.removeprefix(inside)
    if rest.startswith("options.stacks/"):
        return rest.removeprefix("options.")
    rest = rest.removeprefix("options.").replace("placement.decentralized[", "placement[")
    return f"dns.servers.{rest}"
