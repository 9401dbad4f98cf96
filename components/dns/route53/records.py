"""A site's names in Route 53: its direct name, its health check, and its place in the failover set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi_aws as aws

from ...plan.topology import Form, RecordType, Role
from ...web import http as front

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from ...kind import Endpoint
    from ...plan.topology import Record, Site

#: Route 53's words for our roles; also what identifies a member of the set for life.
_ROUTE53_ROLE = {Role.PRIMARY: "PRIMARY", Role.STANDBY: "SECONDARY"}
#: Seconds for which resolvers of certificate authorities keep CAA records.
CAA_TTL = 300


def _answer(site: Site, endpoint: pulumi.Output[Endpoint], type_: RecordType, ttl: int) -> dict[str, Any]:
    """Say an endpoint as the arguments of a record of a type."""
    if site.form is Form.ALIAS and type_ is RecordType.A:
        alias = {
            "name": endpoint.apply(lambda e: e.name),  # type: ignore[union-attr]
            "zone_id": endpoint.apply(lambda e: e.zone_id),  # type: ignore[union-attr]
            "evaluate_target_health": False,
        }
        return {"type": type_.value, "aliases": [alias]}
    value = endpoint.apply(lambda e: e.ipv4 if site.form is Form.ADDRESS else e.name)  # type: ignore[union-attr]
    return {"type": type_.value, "records": [value], "ttl": ttl}


def direct_record(
    site: Site,
    endpoint: pulumi.Output[Endpoint],
    type_: RecordType,
    zone_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.route53.Record:
    """Publish the site's own name, by which probes, health checks and certificate authorities reach it."""
    return aws.route53.Record(
        f"{site.name}-direct",
        zone_id=zone_id,
        name=site.direct,
        **_answer(site, endpoint, type_, site.ttl),
        opts=opts,
    )


def health_check(site: Site, opts: pulumi.ResourceOptions) -> aws.route53.HealthCheck:
    """Let Route 53 watch the site by its direct name, so that a new address needs no new check."""
    return aws.route53.HealthCheck(
        f"{site.name}-health",
        type=site.scheme.upper(),
        fqdn=site.direct,
        port=front.PORTS[site.scheme],
        resource_path=front.HEALTH_PATH,
        request_interval=front.CHECK_INTERVAL,
        failure_threshold=front.CHECK_THRESHOLD,
        enable_sni=site.scheme == "https",
        opts=opts,
    )


def failover_record(
    record: Record,
    site: Site,
    endpoint: pulumi.Output[Endpoint],
    check: aws.route53.HealthCheck,
    zone_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.route53.Record:
    """Put a site into its place in the failover set.

    The resource is named after host and role and never after the site: a flip changes what a record
    says, not which record it is. It is a failover record even when it is alone, since turning a simple
    record into a failover record deletes it first.
    """
    role = _ROUTE53_ROLE[record.role]
    return aws.route53.Record(
        f"{record.host}/{record.role}",
        zone_id=zone_id,
        name=record.host,
        set_identifier=role.lower(),
        failover_routing_policies=[{"type": role}],
        health_check_id=check.id,
        **_answer(site, endpoint, record.type, record.ttl),
        opts=opts,
    )


def caa_record(
    resource: str, name: str, authorities: Sequence[str], zone_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.route53.Record:
    """Say who may sign certificates for a name, and that nobody may for what is below it.

    Only names of ours have such a record, never the zone's apex: a name's own record counts and those above it do not
    (RFC 8659 §3), so whatever the zone has stays as it is, and keeps its meaning for everybody else.
    """
    return aws.route53.Record(
        resource,
        zone_id=zone_id,
        name=name,
        type="CAA",
        ttl=CAA_TTL,
        records=[*(f'0 issue "{authority}"' for authority in authorities), '0 issuewild ";"'],
        opts=opts,
    )
