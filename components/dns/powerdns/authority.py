"""PowerDNS on the stack's own name servers as an authority: what it refuses, and the entries of workloads. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...action import STACK, Action, Phase, Ref, Run
from ...config.own_names import WORKLOAD
from ...errors import Fault
from ...exposure import Endpoint, Reach
from .. import plain
from ..zone import SHARE, RRset, faults, issuers, sets
from . import rows
from .judge import SILENT_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pulumi

    from ...exposure import Exposure
    from ...needs import Needs
    from ...topology import Line, NameServer, OwnServers, Site, Topology, WorkloadPlan, ZonePlan
    from ..zone import Member
    from .records import Zone

#: Placeholders for endpoints that are not known yet (RFC 5737, RFC 6761).
_ADDRESS, _NAME = Endpoint(addresses=("192.0.2.1",)), Endpoint(name="name.invalid")


@dataclass(frozen=True)
class PowerDns:
    """Own name servers as an authority: no company can switch them off."""

    name: str = "powerdns"
    company: str | None = None

    def refuses(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Fault]:
        """Refuse an apex that leads to a name."""
        named = any(site.exposure.reach is not Reach.ADDRESS for site in plan.everywhere)
        if named and zone.name in (name.host for name in plan.names):
            yield Fault(
                "host" if plan.host == zone.name else "redirect_from",
                f"{zone.name} is the zone's apex, where no CNAME may stand, and a site of this workload is reached by "
                "a name; choose a name below the apex, or sites with addresses of their own",
            )

    def refuses_zone(self, plans: Sequence[WorkloadPlan], zone: ZonePlan) -> Iterator[Fault]:
        """Refuse records that no zone may hold, among the stack's names and those of `zone.yaml`."""
        found = [*_others(plans), *(each for plan in plans for each in sets(plan, zone))]
        wrong = list(faults(found, zone.name))
        if not wrong:
            places = {site.name: _somewhere(site) for plan in plans for site in plan.sites}
            wrong = list(faults(plain.together(rows.records(found, places)), zone.name))
        yield from wrong

    def notes(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[str]:
        """Return how the servers' answers differ from the stack file, and which visitors move together."""
        found = list(sets(plan, zone))
        yield from rows.losses(found)
        if plan.weights and not any("look-ups are not shared" in loss for loss in rows.losses(found)):
            yield (
                "own name servers give one resolver one answer at a time, so a large public resolver moves as one, and "
                "a share of look-ups is no share of visitors"
            )

    def answer_ttl(self, exposure: Exposure, ttl: int) -> int:  # noqa: ARG002 the same for every site
        """Return how many seconds resolvers keep an answer."""
        return ttl

    def detection_s(self) -> int:
        """Return how many seconds a site is silent before the keepers lead its names away."""
        return SILENT_S

    def needs(self, topology: Topology) -> Needs:
        """Return a check of the key that is handed over."""
        from . import needs

        return needs.of(topology)

    def zones(self) -> list[str]:
        """Return none: the stack file alone names the zone."""
        return []

    def bill(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Line]:  # noqa: ARG002 the servers are a workload
        """Return nothing: the servers are a workload, which has a bill of its own."""
        yield from ()

    def actions(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Action]:
        """Return the actions that publish CAA, each site's own name, and the members of every name.

        The entries of other workloads wait until the servers answer.
        """
        if zone.own is None:
            return
        entries = _entries(self.name, plan, zone, zone.own)
        if plan.name == WORKLOAD:
            servers = {server.site: server for server in zone.own.servers}
            yield from (_with_server(each, servers) for each in entries)
            yield from (_serves(server, zone, zone.own) for server in zone.own.servers)
            yield _plain(self.name, plan, zone, zone.own)
            return
        after = tuple(f"{server.site}-probe" for server in zone.own.servers)
        yield from (dataclasses.replace(each, after=after) for each in entries)

    def current(self, handle: Mapping[str, Any], host: str) -> list[str]:
        """Return where a host's records lead now, in the zone that the stores hold."""
        from .state import places

        return places(handle, host)

    def zone(self, zone: ZonePlan, opts: pulumi.InvokeOptions) -> Zone:
        """Return the zone in a deployment."""
        from .records import Zone

        return Zone.of(self.name, zone, opts)


def given(zone: ZonePlan, own: OwnServers, key: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of the action that publishes an entry as `key`."""
    stores = {name: store.model_dump(exclude_none=True) for name, store in sorted(own.stores.items())}
    return {"zone": zone.name, "folder": own.folder, "stores": stores, "stack": STACK, "key": key, "entry": dict(entry)}


def _somewhere(site: Site) -> Endpoint:
    return _ADDRESS if site.exposure.reach is Reach.ADDRESS else _NAME


def _others(plans: Sequence[WorkloadPlan]) -> list[RRset]:
    """Return the records of `zone.yaml`, which are not the stack's."""
    found = next((plan.release.data for plan in plans if plan.name == WORKLOAD), None)
    return [RRset(each["host"], each["type"], each["ttl"], tuple(each["values"])) for each in found or ()]


def _entries(name: str, plan: WorkloadPlan, zone: ZonePlan, own: OwnServers) -> Iterator[Action]:
    found = list(sets(plan, zone))
    public = {each.host for each in plan.names}
    by_name = plain.by_name(found)
    for caa in (each for each in found if each.type == "CAA" and each.host in public):
        waits = ", once no site of it is reached by a name" if (caa.host, caa.type) in by_name else ""
        detail = f"certificates by {' and '.join(issuers(caa))}{waits}"
        key, entry = f"{name}:{caa.host}-caa", {"sets": [_set(caa)]}
        yield _action(key, Phase.PREPARE, "allow", caa.host, given(zone, own, key, entry), None, detail)
    for site in plan.sites:
        of_site = [each for each in found if each.host == site.site_host]
        key, detail = f"{name}:{site.name}-host", f"at own name servers, to {site.name}, ttl {zone.ttl} s"
        entry = _entry(of_site, site)
        yield _action(key, Phase.REACH, "publish", site.site_host, given(zone, own, key, entry), site, detail)
    for rrset in found:
        for member in rrset.members if rrset.host in public else ():
            key, shared = f"{name}:{rrset.host}/{member.role}", rows.balanced(rrset)
            what = f"{member.weight} of 100 look-ups" if shared else str(member.role)
            detail = f"at own name servers, {what}, ttl {rrset.ttl} s, to {member.site.name}"
            entry = _entry([dataclasses.replace(rrset, members=(member,))], member.site)
            verb = SHARE if shared else "route"
            yield _action(key, Phase.ROUTE, verb, rrset.host, given(zone, own, key, entry), member.site, detail)


def _action(
    key: str, phase: Phase, verb: str, subject: str, what: dict[str, Any], site: Site | None, detail: str
) -> Action:
    does = Run("zone-entry", what, removes=True)
    return Action(key, phase, verb, subject, does, site=site.name if site else None, detail=detail)


def _set(rrset: RRset) -> dict[str, Any]:
    return {"host": rrset.host, "type": str(rrset.type), "ttl": rrset.ttl, "values": list(rrset.values)}


def _entry(found: Iterable[RRset], site: Site) -> dict[str, Any]:
    """Return the sets of a site, and its endpoint."""
    parts: dict[str, Any] = {"sets": [], "members": [], "at": Ref(site.name, "at")}
    for rrset in found:
        if rrset.members:
            parts["members"] += [_member(rrset, member) for member in rrset.members]
        else:
            parts["sets"].append(_set(rrset))
    return parts


def _member(rrset: RRset, member: Member) -> dict[str, Any]:
    site = member.site
    known = {"host": rrset.host, "ttl": rrset.ttl, "site": site.name, "reach": str(site.exposure.reach)}
    if member.role is None or member.probe is None:
        return known
    shared = {} if member.weight is None else {"weight": member.weight}
    return known | shared | {"role": str(member.role), "probe": dataclasses.asdict(member.probe)}


def _with_server(action: Action, servers: Mapping[str, NameServer]) -> Action:
    """Return the action that also makes a server one of the zone's name servers, if it publishes the server's name."""
    does = action.does
    server = servers.get(action.site or "")
    if not isinstance(does, Run) or server is None:
        return action
    entry = does.given["entry"] | {"server": server.host}
    return dataclasses.replace(action, does=dataclasses.replace(does, given={**does.given, "entry": entry}))


def _serves(server: NameServer, zone: ZonePlan, own: OwnServers) -> Action:
    what = given(zone, own, server.site, {}) | {"at": Ref(server.site, "at"), "ds": _ds(zone)}
    return Action(
        f"{server.site}-serves",
        Phase.CHECK,
        "ask",
        server.host,
        Run("zone-serves", what),
        site=server.site,
        detail=f"{zone.name}, signed, over UDP and TCP at its address",
        before=(f"{server.site}-probe",),
    )


def _ds(zone: ZonePlan) -> list[str]:
    return list(zone.delegation.ds) if zone.delegation else []


def _plain(name: str, plan: WorkloadPlan, zone: ZonePlan, own: OwnServers) -> Action:
    """Return the action that publishes the records of `zone.yaml`, the zone's keys, and other authorities' servers."""
    found = plan.release.data or []
    named = zone.delegation.name_servers if zone.delegation and len(zone.authorities) > 1 else ()
    hosts = {server.host for server in own.servers}
    also = [server for server in named if server not in hosts]
    key = f"{name}:records"
    detail = f"{len(found)} sets of zone.yaml" + (f"; NS set with {', '.join(also)}" if also else "")
    keys = {"keys": _ds(zone)} if _ds(zone) else {}
    what = given(zone, own, key, {"sets": list(found), "also": also, **keys})
    return _action(key, Phase.CONFIRM, "publish", zone.name, what, None, detail)
