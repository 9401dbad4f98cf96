"""Hosted zones, record sets and health checks."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.provider.server import UNKNOWN, Failure
from sandbox.aws.check_rules import INTERVALS, THRESHOLDS
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.lens import field, struct
from sandbox.aws.plugin.resource import AwsType, Found

from .records import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.provider.server import Context


def _tagger(kind: str) -> Any:
    def tag(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
        arguments: dict[str, Any] = {"ResourceType": kind, "ResourceId": id_}
        if new:
            arguments["AddTags"] = [{"Key": key, "Value": value} for key, value in sorted(new.items())]
        if set(old) - set(new):
            arguments["RemoveTagKeys"] = sorted(set(old) - set(new))
        aws.client("route53").change_tags_for_resource(**arguments)

    return tag


def _tags(aws: Connection, kind: str, id_: str) -> dict[str, str]:
    answer = aws.client("route53").list_tags_for_resource(ResourceType=kind, ResourceId=id_)
    return {tag["Key"]: tag["Value"] for tag in answer["ResourceTagSet"]["Tags"]}


# -- zones


def _create_zone(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    answer = aws.client("route53").create_hosted_zone(
        Name=news["name"],
        CallerReference=f"terraform-{secrets.token_hex(12)}",
        HostedZoneConfig={"Comment": news.get("comment", "Managed by Pulumi"), "PrivateZone": False},
    )
    return str(answer["HostedZone"]["Id"]).rpartition("/")[2]


def _read_zone(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        answer = aws.client("route53").get_hosted_zone(Id=id_)
    except ClientError as error:
        if code(error) == "NoSuchHostedZone":
            return None
        raise
    zone, servers = answer["HostedZone"], sorted(answer["DelegationSet"]["NameServers"])
    inputs = {
        "name": zone["Name"].rstrip("."),
        "comment": zone["Config"].get("Comment"),
        "forceDestroy": known.get("forceDestroy"),
    }
    computed = {
        "arn": f"arn:aws:route53:::hostedzone/{id_}",
        "zoneId": id_,
        "nameServers": servers,
        "primaryNameServer": servers[0],
    }
    return Found(inputs, computed, _tags(aws, "hostedzone", id_))


def _update_zone(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    aws.client("route53").update_hosted_zone_comment(Id=id_, Comment=news.get("comment", "Managed by Pulumi"))


def _delete_zone(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    route53 = aws.client("route53")
    with gone("NoSuchHostedZone"):
        if outputs.get("forceDestroy"):
            pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=id_)
            records = [one for page in pages for one in page["ResourceRecordSets"] if one["Type"] not in ("NS", "SOA")]
            if records:
                changes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in records]
                route53.change_resource_record_sets(HostedZoneId=id_, ChangeBatch={"Changes": changes})
        route53.delete_hosted_zone(Id=id_)


# -- health checks

_CHECK = struct(
    "type",
    "port",
    "resourcePath",
    "requestInterval",
    "failureThreshold",
    "searchString",
    "measureLatency",
    "disabled",
    "regions",
    field("fqdn", api="FullyQualifiedDomainName"),
    field("ipAddress", api="IPAddress"),
    field("invertHealthcheck", api="Inverted"),
    field("enableSni", api="EnableSNI"),
    field("childHealthchecks", api="ChildHealthChecks"),
    field("childHealthThreshold", api="HealthThreshold"),
)
_FIXED = ("type", "requestInterval", "measureLatency", "referenceName")
_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "CALCULATED")


def _check_faults(news: dict[str, Any]) -> Iterator[Failure]:
    kind, interval, threshold = news["type"], news.get("requestInterval"), news.get("failureThreshold")
    if kind is not UNKNOWN and kind not in _TYPES:
        yield Failure("type", f"expected type to be one of {', '.join(_TYPES)}, got {kind}")
    if interval not in (None, UNKNOWN, *INTERVALS):
        yield Failure("requestInterval", f"expected requestInterval to be one of 10, 30, got {interval}")
    low, high = THRESHOLDS
    if threshold not in (None, UNKNOWN) and not low <= threshold <= high:
        yield Failure(
            "failureThreshold", f"expected failureThreshold to be in the range ({low} - {high}), got {threshold}"
        )
    if len(str(news.get("referenceName", ""))) > 27:
        yield Failure("referenceName", "expected length of referenceName to be in the range (0 - 27)")


def _create_check(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    reference = f"{news.get('referenceName', 'terraform')}-{secrets.token_hex(12)}"
    config = _CHECK.to_api(news)
    answer = aws.client("route53").create_health_check(CallerReference=reference, HealthCheckConfig=config)
    return str(answer["HealthCheck"]["Id"])


def _read_check(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        check = aws.client("route53").get_health_check(HealthCheckId=id_)["HealthCheck"]
    except ClientError as error:
        if code(error) == "NoSuchHealthCheck":
            return None
        raise
    inputs = _CHECK.from_api(check["HealthCheckConfig"])
    if inputs["type"] in ("HTTP", "HTTP_STR_MATCH", "HTTPS", "HTTPS_STR_MATCH") and "port" not in known:
        usual = 443 if inputs["type"].startswith("HTTPS") else 80
        inputs = {name: value for name, value in inputs.items() if name != "port" or value != usual}
    inputs["referenceName"] = known.get("referenceName")
    return Found(inputs, {"arn": f"arn:aws:route53:::healthcheck/{id_}"}, _tags(aws, "healthcheck", id_))


def _update_check(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    config = _CHECK.to_api({name: value for name, value in news.items() if name not in _FIXED})
    aws.client("route53").update_health_check(HealthCheckId=id_, **config)


def _delete_check(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("NoSuchHealthCheck"):
        aws.client("route53").delete_health_check(HealthCheckId=id_)


ROUTE53 = {
    "aws:route53/zone:Zone": AwsType(
        title="Route 53 Hosted Zone",
        inputs=frozenset({"name", "comment", "forceDestroy"}),
        replaces=frozenset({"name"}),
        computed=frozenset({"arn", "zoneId", "nameServers", "primaryNameServer"}),
        create=_create_zone,
        read=_read_zone,
        update=_update_zone,
        delete=_delete_zone,
        name="name",
        tag=_tagger("hostedzone"),
        defaults={"comment": "Managed by Pulumi"},
    ),
    "aws:route53/healthCheck:HealthCheck": AwsType(
        title="Route 53 Health Check",
        inputs=frozenset(
            {
                *("type", "port", "resourcePath", "requestInterval", "failureThreshold", "searchString", "disabled"),
                *("measureLatency", "regions", "fqdn", "ipAddress", "invertHealthcheck", "enableSni"),
                *("childHealthchecks", "childHealthThreshold", "referenceName"),
            }
        ),
        replaces=frozenset(_FIXED),
        computed=frozenset({"arn"}),
        create=_create_check,
        read=_read_check,
        update=_update_check,
        delete=_delete_check,
        faults=_check_faults,
        tag=_tagger("healthcheck"),
        defaults={"requestInterval": 30, "failureThreshold": 3},
    ),
    "aws:route53/record:Record": RECORD,
}
