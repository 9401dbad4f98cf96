"""Route 53 record sets: names, the shape for the API, and what the official plugin refuses before it asks AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from components.provider.server import UNKNOWN, Failure
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.provider.server import Context

#: The routing policies that the sandbox's resolver answers by; the other kinds are refused by name.
_POLICIES = ("failoverRoutingPolicies", "weightedRoutingPolicies", "multivalueAnswerRoutingPolicy")
_TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP")
_ALL_TYPES = (*_TYPES, "SVCB", "TLSA", "TXT")


def _faults(news: dict[str, Any]) -> Iterator[Failure]:
    kind = news["type"]
    if kind is not UNKNOWN and kind not in _ALL_TYPES:
        yield Failure("type", f"expected type to be one of {', '.join(_ALL_TYPES)}, got {kind}")
    for other in ("ttl", "records"):
        if "aliases" in news and other in news:
            yield Failure(other, f"conflicts with aliases: an alias has no {other} of its own")
    if "aliases" not in news and "records" not in news:
        yield Failure("records", "one of aliases, records must be specified")
    if "records" in news and "ttl" not in news:
        yield Failure("ttl", "all of records, ttl must be specified")
    if "ttl" in news and "records" not in news and "aliases" not in news:
        yield Failure("ttl", "all of records, ttl must be specified")
    yield from _policy_faults(news)


def _policy_faults(news: dict[str, Any]) -> Iterator[Failure]:
    given = [name for name in _POLICIES if name in news]
    if given and "setIdentifier" not in news:
        yield Failure("setIdentifier", f"all of {given[0]}, setIdentifier must be specified")
    if len(given) > 1:
        yield Failure(given[1], f"conflicts with {given[0]}: a record has one routing policy")
    for at, policy in enumerate(_known_list(news, "failoverRoutingPolicies")):
        if isinstance(policy, dict) and policy.get("type") not in ("PRIMARY", "SECONDARY", UNKNOWN):
            where = f"failoverRoutingPolicies[{at}].type"
            yield Failure(where, f"expected type to be one of PRIMARY, SECONDARY, got {policy.get('type')}")
    for name in ("aliases", "failoverRoutingPolicies"):
        if len(_known_list(news, name)) > 1:
            yield Failure(name, "too many list items: expected at most 1")


def _known_list(news: dict[str, Any], name: str) -> list[Any]:
    value = news.get(name)
    return value if isinstance(value, list) else []


def full_name(name: str, zone: str) -> str:
    """Return the name with its zone, without the last dot, in lower case: as the official plugin expands it."""
    name, zone = name.rstrip(".").lower(), zone.rstrip(".").lower()
    if not name:
        return zone
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"


def _zone_name(aws: Connection, zone_id: str) -> str:
    """Return a zone keeps its name for life, so it is asked once."""
    if zone_id not in aws.zone_names:
        aws.zone_names[zone_id] = str(aws.client("route53").get_hosted_zone(Id=zone_id)["HostedZone"]["Name"])
    return aws.zone_names[zone_id]


def _to_api(news: dict[str, Any], name: str) -> dict[str, Any]:
    record: dict[str, Any] = {"Name": name, "Type": news["type"]}
    for alias in news.get("aliases") or []:
        target = {"DNSName": alias["name"], "HostedZoneId": alias["zoneId"]}
        record["AliasTarget"] = target | {"EvaluateTargetHealth": alias["evaluateTargetHealth"]}
    if "records" in news:
        record["TTL"] = news["ttl"]
        record["ResourceRecords"] = [{"Value": _quoted(value, news["type"])} for value in news["records"]]
    for policy in news.get("failoverRoutingPolicies") or []:
        record["Failover"] = policy["type"]
    for policy in news.get("weightedRoutingPolicies") or []:
        record["Weight"] = policy["weight"]
    plain = {
        "setIdentifier": "SetIdentifier",
        "healthCheckId": "HealthCheckId",
        "multivalueAnswerRoutingPolicy": "MultiValueAnswer",
    }
    return record | {api: news[own] for own, api in plain.items() if news.get(own)}


def _quoted(value: str, kind: str) -> str:
    return f'"{value}"' if kind in ("TXT", "SPF") and not value.startswith('"') else value


def _from_api(record: dict[str, Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = {"type": record["Type"]}
    if "AliasTarget" in record:
        target = record["AliasTarget"]
        alias = {"name": target["DNSName"].rstrip(".").lower(), "zoneId": target["HostedZoneId"]}
        inputs["aliases"] = [alias | {"evaluateTargetHealth": target["EvaluateTargetHealth"]}]
    if record.get("ResourceRecords"):
        inputs["ttl"] = record["TTL"]
        values = [one["Value"] for one in record["ResourceRecords"]]
        inputs["records"] = [value.strip('"') if record["Type"] in ("TXT", "SPF") else value for value in values]
    if "Failover" in record:
        inputs["failoverRoutingPolicies"] = [{"type": record["Failover"]}]
    if "Weight" in record:
        inputs["weightedRoutingPolicies"] = [{"weight": record["Weight"]}]
    plain = {
        "SetIdentifier": "setIdentifier",
        "HealthCheckId": "healthCheckId",
        "MultiValueAnswer": "multivalueAnswerRoutingPolicy",
    }
    return inputs | {own: record[api] for api, own in plain.items() if api in record}


def _change(aws: Connection, zone_id: str, *changes: tuple[str, dict[str, Any]]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    aws.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def _id(news: dict[str, Any], name: str) -> str:
    parts = [news["zoneId"], name, news["type"], *([news["setIdentifier"]] if "setIdentifier" in news else [])]
    return "_".join(parts)


def _create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    name = full_name(news["name"], _zone_name(aws, news["zoneId"]))
    _change(aws, news["zoneId"], ("UPSERT" if news.get("allowOverwrite") else "CREATE", _to_api(news, name)))
    return _id(news, name)


def _find(aws: Connection, known: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    try:
        name = full_name(known["name"], _zone_name(aws, known["zoneId"]))
        pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=known["zoneId"])
        records = [record for page in pages for record in page["ResourceRecordSets"]]
    except ClientError as error:
        if code(error) == "NoSuchHostedZone":
            return None
        raise
    wanted = name, known["type"], known.get("setIdentifier")
    for record in records:
        found = record["Name"].replace("\\052", "*").rstrip(".").lower(), record["Type"], record.get("SetIdentifier")
        if found == wanted:
            return name, record
    return None


def _read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    if "zoneId" not in known:  # an import knows the id alone
        zone_id, name, kind, *rest = id_.split("_", 3)
        known = {"zoneId": zone_id, "name": name, "type": kind, **({"setIdentifier": rest[0]} if rest else {})}
    found = _find(aws, known)
    if found is None:
        return None
    name, record = found
    inputs = {"name": known["name"], "zoneId": known["zoneId"], "allowOverwrite": known.get("allowOverwrite")}
    inputs |= _from_api(record)
    for was, now in zip(known.get("aliases") or [], inputs.get("aliases") or [], strict=False):
        if was["name"].rstrip(".").lower() == now["name"]:
            now["name"] = was["name"]
    return Found(inputs, {"fqdn": name})


def _update(aws: Connection, _id: str, old: dict[str, Any], news: dict[str, Any]) -> None:
    name = full_name(news["name"], _zone_name(aws, news["zoneId"]))
    moved = any(old.get(part) != news.get(part) for part in ("type", "setIdentifier"))
    was = _find(aws, old) if moved else None
    if was is None:
        _change(aws, news["zoneId"], ("UPSERT", _to_api(news, name)))
    else:
        _change(aws, news["zoneId"], ("DELETE", was[1]), ("CREATE", _to_api(news, name)))


def _delete(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    found = _find(aws, outputs)
    if found is None:
        return
    try:
        with gone("NoSuchHostedZone"):
            _change(aws, outputs["zoneId"], ("DELETE", found[1]))
    except ClientError as error:
        if "it was not found" not in str(error):
            raise UnmoorError(f"deleting Route 53 Record ({id_}): {error}") from error


RECORD = AwsType(
    title="Route 53 Record",
    inputs=frozenset(
        {"name", "type", "zoneId", "ttl", "records", "aliases", "setIdentifier", "healthCheckId", "allowOverwrite"}
        | set(_POLICIES)
    ),
    replaces=frozenset({"name", "zoneId"}),
    computed=frozenset({"fqdn"}),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    faults=_faults,
)
