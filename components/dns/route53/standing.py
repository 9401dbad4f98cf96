"""What stands at a host now, ours or another party's.

`read` and `zone_id` ask; all else is pure, on record sets as the API shapes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...config.standing import StandingRecord, StandingType
from ...errors import StepError
from .authority import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...topology import ZonePlan

RecordSet = dict[str, Any]
#: Record types that lead visitors, or conflict with a record of ours at the same name.
_TAKEN = frozenset(StandingType)
#: How Route 53 writes `*` in the name of a record set (API reference, ListResourceRecordSets).
_STAR = "\\052"


def client() -> Any:
    """Return a client by the ordinary AWS credential chain."""
    import boto3

    return boto3.client("route53")


def zone_id(route53: Any, zone: ZonePlan) -> str:
    """Return the id of the public hosted zone of a plan. Raises StepError when there is not exactly one."""
    if zone.id:
        return zone.id
    listed = route53.list_hosted_zones_by_name(DNSName=zone.name)["HostedZones"]
    found = [one["Id"] for one in listed if plain(one["Name"]) == zone.name and not one["Config"].get("PrivateZone")]
    if len(found) != 1:
        how = "no public hosted zone" if not found else f"{len(found)} public hosted zones"
        raise StepError(f"{how} of this account is named {zone.name}; make it, or name it by its id: `dns.zone_id`")
    return str(found[0]).removeprefix("/hostedzone/")


def read(route53: Any, zone: str, host: str) -> list[RecordSet]:
    """Return the record sets at a host and after it, in the order of names, which include all below it."""
    answer = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName=host)
    return list(answer["ResourceRecordSets"])


def plain(name: str) -> str:
    """Return a name as stack files have it: lower case, no dot at the end, `*` as itself."""
    return name.rstrip(".").lower().replace(_STAR, "*")


def at(records: Iterable[RecordSet], host: str) -> list[RecordSet]:
    """Return the record sets whose name is the host."""
    return [record for record in records if plain(record["Name"]) == host]


def below(records: Iterable[RecordSet], host: str) -> list[RecordSet]:
    """Return the record sets whose name lies below the host."""
    return [record for record in records if plain(record["Name"]).endswith(f".{host}")]


def is_member(record: Mapping[str, Any]) -> bool:
    """Return whether a record set is a member of a failover set as we name members."""
    role = record.get("Failover")
    return role in ROLES.values() and record.get("SetIdentifier") == str(role).lower()


def foreign(records: Iterable[RecordSet], host: str, zone: str, caa: Mapping[str, Any] | None) -> list[RecordSet]:
    """Return the record sets at a host that lead visitors or conflict with ours, and are not ours.

    A CAA record is ours if it has exactly the values of `caa`, or if a member of ours stands. CAA records of the zone's
    apex belong to the whole zone, and are left alone.
    """
    here = at(records, host)
    settled, values = any(map(is_member, here)), set(caa["values"] if caa else ())
    return [
        record
        for record in here
        if record["Type"] in _TAKEN
        and not is_member(record)
        and not (is_caa(record) and (host == zone or settled or set(_values(record)) == values))
    ]


def is_caa(record: Mapping[str, Any]) -> bool:
    """Return whether a record set is CAA."""
    return bool(record["Type"] == StandingType.CAA)


def _values(record: Mapping[str, Any]) -> list[str]:
    return [one["Value"] for one in record.get("ResourceRecords", ())]


def is_simple(record: Mapping[str, Any]) -> bool:
    """Return whether a record set has no routing policy and no health check."""
    return not record.get("SetIdentifier") and not record.get("HealthCheckId")


def standing(record: Mapping[str, Any]) -> StandingRecord:
    """Return a simple record set as a stack file names it."""
    if alias := record.get("AliasTarget"):
        return StandingRecord(
            type=record["Type"],
            alias=plain(alias["DNSName"]),
            alias_zone=alias["HostedZoneId"],
            evaluate_target_health=alias["EvaluateTargetHealth"],
        )
    values = [_value(record["Type"], one["Value"]) for one in record["ResourceRecords"]]
    return StandingRecord(type=record["Type"], ttl=record["TTL"], values=tuple(sorted(values)))


def _value(type_: str, value: str) -> str:
    """Return a value in one form: names are compared without case and without the dot at the end."""
    return plain(value) if type_ == StandingType.CNAME else value


def same(one: StandingRecord, other: StandingRecord) -> bool:
    """Return whether two records are the same, regardless of the order of values and the spelling of names."""
    return _form(one) == _form(other)


def _form(record: StandingRecord) -> StandingRecord:
    values = tuple(sorted(_value(record.type, value) for value in record.values))
    return record.model_copy(update={"values": values, "alias": plain(record.alias) if record.alias else None})


def differences(stands: Sequence[StandingRecord], named: Sequence[StandingRecord]) -> list[StandingRecord]:
    """Return what stands and is not named."""
    return [one for one in stands if not any(same(one, other) for other in named)]
