"""Route 53 as an authority: what it refuses, what it costs, and the entries of a workload. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...action import Action, Entry, Phase, Ref, Run, zone_at
from ...errors import Fault
from ...exposure import Reach
from ...prices import book as prices
from ...topology import Line, Role
from ..zone import SHARE, RecordType, allows, issuers, record_type, sets
from . import taking

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import pulumi

    from ...authority import Survey
    from ...exposure import Exposure
    from ...needs import Needs
    from ...topology import Site, Topology, WorkloadPlan, ZonePlan
    from ..zone import Member, RRset
    from .records import Zone

#: Seconds between two requests of one checker, and how many in a row decide (Route 53: 10 or 30; 1 to 10).
CHECK_INTERVAL, CHECK_THRESHOLD = 10, 3


def split_host(host: str) -> str:
    """Return the name of a host's weighted set; no host of a stack begins with an underscore."""
    return f"_split.{host}"


def _caa_faults(plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Fault]:
    """Return faults of CAA records that forbid the certificate of an adopted name, and of those at the apex."""
    for record in plan.adopt:
        if record.type != "CAA":
            continue
        host = record.at or plan.host
        if host == zone.name:
            yield Fault("adopt", "CAA records of the zone's apex are the whole zone's and left alone; take them out")
            continue
        needed = plan.primary.exposure.issuer
        if needed and not allows(record.values, needed):
            yield Fault(
                "adopt",
                f"the CAA record at {host} does not let {needed} sign, whose certificate "
                f'{plan.primary.name} needs before the change; add the value 0 issue "{needed}" to it, in the '
                "zone and here",
            )


@dataclass(frozen=True)
class Route53:
    """Route 53 as an authority.

    `alias_ttl` is the number of seconds that resolvers keep an alias that leads to CloudFront: the record itself has no
    TTL, and Route 53 answers with the target's (Route 53 developer guide, "Choosing between alias and non-alias
    records").
    """

    name: str = "route53"
    company: str = "AWS"
    alias_ttl: int = 60

    def refuses(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Fault]:
        """Return faults: a CNAME set at the apex, an address in a CNAME set, CAA records that hinder an adoption."""
        yield from _caa_faults(plan, zone)
        if record_type(plan) is RecordType.A:
            return
        if zone.name in (name.host for name in plan.names):
            yield Fault(
                "host" if plan.host == zone.name else "redirect_from",
                f"{zone.name} is the zone's apex, where no CNAME may stand, and a site of this workload is reached by "
                "a name; choose a name below the apex, or an ingress with an address of its own",
            )
        if any(site.exposure.reach is Reach.ADDRESS for site in plan.everywhere):
            yield Fault(
                "placement",
                "one site is reached by an address and another by a name, and all members of a failover set share one "
                "record type; choose ingresses of one kind",
            )

    def notes(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[str]:
        """Return notes on visitors that move together where look-ups are shared, and on the CAA records of an apex.

        Records of the apex are left alone.
        """
        if all(plan.weights.get(site.name) for site in plan.sites):
            yield (
                "both sites answer: Route 53 chooses for each look-up, and all who ask through one resolver follow its "
                "answer until it ends, so a share of look-ups is no share of visitors"
            )
        allowed = sorted({site.exposure.issuer for site in plan.everywhere if site.exposure.issuer})
        if zone.name in (name.host for name in plan.names) and allowed:
            yield (
                f"{zone.name} is the zone's apex, whose CAA records are the whole zone's and left alone; if there are "
                f"any, they must allow {' and '.join(allowed)}"
            )

    def answer_ttl(self, exposure: Exposure, ttl: int) -> int:
        """Return the time in seconds that resolvers keep an answer."""
        return self.alias_ttl if exposure.reach is Reach.ALIAS else ttl

    def detection_s(self) -> int:
        """Return the time in seconds after which health checks take a silent site out."""
        return CHECK_INTERVAL * CHECK_THRESHOLD

    def needs(self, topology: Topology) -> Needs:
        """Return the checks of zone and records, and the rights to change them."""
        from . import needs

        return needs.of(topology)

    def bill(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Line]:  # noqa: ARG002 the interface's
        """Return the price of each site's health check."""
        for site in plan.sites if plan.names else ():
            alias = site.exposure.reach is Reach.ALIAS
            price = prices.health_check(aws_endpoint=alias, scheme=site.scheme)
            where = "AWS endpoint" if alias else "endpoint outside AWS"
            what = f"{site.name}: health check ({where}, {', '.join(price.options)})"
            yield Line(what, price.usd_month, "aws.route53_health_check_month", site=site.name)

    def actions(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Action]:
        """Return the entries: CAA, each site's own name, its health check, and the members of every name.

        One check judges a site for all names that lead to it.
        """
        watched: set[str] = set()
        for name in plan.names:
            yield taking.leave(plan, zone, name.host, zone_at(self.name))
        for rrset in sets(plan, zone):
            if rrset.type == "CAA":
                yield self._caa(rrset, plan)
                continue
            for member in rrset.members:
                if not member.role:
                    yield from self._host(rrset, member.site)
                    continue
                more = {}
                if plan.stood(rrset.host):
                    yield taking.take(plan, zone, rrset.host, member, self._place(rrset, member), zone_at(self.name))
                    more = {"adopted": True}
                yield from self._routes(rrset, member, more, watch=member.site.name not in watched)
                watched.add(member.site.name)

    def _host(self, rrset: RRset, site: Site) -> Iterator[Action]:
        answer = self._answer(rrset, site)
        yield self._entry(
            f"{site.name}-host",
            Phase.REACH,
            "publish",
            rrset.host,
            answer | {"entry": "host", "name": rrset.host},
            site,
            f"{rrset.type} to {site.name}, ttl {answer['ttl']} s",
        )

    def _routes(self, rrset: RRset, member: Member, more: Mapping[str, Any], *, watch: bool) -> Iterator[Action]:
        site, probe, answer = member.site, member.probe, self._answer(rrset, member.site)
        record = f"{rrset.host}/{member.role}"
        # After an exchange the standby's record leads to the former primary until it is deleted, so it is deleted
        # first.
        first = next(each.site.name for each in rrset.members if each.role is Role.PRIMARY)
        after = [] if member.role is Role.PRIMARY else [Ref(f"{first}-health", "id"), Ref(f"{first}-drain", "id")]
        shared = member.weight is not None
        if member.role is Role.PRIMARY and not shared:
            yield self._exchange(rrset.host, site, before=record)
        if probe and watch:
            yield self._entry(
                f"{site.name}-health",
                Phase.ROUTE,
                "watch",
                site.name,
                {
                    "entry": "health",
                    "scheme": probe.scheme,
                    "host": probe.host,
                    "by_address": probe.by_address,
                    "mark": probe.mark,
                    "at": Ref(site.name, "at"),
                },
                site,
                f"{probe.scheme.upper()} {probe.host}, every {CHECK_INTERVAL} s, {CHECK_THRESHOLD} failures",
            )
        if shared:
            yield self._share(rrset, member)
        if shared and member.role is Role.PRIMARY:
            yield self._through(rrset, site, record, more)
            return
        yield self._entry(
            record,
            Phase.ROUTE,
            "route",
            rrset.host,
            answer
            | {
                "entry": "member",
                "name": rrset.host,
                "role": str(member.role),
                "check": Ref(f"{site.name}-health", "id"),
            }
            | ({"after": after} if after else {})
            | dict(more),
            site,
            f"{member.role} {rrset.type}, ttl {answer['ttl']} s, to {site.name}",
        )

    def _share(self, rrset: RRset, member: Member) -> Action:
        """Return the entry that answers a share of a name's look-ups, in a weighted set of its own.

        One name has one routing policy, so the failover set stays where it is and leads to this one. An alias that
        leads to CloudFront has to have an alternate name of the distribution, so it goes through the site's own name.
        """
        site, answer = member.site, self._answer(rrset, member.site)
        through = {"through": site.site_host} if answer["alias"] else {}
        action = self._entry(
            f"{rrset.host}/split/{site.name}",
            Phase.ROUTE,
            SHARE,
            rrset.host,
            answer
            | through
            | {
                "entry": "share",
                "name": split_host(rrset.host),
                "weight": member.weight,
                "site": site.name,
                "check": Ref(f"{site.name}-health", "id"),
            },
            site,
            f"{member.weight} of 100 look-ups to {site.name}",
        )
        return dataclasses.replace(action, after=(f"{site.name}-host",))

    def _through(self, rrset: RRset, site: Site, record: str, more: Mapping[str, Any]) -> Action:
        """Return the entry by which the primary's place of a failover set leads to shares; the standby's stays.

        It waits only for the primary's own share: the standby's follows once that site was probed.
        """
        action = self._entry(
            record,
            Phase.ROUTE,
            "route",
            rrset.host,
            {
                "entry": "member",
                "type": str(rrset.type),
                "name": rrset.host,
                "role": str(Role.PRIMARY),
                "through": split_host(rrset.host),
                **more,
            },
            site,
            f"{Role.PRIMARY} {rrset.type}, to the shares of its sites",
        )
        return dataclasses.replace(action, after=(f"{rrset.host}/split/{site.name}",))

    def _exchange(self, host: str, site: Site, *, before: str) -> Action:
        """Return the step that exchanges the members in one change, if the new primary is the present standby."""
        given = {"zone": zone_at(self.name), "host": host, "at": Ref(site.name, "at")}
        return Action(
            f"{host}-exchange",
            Phase.ROUTE,
            "exchange",
            host,
            Run("exchange", given),
            site=site.name,
            detail=f"if the standby leads to {site.name} now, both members change places at once",
            before=(before,),
        )

    def _place(self, rrset: RRset, member: Member) -> dict[str, Any]:
        """Return the inputs of a member's record for the programs of adoption."""
        if member.weight is not None and member.role is Role.PRIMARY:
            return {"type": str(rrset.type), "through": split_host(rrset.host)}
        answer = {key: value for key, value in self._answer(rrset, member.site).items() if key != "endpoint"}
        where = {output: Ref(member.site.name, output) for output in ("at", "zone")}
        return answer | where | {"check": Ref(f"{member.site.name}-health", "id")}

    def _answer(self, rrset: RRset, site: Site) -> dict[str, Any]:
        """Return the answer of a record; in a CNAME set a vendor's name is an ordinary one, with the zone's TTL."""
        alias = site.exposure.reach is Reach.ALIAS and rrset.type == RecordType.A
        return {
            "type": str(rrset.type),
            "alias": alias,
            "ttl": self.answer_ttl(site.exposure, rrset.ttl) if alias else rrset.ttl,
            "endpoint": Ref(site.name, "endpoint"),
        }

    def _caa(self, rrset: RRset, plan: WorkloadPlan) -> Action:
        """Return the entries of CAA records, each of which comes before its name leads anywhere.

        Ours cannot stand at the name of another party's CNAME, so at an adopted host they come with the change.
        """
        site = next((site.name for site in plan.sites if site.site_host == rrset.host), None)
        adopted = bool(plan.stood(rrset.host))
        what = {"entry": "caa", "name": rrset.host, "ttl": rrset.ttl, "values": list(rrset.values)}
        return Action(
            f"{site}-caa" if site else f"{rrset.host}-caa",
            Phase.REACH if site else Phase.ROUTE if adopted else Phase.PREPARE,
            "allow",
            rrset.host,
            Entry(self.name, what | ({"adopted": True} if adopted else {})),
            site=site or (plan.primary.name if adopted else None),
            detail=f"certificates by {' and '.join(issuers(rrset))}",
            before=(f"{site}-host",) if site else (),
        )

    def _entry(
        self, resource: str, phase: Phase, verb: str, subject: str, what: dict[str, Any], site: Site, detail: str
    ) -> Action:
        return Action(resource, phase, verb, subject, Entry(self.name, what), site=site.name, detail=detail)

    def zones(self) -> list[str]:
        """Ask Route 53 for the public zones of the account."""
        from .needs import public_zones

        return public_zones()

    def current(self, handle: Mapping[str, Any], host: str) -> list[str]:
        """Ask Route 53 where a host's records lead now."""
        from .current import places

        return places(handle["zone_id"], host)

    def leading(self, places: Collection[str], hosts: Collection[str]) -> list[str] | None:
        """Ask Route 53 which records lead to one of some addresses and names."""
        from .current import leading

        return leading(places, hosts)

    def survey(self, plan: WorkloadPlan, zone: ZonePlan) -> Survey:
        """Ask Route 53 and CloudFront what stands at a workload's public names before an update."""
        from .survey import survey

        return survey(plan, zone)

    def give_back(self, plan: WorkloadPlan, zone: ZonePlan, report: Callable[[str], None]) -> bool:
        """Put back what stood at adopted names, in one change each."""
        from . import adopt, standing

        with adopt.asking(str(plan.host)):
            route53 = standing.client()
            handle = {"zone_id": standing.zone_id(route53, zone)}
        names = [name.host for name in plan.names if plan.stood(name.host)]
        given = [taking.stood(plan, zone, name, handle) for name in names]
        changed = [adopt.give_back(each, report, route53) for each in given]
        return any(changed)

    def zone(self, zone: ZonePlan, opts: pulumi.InvokeOptions) -> Zone:
        """Return the hosted zone in a deployment."""
        from .records import Zone

        return Zone.of(self.name, zone, opts)


#: Route 53's words for our roles; they also identify a member of the set for life.
ROLES: Mapping[Role, str] = {Role.PRIMARY: "PRIMARY", Role.STANDBY: "SECONDARY"}
