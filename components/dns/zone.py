"""The zone of a stack as one list of record sets, which each authority renders in its own way. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ..errors import Fault
from ..exposure import Proof, Reach
from ..web import http

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..topology import Role, Site, Topology, WorkloadPlan, ZonePlan

#: Seconds for which resolvers of certificate authorities keep CAA records.
CAA_TTL = 300
#: The verb of an action that leads a share of a name's look-ups to a site.
SHARE = "share"


class RecordType(StrEnum):
    """The one type that all members of a set share, at an authority that follows a vendor's names by itself."""

    A = "A"
    CNAME = "CNAME"


@dataclass(frozen=True)
class Probe:
    """How a member is judged: a request for `path`, with `host` for SNI and Host; the answer must contain `mark`.

    With `by_address` the machine behind the record is asked at its own address, else by the name `host`.
    """

    scheme: str
    host: str
    by_address: bool
    mark: str
    path: str = http.HEALTH_PATH


@dataclass(frozen=True)
class Member:
    """A site that a set leads to. In the set of a public name it has a role and a probe.

    `weight` is how many of 100 look-ups lead to it, None if the primary answers all of them.
    """

    site: Site
    role: Role | None = None
    probe: Probe | None = None
    weight: int | None = None


@dataclass(frozen=True)
class RRset:
    """The records of one host and type: `values` as zone files write them, or `members` in their place, primary first.

    `ttl` is in seconds. `workload` is the set's owner; the zone's plain records, which are not ours, have none.
    """

    host: str
    type: str
    ttl: int
    values: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    workload: str = ""


def zone(topology: Topology, plain: Iterable[RRset] = ()) -> list[RRset]:
    """Return every set of the zone: the plain records that are not ours, then those of each workload in its order."""
    return [*plain, *(each for plan in topology.workloads for each in sets(plan, topology.zone))]


def sets(plan: WorkloadPlan, zone: ZonePlan) -> Iterator[RRset]:
    """Yield the sets of one workload: the host's CAA, each site's own name, and the public names."""
    type_ = record_type(plan)
    # CAA may not stand where a CNAME does (RFC 1034 §3.6.2). The apex's CAA records belong to the whole zone.
    for host in [name.host for name in plan.names if type_ is RecordType.A and name.host != zone.name]:
        yield from _caa(plan, host, plan.everywhere)
    for site in plan.sites:
        if type_ is RecordType.A:
            yield from _caa(plan, site.site_host, [site])
        yield RRset(site.site_host, type_, zone.ttl, members=(Member(site),), workload=plan.name)
    for name in plan.names:
        members = tuple(_member(plan, plan.site(each.site), each.role) for each in name.members)
        yield RRset(name.host, type_, zone.ttl, members=members, workload=plan.name)


def record_type(plan: WorkloadPlan) -> RecordType:
    """Return the type of a set from every site that the placement can ever have, so that no flip changes it.

    An alias fits both: in an A set it is an alias, in a CNAME set it is the vendor's name itself.
    """
    names = any(site.exposure.reach is Reach.NAME for site in plan.everywhere)
    return RecordType.CNAME if names else RecordType.A


def _member(plan: WorkloadPlan, site: Site, role: Role) -> Member:
    probe = Probe(site.scheme, site.site_host, site.exposure.reach is Reach.ADDRESS, site.mark)
    return Member(site, role, probe, plan.weights.get(site.name))


def _caa(plan: WorkloadPlan, host: str, sites: Iterable[Site]) -> Iterator[RRset]:
    """Return the CAA set of a host, which also refuses wildcards below it.

    Only our names get such a set, never the zone's apex: a name's own records count and those above it do not (RFC 8659
    §3), so the zone's records keep their meaning.
    """
    allowed = sorted({_allowed(site) for site in sites if site.exposure.issuer})
    if allowed:
        values = (*(f'0 issue "{issuer}"' for issuer in allowed), '0 issuewild ";"')
        yield RRset(host, "CAA", CAA_TTL, values, workload=plan.name)


def _allowed(site: Site) -> str:
    """Return an issuer as CAA records name it.

    If a site proves names by HTTP-01, the issuer is held to that method (RFC 8657 §4), so that an account of a third
    party that can write records elsewhere is of no use.
    """
    by_http = site.exposure.proof in {Proof.PASSED_ON, Proof.HOST_ONLY}
    return f"{site.exposure.issuer}; validationmethods=http-01" if by_http else str(site.exposure.issuer)


def issuers(caa: RRset) -> list[str]:
    """Return the names of the issuers that a CAA set allows."""
    return [value.split('"')[1].partition(";")[0] for value in caa.values if value.startswith("0 issue ")]


#: Names by which a CAA record allows ACM (ACM user guide, "Configure a CAA record"): any of them is enough.
_AMAZON = frozenset(("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"))


def allows(values: Iterable[str], issuer: str) -> bool:
    """Return whether CAA records, as text, allow an issuer; ones without `issue` allow every one (RFC 8659 §4.2)."""
    words = [value.split(None, 2) for value in values]
    issue = [each[2] for each in words if len(each) == 3 and each[1].lower() == "issue"]
    named = {each.strip('"').partition(";")[0].strip().lower() for each in issue}
    return not named or bool(named & (_AMAZON if issuer in _AMAZON else {issuer}))


def faults(found: Sequence[RRset], zone: str) -> Iterator[Fault]:
    """Return faults of sets: names outside the zone, a host and type twice, a CNAME at the apex or with others."""
    types: dict[str, set[str]] = {}
    owners: dict[tuple[str, str], str] = {}
    for each in found:
        if each.host != zone and not each.host.endswith(f".{zone}"):
            yield Fault(each.host, f"is outside the zone {zone}; take it out")
        if (each.host, each.type) in owners:
            workload = owners[each.host, each.type] or each.workload
            whose = f"as a record of workload {workload!r} and as a plain record; take the plain record out"
            yield Fault(each.host, f"has {each.type} twice, {whose if workload else 'so join both sets to one'}")
        owners[each.host, each.type] = each.workload
        types.setdefault(each.host, set()).add(each.type)
    for host, there in types.items():
        if "CNAME" not in there:
            continue
        if host == zone:
            yield Fault(host, "is the zone's apex, where no CNAME may stand; give its addresses as A records")
        elif len(there) > 1:
            others = ", ".join(sorted(there - {"CNAME"}))
            yield Fault(host, f"has a CNAME and {others}; a CNAME stands alone (RFC 1034 §3.6.2), so keep one of them")
