"""Route 53's refusals of a change of record sets, as a pure function; moto accepts all of it.

Record sets are shaped as in the API. Source: the API reference of ChangeResourceRecordSets and the developer guide's
pages on failover, alias and routing policies; the sentences follow the service's own.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

RecordSet = dict[str, Any]
#: An action (CREATE, UPSERT, DELETE) and the record set it is about.
RecordChange = tuple[str, RecordSet]
Key = tuple[str, str, str]

#: The fields that determine a record set's routing policy, and the policy's name.
POLICIES = {
    "Failover": "failover",
    "Weight": "weighted",
    "Region": "latency",
    "GeoLocation": "geolocation",
    "MultiValueAnswer": "multivalue answer",
    "CidrRoutingConfig": "IP-based",
    "GeoProximityLocation": "geoproximity",
}
#: The zone of every CloudFront alias.
CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
#: The zones that aliases to load balancers must name, by region (AWS general reference, "Elastic Load Balancing
#: endpoints and quotas").
BALANCER_ZONES = {"us-east-1": "Z35SXDOTRQ7X7K"}


def key(record: RecordSet) -> Key:
    """Return what makes a record set itself: name, type and set identifier."""
    return record["Name"].rstrip(".").lower() + ".", record["Type"], record.get("SetIdentifier") or ""


def policy(record: RecordSet) -> str:
    """Return the routing policy's name."""
    found = [name for field, name in POLICIES.items() if record.get(field) is not None]
    return found[0] if found else "simple"


def refusals(
    zone: str, existing: Sequence[RecordSet], changes: Sequence[RecordChange], checks: Collection[str]
) -> tuple[list[str], list[RecordSet]]:
    """Return every reason to refuse the whole change (all or nothing, as in Route 53), and the record sets after it.

    `zone` is the zone's name, `checks` the ids of the health checks that exist.
    """
    faults: list[str] = []
    after = {key(record): record for record in existing}
    for action, record in changes:
        faults += _apply(zone, after, action, record)
        # A batch is read in order: a record at the name of a CNAME, or of records of another policy, is refused
        # although a later change would delete those (cookpad/roadworker#89, octodns/octodns#507, external-dns#1411).
        if action != "DELETE" and key(record) in after:
            faults += _beside_now(record, _others(after, record))
    touched = [after[key(record)] for action, record in changes if action != "DELETE" and key(record) in after]
    for record in touched:
        faults += [text for rule in _ALONE for text in rule(zone, record, checks)]
        faults += _beside(record, _others(after, record))
        faults += _followed(zone, record, after)
    return list(dict.fromkeys(faults)), list(after.values())


def _apply(zone: str, after: dict[Key, RecordSet], action: str, record: RecordSet) -> list[str]:
    at = key(record)
    if at[0] != _dotted(zone) and not at[0].endswith("." + _dotted(zone)):
        return [f"RRSet with DNS name {at[0]} is not permitted in zone {_dotted(zone)}"]
    shown = f"[name='{at[0]}', type='{at[1]}'" + (f", set identifier='{at[2]}']" if at[2] else "]")
    if action == "DELETE":
        if at not in after:
            return [f"Tried to delete resource record set {shown} but it was not found"]
        if _values(after[at]) != _values(record):
            return [
                f"Tried to delete resource record set {shown} but the values provided do not match the current values"
            ]
        del after[at]
        return []
    if action == "CREATE" and at in after:
        return [f"Tried to create resource record set {shown} but it already exists"]
    after[at] = record
    return []


def _values(record: RecordSet) -> Any:
    target = record.get("AliasTarget")
    alias = (target["DNSName"].rstrip(".").lower(), target["HostedZoneId"]) if target else None
    return alias, record.get("TTL"), sorted(one["Value"] for one in record.get("ResourceRecords") or [])


def _dotted(name: str) -> str:
    return name.rstrip(".").lower() + "."


def _where(record: RecordSet) -> str:
    name, kind, identifier = key(record)
    return f"RRSet with DNS name {name}, type {kind}" + (f", SetIdentifier {identifier}" if identifier else "")


# -- one record set alone


def _one_kind_of_value(_zone: str, record: RecordSet, _checks: Collection[str]) -> Iterator[str]:
    has = {
        "AliasTarget": bool(record.get("AliasTarget")),
        "TTL": record.get("TTL") is not None,
        "ResourceRecords": bool(record.get("ResourceRecords")),
    }
    if list(has.values()) not in ([True, False, False], [False, True, True]):
        found = ", ".join(name for name, there in has.items() if there) or "none"
        yield (
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or"
            f" TrafficPolicyInstanceId], but found {found} in {_where(record)}"
        )


def _identified(_zone: str, record: RecordSet, _checks: Collection[str]) -> Iterator[str]:
    policies = [name for field, name in POLICIES.items() if record.get(field) is not None]
    if policies and not record.get("SetIdentifier"):
        yield f"Invalid request: Missing field 'SetIdentifier' in {_where(record)}"
    if record.get("SetIdentifier") and not policies:
        fields = ", ".join(POLICIES)
        yield f"Invalid request: Expected exactly one of [{fields}], but found none in {_where(record)}"
    if len(policies) > 1:
        yield f"Invalid request: {_where(record)} has more than one routing policy: {', '.join(policies)}"


def _apex(zone: str, record: RecordSet, _checks: Collection[str]) -> Iterator[str]:
    if record["Type"] == "CNAME" and key(record)[0] == _dotted(zone):
        yield f"RRSet of type CNAME with DNS name {key(record)[0]} is not permitted at apex in zone {_dotted(zone)}"


def _checked(_zone: str, record: RecordSet, checks: Collection[str]) -> Iterator[str]:
    check = record.get("HealthCheckId")
    if check and check not in checks:
        yield f"Invalid HealthCheckId [{check}] in {_where(record)}: no such health check"
    evaluates = (record.get("AliasTarget") or {}).get("EvaluateTargetHealth")
    if record.get("Failover") == "PRIMARY" and not check and not evaluates:
        yield f"{_where(record)} is a PRIMARY failover record: it must have a health check"


def _alias(_zone: str, record: RecordSet, _checks: Collection[str]) -> Iterator[str]:
    target = record.get("AliasTarget")
    region, _, elb = (target or {"DNSName": ""})["DNSName"].rstrip(".").partition(".")[2].partition(".")
    if target and elb == "elb.amazonaws.com" and target["HostedZoneId"] != BALANCER_ZONES.get(region):
        shown = f"type {record['Type']} in zone {target['HostedZoneId']}"
        yield (
            f"Tried to create an alias that targets {_dotted(target['DNSName'])}, {shown}, but the alias target name "
            "does not lie within the target zone"
        )
    if not target or not target["DNSName"].rstrip(".").endswith(".cloudfront.net"):
        return
    shown = (
        f"an alias that targets {_dotted(target['DNSName'])}, type {record['Type']} in zone {target['HostedZoneId']}"
    )
    if target["HostedZoneId"] != CLOUDFRONT_ZONE:
        yield f"Tried to create {shown}, but the alias target name does not lie within the target zone"
    if record["Type"] not in ("A", "AAAA", "HTTPS"):
        yield f"Tried to create {shown}, but that target was not found"
    if target.get("EvaluateTargetHealth"):
        yield f"Tried to create {shown}, but EvaluateTargetHealth cannot be true for a CloudFront distribution"


def _data(_zone: str, record: RecordSet, _checks: Collection[str]) -> Iterator[str]:
    values = [one["Value"] for one in record.get("ResourceRecords") or []]
    if record["Type"] == "CNAME" and len(values) > 1:
        yield f"{_where(record)} contains an invalid number of resource records, expected 1"
    for version, kind in ((4, "A"), (6, "AAAA")):
        for value in values if record["Type"] == kind else []:
            if not _is_address(value, version):
                fault = f"{kind}RRDATAIllegalIPv{version}Address (Value is not a valid IPv{version} address)"
                yield f"Invalid Resource Record: FATAL problem: {fault} encountered with '{value}'"
    if len(set(values)) < len(values):
        yield f"Duplicate Resource Record: '{next(one for one in values if values.count(one) > 1)}'"


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


_ALONE: tuple[Callable[[str, RecordSet, Collection[str]], Iterator[str]], ...] = (
    _one_kind_of_value,
    _identified,
    _apex,
    _checked,
    _alias,
    _data,
)


def _followed(zone: str, record: RecordSet, after: dict[Key, RecordSet]) -> Iterator[str]:
    """Refuse an alias to a record of this zone that is not there, or has another type (rust-lang/simpleinfra#907)."""
    target = record.get("AliasTarget")
    name = _dotted(target["DNSName"]) if target else ""
    if target and name.endswith("." + _dotted(zone)) and (name, record["Type"]) not in {each[:2] for each in after}:
        shown = f"type {record['Type']} in zone {target['HostedZoneId']}"
        yield f"Tried to create an alias that targets {name}, {shown}, but that target was not found"


# -- with the others at its name


def _alias_of(record: RecordSet) -> str:
    return (
        str((record.get("AliasTarget") or {}).get("DNSName", "")).rstrip(".").lower() if record.get("Failover") else ""
    )


def _others(after: dict[Key, RecordSet], record: RecordSet) -> list[RecordSet]:
    return [other for other in after.values() if other is not record and key(other)[0] == key(record)[0]]


def _beside_now(record: RecordSet, others: list[RecordSet]) -> Iterator[str]:
    name, kind, _ = key(record)
    if any((kind == "CNAME") != (other["Type"] == "CNAME") for other in others):
        yield (
            f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records"
            " with the same DNS name"
        )
    same = [other for other in others if other["Type"] == kind]
    for other in same:
        if policy(other) != policy(record):
            yield (
                f"{_where(record)} cannot be created as a {policy(other)} RRSet exists with the same name and type,"
                f" and this one is {policy(record)}"
            )


def _beside(record: RecordSet, others: list[RecordSet]) -> Iterator[str]:
    _, kind, _ = key(record)
    same = [other for other in others if other["Type"] == kind]
    target = _alias_of(record)
    if target.endswith(".cloudfront.net") and any(_alias_of(other) == target for other in same):
        # "For failover alias records, you can't specify a CloudFront distribution for both the primary and secondary
        # records" (API reference, AliasTarget.DNSName). Not tried against the service: refused here, to be on its side.
        yield f"{_where(record)} and another member of its failover set are aliases of one CloudFront distribution"
    role = record.get("Failover")
    if role and any(other.get("Failover") == role for other in same):
        yield f"{_where(record)} cannot be created as a RRSet with failover {role} exists with the same name and type"
