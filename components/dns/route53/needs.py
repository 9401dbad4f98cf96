"""What an update needs of Route 53: a delegated zone, names that are free, CAA that lets issuers sign, and rights."""

from __future__ import annotations

import functools
import json
import threading
from typing import TYPE_CHECKING, Any

from ... import resolver
from ...exposure import Proof
from ...needs import Check, Finding, Grant, Needs, caution, not_ready, ready
from ...targets.aws import account
from ...targets.aws.account import client, rights
from ..zone import allows, sets
from . import standing
from .current import leads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...topology import Topology, WorkloadPlan, ZonePlan

#: Types of records at a host that conflict with a failover set and with our CAA records.
_LEADING = ("A", "AAAA", "CNAME", "HTTPS", "SVCB")
#: The most seconds for which resolvers should remember that a name is missing.
NEGATIVE_S = 60

READS = (
    "route53:GetChange",
    "route53:GetHealthCheck",
    "route53:GetHostedZone",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "route53:ListResourceRecordSets",
    "route53:ListTagsForResource",
)
_CHECK_WRITES = (
    "route53:ChangeTagsForResource",
    "route53:DeleteHealthCheck",
    "route53:UpdateHealthCheck",
)


def of(topology: Topology) -> Needs:
    """Return the checks of the zone and of every host, and the rights that a deployment uses."""
    seen = _Zone(topology.zone)
    checks = [
        Check("AWS identity", account.identity),
        Check("rights at Route 53", lambda: rights(grants(topology, seen.id))),
        Check("zone", seen.there, late=True),
        Check("delegation", seen.delegated, late=True),
        Check("negative answers", seen.negative),
    ]
    for plan in topology.workloads:
        names = [name.host for name in plan.names]
        checks += [Check(f"records of {name}", functools.partial(seen.free, plan, name)) for name in names]
        if plan.host:
            checks.append(Check(f"CAA of {plan.host}", functools.partial(permitted, plan, topology.zone)))
    return Needs(tuple(checks), grants(topology))


def grants(topology: Topology, zone_id: str = "") -> tuple[Grant, ...]:
    """Return the rights: reads, changes of our names' records alone, and health checks, which have no names.

    The condition is that of the service authorization reference of Route 53.
    """
    hosts = {host for plan in topology.workloads for site in plan.everywhere for host in site.hosts}
    names = tuple(sorted({name for host in hosts for name in (host, f"_*.{host}")}))
    zone = f"arn:aws:route53:::hostedzone/{zone_id or topology.zone.id or '*'}"
    only = {"ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names}}
    return (
        Grant("ReadZones", READS),
        Grant("WriteOurRecords", ("route53:ChangeResourceRecordSets",), (zone,), writes=True, conditions=only),
        # A new check has no name yet, so this right is on everything or nothing.
        Grant("MakeHealthChecks", ("route53:CreateHealthCheck",), writes=True),
        Grant("WriteHealthChecks", _CHECK_WRITES, ("arn:aws:route53:::healthcheck/*",), writes=True),
    )


def public_zones() -> list[str]:
    """Return the names of the account's public zones, sorted. Raises what boto3 raises."""
    return sorted({zone["Name"].rstrip(".") for zone in _public()})


def _public() -> list[dict[str, Any]]:
    pages = client("route53").get_paginator("list_hosted_zones").paginate()
    return [zone for page in pages for zone in page["HostedZones"] if not zone["Config"].get("PrivateZone")]


class _Zone:
    """One hosted zone. It is looked up at the first use, and again until it exists."""

    def __init__(self, plan: ZonePlan) -> None:
        self._plan = plan
        self._known: list[dict[str, Any]] = []
        #: Checks run concurrently, and one look-up is enough.
        self._asking = threading.Lock()

    @property
    def _found(self) -> list[dict[str, Any]]:
        """Return the public hosted zones of this name, or the one of this id."""
        own, name = self._plan.id, self._plan.name
        with self._asking:
            if len(self._known) != 1:
                self._known = [
                    zone
                    for zone in _public()
                    if (zone["Id"].endswith(f"/{own}") if own else zone["Name"].rstrip(".") == name)
                ]
            return self._known

    @property
    def id(self) -> str:
        """Return the zone's id. Raises LookupError if there is not exactly one."""
        found = self._found
        if len(found) != 1:
            raise LookupError(f"{self._plan.name}: {len(found)} public zones of this name in the account")
        return str(found[0]["Id"].rpartition("/")[2])

    def _at(self, name: str) -> list[dict[str, Any]]:
        """Return the record sets of a name."""
        return standing.at(standing.read(client("route53"), self.id, name), name)

    def there(self) -> Iterator[Finding]:
        """Check that the zone is in the account."""
        zone, found = self._plan.name, self._found
        count = len(found)
        if count == 1:
            yield ready(f"{zone} is {self.id}")
        elif not count:
            yield not_ready(
                f"the account has no public zone {self._plan.id or zone}",
                f"aws route53 create-hosted-zone --name {zone} --caller-reference first, then name its servers at the "
                "registrar; a zone of another account is not in reach, so delegate a name below it to a zone here",
            )
        else:
            ids = ", ".join(each["Id"].rpartition("/")[2] for each in found)
            yield not_ready(
                f"{zone} is there {count} times: {ids}", "write unmoor:dns: {zone_id: …} into the stack file"
            )

    def delegated(self) -> Iterator[Finding]:
        """Compare the zone's name servers with those that the public sees."""
        zone = self._plan.name
        ours = _names(client("route53").get_hosted_zone(Id=self.id)["DelegationSet"]["NameServers"])
        public = _names(resolver.records(zone, "NS"))
        if public == ours:
            yield ready(f"{zone} leads to this zone's {len(ours)} name servers")
        else:
            seen = f"is at {', '.join(sorted(public))}" if public else "has no name servers that the public sees"
            yield not_ready(
                f"{zone} {seen}; a certificate would wait for an hour and fail",
                f"name these servers at the registrar: {', '.join(sorted(ours))}",
            )

    def negative(self) -> Iterator[Finding]:
        """Check how long resolvers remember that a name is missing: the lesser of two numbers (RFC 2308 §5)."""
        soa = next((each for each in self._at(self._plan.name) if each["Type"] == "SOA"), None)
        if soa is None:
            return
        words = soa["ResourceRecords"][0]["Value"].split()
        kept = min(int(soa["TTL"]), int(words[-1]))
        if kept <= NEGATIVE_S:
            yield ready(f"resolvers remember for {kept} s that a name is missing")
            return
        value = " ".join([*words[:-1], str(NEGATIVE_S)])
        changed = {**soa, "TTL": NEGATIVE_S, "ResourceRecords": [{"Value": value}]}
        yield caution(
            f"resolvers remember for {kept} s that a name is missing, so a new name may be unseen for so long, and a "
            "first certificate with it",
            _change(self.id, "UPSERT", [changed]),
        )

    def free(self, plan: WorkloadPlan, host: str) -> Iterator[Finding]:
        """Check for records that conflict with ours at a public name; with the host, at the sites' own names too.

        Where a set of ours stands, the CAA record is ours too. Without one, a site's own name counts as taken if its
        CAA record is not the one that an update makes first.
        """
        caa = expected(plan, self._plan)
        found = self._at(host)
        if not any(standing.is_member(each) for each in found):
            own = plan.sites if host == plan.host else ()
            for name in (site.site_host for site in own if site.site_host in caa):
                there = self._at(name)
                made = any(each["Type"] == "CAA" and not _foreign(each, caa) for each in there)
                found += [] if made else there
        else:
            found = [each for each in found if each["Type"] != "CAA"]
        return self._in_the_way(plan, host, [each for each in found if not _adopted(each, plan)], caa)

    def _in_the_way(
        self, plan: WorkloadPlan, host: str, records: Sequence[Mapping[str, Any]], caa: Mapping[str, list[str]]
    ) -> Iterator[Finding]:
        found = [each for each in records if _foreign(each, caa)]
        for name in sorted({standing.plain(each["Name"]) for each in found if not standing.is_simple(each)}):
            shared = [each for each in found if standing.plain(each["Name"]) == name and not standing.is_simple(each)]
            kinds = ", ".join(f"{each['Type']} {each.get('SetIdentifier', 'with a health check')}" for each in shared)
            yield not_ready(
                f"{name} is shared by {len(shared)} records with a routing policy or a health check ({kinds}), which "
                "adoption does not put back",
                f"make them one simple record, and then: unmoor adopt {plan.name}",
            )
        for each in filter(standing.is_simple, found):
            name, kind = each["Name"].rstrip("."), each["Type"]
            where = ", ".join(leads(each))[:200]
            adopted = name in {own.host for own in plan.names}
            instead = f"unmoor adopt {plan.name}, which replaces it in one change; or " if adopted else ""
            after = "; visitors over IPv6 would stay there" if kind == "AAAA" else ""
            yield not_ready(
                f"{name} has {'its own' if kind == 'CAA' else 'a'} record {kind} {where}{after}; the update is refused "
                "until that is decided",
                f"{instead}remove it in the minute in which the update starts, and not before: "
                f"{_change(self.id, 'DELETE', [each])}",
            )
        if not found:
            yield ready(f"nothing stands in the way at {host}")


def expected(plan: WorkloadPlan, zone: ZonePlan) -> dict[str, list[str]]:
    """Return the values of the CAA records that a plan publishes, by name."""
    return {rrset.host: list(rrset.values) for rrset in sets(plan, zone) if rrset.type == "CAA"}


def permitted(plan: WorkloadPlan, zone: ZonePlan) -> Iterator[Finding]:
    """Check which issuers the CAA records above our names allow until ours stand there (RFC 8659 §3).

    ACM signs while the site is built, before the CAA record of the site's own name exists.
    """
    ours = expected(plan, zone)
    names = {name.host: plan.everywhere for name in plan.names} | {site.site_host: (site,) for site in plan.sites}
    found = False
    for name, sites in names.items():
        wanted = {str(site.exposure.issuer) for site in sites if site.exposure.issuer}
        early = {str(site.exposure.issuer) for site in sites if site.exposure.proof is Proof.DNS}
        at, values = _climb(name if name not in ours else name.partition(".")[2])
        for issuer in sorted(issuer for issuer in wanted if not allows(values, issuer)):
            found = True
            mend = f'add to the CAA records of {at}: 0 issue "{issuer}"'
            if issuer in early or name not in ours:
                yield not_ready(f"the CAA records of {at} do not let {issuer} sign for {name}", mend)
            else:
                yield caution(
                    f"the CAA records of {at} do not let {issuer} sign for {name} until ours stand there", mend
                )
    if not found:
        yield ready("every issuer may sign")


def _climb(name: str) -> tuple[str, list[str]]:
    """Return the nearest name at or above one that has CAA records, with the records."""
    while "." in name:
        if values := resolver.records(name, "CAA"):
            return name, values
        name = name.partition(".")[2]
    return name, []


def _adopted(record: Mapping[str, Any], plan: WorkloadPlan) -> bool:
    """Return whether `adopt` names a record: the update replaces it in one change."""
    if not standing.is_simple(record):
        return False
    named = [one for one in plan.stood(standing.plain(record["Name"])) if one.type == record["Type"]]
    return bool(named) and not standing.differences([standing.standing(record)], named)


def _foreign(record: Mapping[str, Any], caa: Mapping[str, list[str]]) -> bool:
    if record["Type"] == "CAA":
        values = sorted(value["Value"] for value in record.get("ResourceRecords", ()))
        name = record["Name"].rstrip(".").lower()
        return name in caa and values != sorted(caa[name])
    return record["Type"] in _LEADING and not standing.is_member(record)


def _names(servers: Iterable[str]) -> set[str]:
    return {server.rstrip(".").lower() for server in servers}


def _change(zone_id: str, action: str, records: Sequence[Mapping[str, Any]]) -> str:
    """Return the command that changes records."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for record in records]}
    return f"aws route53 change-resource-record-sets --hosted-zone-id {zone_id} --change-batch '{json.dumps(batch)}'"
