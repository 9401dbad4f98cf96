"""The one change by which a host changes hands, as a batch of Route 53. Pure.

Deletions come first in a batch: Route 53 reads it in order, and refuses an A record before the CNAME of its name is
deleted (cookpad/roadworker#89, octodns/octodns#507, external-dns#1411).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...config.standing import StandingRecord, StandingType, phrase
from ...errors import StepError
from ...topology import Role
from . import standing as current
from .authority import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .standing import RecordSet

Change = dict[str, Any]


def taken(given: Mapping[str, Any], records: Sequence[RecordSet]) -> list[Change]:
    """Return the batch that replaces what stands by our records; nothing if nothing else stands.

    `given` is the input of the step, `records` what stands in the zone. Raises StepError when something stands that
    `given` does not name.
    """
    host, new = given["host"], wanted(given)
    there = [
        record
        for record in current.foreign(records, host, given["apex"], given["caa"])
        if not any(_equal(record, each) for each in new)
    ]
    if not there:
        return []
    check(host, there, named(given))
    kept = {_key(record) for record in current.at(records, host)} - {_key(record) for record in there}
    made = [("UPSERT" if _key(each) in kept else "CREATE", each) for each in new]
    return _batch([*(("DELETE", record) for record in there), *made])


def check(host: str, there: Sequence[RecordSet], known: Sequence[StandingRecord]) -> None:
    """Refuse record sets that `adopt` does not name, or that are not simple. Raises StepError."""
    if shared := [record for record in there if not current.is_simple(record)]:
        names = ", ".join(f"{one['Type']} {one.get('SetIdentifier', 'with a health check')}" for one in shared)
        raise StepError(
            f"{host} is shared by records with a routing policy or a health check ({names}), which adoption does not "
            "put back; make them one simple record first"
        )
    stands = tuple(current.standing(record) for record in there)
    if more := current.differences(stands, known):
        raise StepError(
            f"{phrase(tuple(more))} stands at {host}, and `adopt` names {phrase(tuple(known))}; nothing was changed. "
            "Run `unmoor adopt WORKLOAD` and review what it writes"
        )


def given_back(given: Mapping[str, Any], records: Sequence[RecordSet], *, alone: bool = False) -> list[Change]:
    """Return the batch that puts back what stood at the host in place of our records; nothing if the host leads away.

    With `alone` only if none of our members stands: they were removed by hand, or the host was never taken.
    """
    host, old = given["host"], [_record_set(given["host"], record) for record in named(given)]
    ours = [record for record in current.at(records, host) if current.is_member(record)]
    others = current.foreign(records, host, given["apex"], given["caa"])
    members = bool(ours)
    if given["caa"]:
        ours += [record for record in current.at(records, host) if current.is_caa(record) and record not in others]
    if not old or (members and alone) or (others and not members):
        return []
    back = [each for each in old if not any(_equal(each, other) for other in others)]
    return _batch([*(("DELETE", record) for record in ours), *(("CREATE", each) for each in back)])


def named(given: Mapping[str, Any]) -> tuple[StandingRecord, ...]:
    """Return what stood at the host, as the stack file has it."""
    return tuple(StandingRecord.model_validate(record) for record in given["records"])


def wanted(given: Mapping[str, Any]) -> list[RecordSet]:
    """Return the record sets that the deployment registers right after: the primary, and the CAA records."""
    caa = [_caa(given["host"], given["caa"])] if given["caa"] else []
    return [*caa, member(given, Role.PRIMARY)]


def joined(given: Mapping[str, Any], records: Sequence[RecordSet]) -> list[Change]:
    """Return the batch that creates the standby's record; nothing if it exists, or if the host is not ours."""
    members = {record["Failover"] for record in current.at(records, given["host"]) if current.is_member(record)}
    if ROLES[Role.PRIMARY] not in members or ROLES[Role.STANDBY] in members:
        return []
    return _batch([("CREATE", member(given, Role.STANDBY))])


def member(given: Mapping[str, Any], role: Role) -> RecordSet:
    """Return a member of the host's set as a record set, from the value of `given` for its role."""
    host, what, name = given["host"], given[str(role)], ROLES[role]
    record = {"Name": host, "Type": what["type"], "SetIdentifier": name.lower(), "Failover": name}
    if through := what.get("through"):
        target = {"DNSName": through, "HostedZoneId": given["zone"]["zone_id"], "EvaluateTargetHealth": True}
        return record | {"AliasTarget": target}
    if what["alias"]:
        target = {"DNSName": what["at"][0], "HostedZoneId": what["zone"], "EvaluateTargetHealth": False}
        return record | {"AliasTarget": target, "HealthCheckId": what["check"]}
    values = [{"Value": value} for value in what["at"]]
    return record | {"TTL": what["ttl"], "ResourceRecords": values, "HealthCheckId": what["check"]}


def _caa(host: str, caa: Mapping[str, Any]) -> RecordSet:
    values = [{"Value": value} for value in caa["values"]]
    return {"Name": host, "Type": str(StandingType.CAA), "TTL": caa["ttl"], "ResourceRecords": values}


def _record_set(host: str, record: StandingRecord) -> RecordSet:
    made: RecordSet = {"Name": host, "Type": str(record.type)}
    if record.alias is not None:
        target = {"DNSName": record.alias, "HostedZoneId": record.alias_zone}
        return made | {"AliasTarget": target | {"EvaluateTargetHealth": record.evaluate_target_health}}
    return made | {"TTL": record.ttl, "ResourceRecords": [{"Value": value} for value in record.values]}


def _key(record: Mapping[str, Any]) -> tuple[str, str, str]:
    return current.plain(record["Name"]), record["Type"], record.get("SetIdentifier", "")


def _equal(one: RecordSet, other: RecordSet) -> bool:
    if _key(one) != _key(other) or not (current.is_simple(one) and current.is_simple(other)):
        return False
    return current.same(current.standing(one), current.standing(other))


def _batch(changes: Iterable[tuple[str, RecordSet]]) -> list[Change]:
    return [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
