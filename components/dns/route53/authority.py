"""Route 53 as an authority: what it refuses, what it costs, and the entries of a workload. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ...action import Action, Entry, Phase, Ref, Run, zone_at
from ...errors import Fault
from ...exposure import Exposure, Proof, Reach
from ...prices import book as prices
from ...topology import Line, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pulumi

    from ...topology import Name, Site, WorkloadPlan, ZonePlan
    from .records import Zone

#: Seconds between two requests of one checker, and how many in a row decide (Route 53: 10 or 30; 1 to 10).
CHECK_INTERVAL, CHECK_THRESHOLD = 10, 3
#: Seconds for which resolvers of certificate authorities keep CAA records.
CAA_TTL = 300


class RecordType(StrEnum):
    """The one type that all members of a failover set share."""

    A = "A"
    CNAME = "CNAME"


def record_type(plan: WorkloadPlan) -> RecordType:
    """Return the type of a set, from every site that the placement can ever have, so that no flip changes it.

    An alias fits both: in an A set it is an alias, in a CNAME set it is the vendor's name itself.
    """
    names = any(site.exposure.reach is Reach.NAME for site in plan.everywhere)
    return RecordType.CNAME if names else RecordType.A


def issuers(sites: Iterable[Site]) -> list[str]:
    """Return the issuers of the sites' certificates, as values of CAA records, sorted.

    Where a site proves names by HTTP-01 the issuer is held to that method (RFC 8657 §4), so that an account of somebody
    who can write records elsewhere is of no use.
    """
    return sorted({_allowed(site.exposure) for site in sites if site.exposure.issuer})


def _allowed(exposure: Exposure) -> str:
    by_http = exposure.proof in {Proof.PASSED_ON, Proof.HOST_ONLY}
    return f"{exposure.issuer}; validationmethods=http-01" if by_http else str(exposure.issuer)


@dataclass(frozen=True)
class Route53:
    """Route 53 as an authority.

    `alias_ttl` is how many seconds resolvers keep an alias that leads to CloudFront: the record itself has no TTL, and
    Route 53 answers with the target's (Route 53 developer guide, "Choosing between alias and non-alias records").
    """

    name: str = "route53"
    company: str = "AWS"
    alias_ttl: int = 60

    def refuses(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Fault]:
        """Refuse a CNAME set at the apex, and an address in a CNAME set."""
        if record_type(plan) is RecordType.A:
            return
        if plan.host == zone.name:
            yield Fault(
                "host",
                f"{plan.host} is the zone's apex, where no CNAME may stand, and a site of this workload is reached by "
                "a name; choose a name below the apex, or an ingress with an address of its own",
            )
        if any(site.exposure.reach is Reach.ADDRESS for site in plan.everywhere):
            yield Fault(
                "placement",
                "one site is reached by an address and another by a name, and all members of a failover set share one "
                "record type; choose ingresses of one kind",
            )

    def notes(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[str]:
        """Name the issuers that the CAA records of an apex must allow, because those are left alone."""
        allowed = sorted({site.exposure.issuer for site in plan.everywhere if site.exposure.issuer})
        if plan.host == zone.name and allowed:
            yield (
                f"{plan.host} is the zone's apex, whose CAA records are the whole zone's and left alone; if there are "
                f"any, they must allow {' and '.join(allowed)}"
            )

    def answer_ttl(self, exposure: Exposure, ttl: int) -> int:
        """Return for how many seconds resolvers keep an answer."""
        return self.alias_ttl if exposure.reach is Reach.ALIAS else ttl

    def detection_s(self) -> int:
        """Return after how many seconds health checks take a silent site out."""
        return CHECK_INTERVAL * CHECK_THRESHOLD

    def bill(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Line]:  # noqa: ARG002 the interface's
        """Return the price of each site's health check."""
        for site in plan.sites if plan.names else ():
            alias = site.exposure.reach is Reach.ALIAS
            price = prices.health_check(aws_endpoint=alias, scheme=site.scheme)
            where = "AWS endpoint" if alias else "endpoint outside AWS"
            what = f"{site.name}: health check ({where}, {', '.join(price.options)})"
            yield Line(what, price.usd_month, "aws.route53_health_check_month", site=site.name)

    def actions(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Action]:
        """Return the entries: CAA, the site's own name, its health check, and one member of each name."""
        type_ = record_type(plan)
        if type_ is RecordType.A and plan.host and plan.host != zone.name and issuers(plan.everywhere):
            yield self._caa(f"{plan.host}-caa", plan.host, issuers(plan.everywhere), Phase.PREPARE)
        for site in plan.sites:
            if type_ is RecordType.A and site.exposure.issuer:
                yield self._caa(
                    f"{site.name}-caa",
                    site.site_host,
                    issuers([site]),
                    Phase.REACH,
                    before=f"{site.name}-host",
                    site=site,
                )
            yield self._entry(
                f"{site.name}-host",
                Phase.REACH,
                "publish",
                site.site_host,
                self._answer(site, type_, zone) | {"entry": "host", "name": site.site_host},
                site,
                f"{type_} to {site.name}, ttl {self._answer(site, type_, zone)['ttl']} s",
            )
            for name in plan.names:
                yield from self._routes(plan, name, site, type_, zone)

    def _routes(
        self, plan: WorkloadPlan, name: Name, site: Site, type_: RecordType, zone: ZonePlan
    ) -> Iterator[Action]:
        if site.name not in {member.site for member in name.members}:
            return
        role, member = plan.roles[site.name], f"{name.host}/{plan.roles[site.name]}"
        if role is Role.PRIMARY:
            yield self._exchange(name, site, before=member)
        yield self._entry(
            f"{site.name}-health",
            Phase.ROUTE,
            "watch",
            site.name,
            {
                "entry": "health",
                "scheme": site.scheme,
                "host": site.site_host,
                "by_address": site.exposure.reach is Reach.ADDRESS,
                "at": Ref(site.name, "at"),
            },
            site,
            f"{site.scheme.upper()} {site.site_host}, every {CHECK_INTERVAL} s, {CHECK_THRESHOLD} failures",
        )
        yield self._entry(
            member,
            Phase.ROUTE,
            "route",
            name.host,
            self._answer(site, type_, zone)
            | {"entry": "member", "name": name.host, "role": str(role), "check": Ref(f"{site.name}-health", "id")},
            site,
            f"{role} {type_}, ttl {self._answer(site, type_, zone)['ttl']} s, to {site.name}",
        )

    def _exchange(self, name: Name, site: Site, *, before: str) -> Action:
        """Let the members change places in one change, if what becomes primary is the standby now."""
        given = {"zone": zone_at(self.name), "host": name.host, "at": Ref(site.name, "at")}
        return Action(
            f"{name.host}-exchange",
            Phase.ROUTE,
            "exchange",
            name.host,
            Run("exchange", given),
            site=site.name,
            detail=f"if the standby leads to {site.name} now, both members change places at once",
            before=(before,),
        )

    def _answer(self, site: Site, type_: RecordType, zone: ZonePlan) -> dict[str, Any]:
        """Return what a record answers; in a CNAME set a vendor's name is one like others, with the zone's TTL."""
        alias = site.exposure.reach is Reach.ALIAS and type_ is RecordType.A
        return {
            "type": str(type_),
            "alias": alias,
            "ttl": self.answer_ttl(site.exposure, zone.ttl) if alias else zone.ttl,
            "endpoint": Ref(site.name, "endpoint"),
        }

    def _caa(
        self, resource: str, name: str, allowed: list[str], phase: Phase, *, before: str = "", site: Site | None = None
    ) -> Action:
        """Name who may sign certificates for a name, and refuse wildcards below it.

        Only names of ours get such a record, never the zone's apex: a name's own record counts and those above it do
        not (RFC 8659 §3), so what the zone has keeps its meaning.
        """
        return Action(
            resource,
            phase,
            "allow",
            name,
            Entry(self.name, {"entry": "caa", "name": name, "issuers": allowed}),
            site=site.name if site else None,
            detail=f"certificates by {' and '.join(issuer.partition(';')[0] for issuer in allowed)}",
            before=(before,) if before else (),
        )

    def _entry(
        self, resource: str, phase: Phase, verb: str, subject: str, what: dict[str, Any], site: Site, detail: str
    ) -> Action:
        return Action(resource, phase, verb, subject, Entry(self.name, what), site=site.name, detail=detail)

    def current(self, handle: Mapping[str, Any], host: str) -> list[str]:
        """Ask Route 53 where a host's records lead now."""
        from .current import places

        return places(handle["zone_id"], host)

    def zone(self, zone: ZonePlan, opts: pulumi.InvokeOptions) -> Zone:
        """Return the hosted zone in a deployment."""
        from .records import Zone

        return Zone.of(self.name, zone, opts)


#: Words for our roles; they also identify a member of the set for life.
ROLES: Mapping[Role, str] = {Role.PRIMARY: "PRIMARY", Role.STANDBY: "SECONDARY"}
