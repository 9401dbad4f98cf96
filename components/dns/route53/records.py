"""A workload's entries as resources of pulumi_aws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from ...topology import Role
from ...web import http
from . import left
from .authority import CHECK_INTERVAL, CHECK_THRESHOLD, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...authority import ProofRecord
    from ...topology import ZonePlan

#: Seconds for which resolvers keep a proof; issuers ask the authority directly.
_PROOF_TTL = 60


@dataclass(frozen=True)
class Zone:
    """A hosted zone in one deployment."""

    authority: str
    id: pulumi.Input[str]

    @classmethod
    def of(cls, authority: str, zone: ZonePlan, opts: pulumi.InvokeOptions) -> Zone:
        """Return the zone that the plan names by its id, else look it up by its name."""
        return cls(authority, zone.id or aws.route53.get_zone_output(name=zone.name, opts=opts).zone_id)

    @property
    def handle(self) -> Mapping[str, Any]:
        """Return the input of `Route53.current`."""
        return {"authority": self.authority, "zone_id": self.id}

    def register(self, name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
        """Register the one resource of an entry."""
        resource: pulumi.Resource = _ENTRIES[what["entry"]](name, self.id, what, opts)
        return resource

    def prove(self, name: str, record: ProofRecord, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        """Publish the record by which an issuer verifies that a host is ours."""
        published = aws.route53.Record(
            name,
            zone_id=self.id,
            name=record.name,
            type=record.type,
            records=[record.value],
            ttl=_PROOF_TTL,
            # ACM asks for the same record again for every certificate of a host in one account.
            allow_overwrite=True,
            opts=opts,
        )
        fqdn: pulumi.Output[str] = published.fqdn
        return fqdn


def _answer(what: Mapping[str, Any], zone_id: pulumi.Input[str]) -> dict[str, Any]:
    """Return an endpoint, or the name in this zone `through` which it is reached, as the arguments of a record."""
    if through := what.get("through"):
        # A site's name is one record; shares are judged by their own health checks.
        evaluates = what["entry"] == "member"
        alias = {"name": through, "zone_id": zone_id, "evaluate_target_health": evaluates}
        return {"type": what["type"], "aliases": [alias]}
    endpoint: pulumi.Output[Any] = what["endpoint"]
    if what["alias"]:
        alias = {
            "name": endpoint.apply(lambda e: e.name),
            "zone_id": endpoint.apply(lambda e: e.zone),
            "evaluate_target_health": False,
        }
        return {"type": what["type"], "aliases": [alias]}
    return {"type": what["type"], "records": endpoint.apply(lambda e: e.at), "ttl": what["ttl"]}


def _record(resource: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions, **more: Any) -> Any:
    """Publish a record. One that an interrupted update left is taken over; one of another party is refused."""
    taking = left.options(opts, adopted=bool(what.get("adopted")))
    return aws.route53.Record(resource, name=what["name"], allow_overwrite=True, **more, opts=taking)


def _host(resource: str, zone_id: pulumi.Input[str], what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Any:
    """Publish the site's own name, by which probes, health checks and issuers reach it."""
    return _record(resource, what, opts, zone_id=zone_id, **_answer(what, zone_id))


def _health(
    resource: str,
    zone_id: pulumi.Input[str],  # noqa: ARG001 all entries share one signature
    what: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> Any:
    """Check the machine that the record leads to.

    The answer must contain the site's mark, which no release changes. Route 53 does not verify certificates, so the
    status alone would also pass for a stranger at the address of a former lease.

    A site with an address is asked at that address, with its own name for SNI and Host. A new address replaces the
    check, because Route 53 cannot add or remove one later (API reference, UpdateHealthCheck), and the record takes
    address and check in one change. An alias has no address of its own, so it is asked by its own name.
    """
    by_address = {"ip_address": what["at"].apply(lambda at: at[0])} if what["by_address"] else {}
    replacing = pulumi.ResourceOptions(replace_on_changes=["ipAddress", "type"])
    return aws.route53.HealthCheck(
        resource,
        type=f"{what['scheme'].upper()}_STR_MATCH",
        fqdn=what["host"],
        **by_address,
        port=http.PORTS[what["scheme"]],
        resource_path=http.HEALTH_PATH,
        search_string=what["mark"],
        request_interval=CHECK_INTERVAL,
        failure_threshold=CHECK_THRESHOLD,
        enable_sni=what["scheme"] == "https",
        tags={"Name": what["host"]},
        opts=pulumi.ResourceOptions.merge(opts, replacing),
    )


def _member(resource: str, zone_id: pulumi.Input[str], what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Any:
    """Put a site into its place in a failover set.

    The resource is named after host and role and never after the site: a flip changes what a record leads to, not which
    record it is. It is a failover record even if it is alone, because turning a simple record into a failover record
    deletes it first. It is deleted before what `after` names, because the engine follows direct dependencies only.
    Where the host was adopted, the change has made the same record already, so it may exist. A place that leads to
    shares is judged by their checks.
    """
    role = ROLES[Role(what["role"])]
    judged = {}
    if "check" in what:
        check = pulumi.Output.all(what["check"], *what.get("after", ())).apply(lambda known: known[0])
        judged = {"health_check_id": check}
    return _record(
        resource,
        what,
        opts,
        zone_id=zone_id,
        set_identifier=role.lower(),
        failover_routing_policies=[{"type": role}],
        **judged,
        **_answer(what, zone_id),
    )


def _share(resource: str, zone_id: pulumi.Input[str], what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Any:
    """Answer a share of look-ups while the site is healthy. Its identity is the name and the site."""
    return _record(
        resource,
        what,
        opts,
        zone_id=zone_id,
        set_identifier=what["site"],
        weighted_routing_policies=[{"weight": what["weight"]}],
        health_check_id=what["check"],
        **_answer(what, zone_id),
    )


def _caa(resource: str, zone_id: pulumi.Input[str], what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Any:
    """Publish who may sign certificates for a name.

    At an adopted host it comes and goes with the host's other records, in one change. What the stack gives back has a
    CAA record of its own there, which the removal of this resource would take for ours.
    """
    if what.get("adopted"):
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True))
    return _record(resource, what, opts, zone_id=zone_id, type="CAA", ttl=what["ttl"], records=what["values"])


_ENTRIES: Mapping[str, Callable[[str, Any, Mapping[str, Any], pulumi.ResourceOptions], Any]] = {
    "host": _host,
    "health": _health,
    "member": _member,
    "share": _share,
    "caa": _caa,
}
