"""Swap the members of a failover set in one change; writing one after the other would give two equal ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import StepError
from ...topology import Role
from .authority import ROLES
from .current import leads
from .standing import at as standing_at
from .standing import client as route53
from .standing import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: The fields that members exchange: their target, and their health check.
_MOVES = ("AliasTarget", "ResourceRecords", "TTL", "HealthCheckId")


def take(given: Mapping[str, Any], report: Callable[[str], None], client: Any = None) -> dict[str, Any]:
    """Exchange both members of `host` if the standby leads to the new primary.

    `at` is where the new primary is reached. In any other state nothing is changed, because the deployment's next
    writes then never give a set with two members that lead to one place. Route 53 forbids two failover aliases of one
    CloudFront distribution (API reference, AliasTarget). Raises StepError when Route 53 refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        moved = _exchange(client or route53(), given["zone"]["zone_id"], given["host"], given["at"])
    except (BotoCoreError, ClientError) as error:
        raise StepError(f"the members of {given['host']} cannot be exchanged: {error}") from None
    if moved:
        report(f"{given['host']}: primary and standby have changed places in one change")
    return {"exchanged": bool(moved)}


def _exchange(client: Any, zone_id: str, host: str, at: Sequence[str]) -> list[dict[str, Any]]:
    batch = swap(standing_at(read(client, zone_id, host), host), at)
    if batch:
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in batch]
        client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    return batch


def swap(records: Sequence[Mapping[str, Any]], at: Sequence[str]) -> list[dict[str, Any]]:
    """Return both members with their places exchanged, if the standby leads to `at` and the primary does not."""
    members = {record["Failover"]: record for record in records if record.get("Failover")}
    primary, standby = members.get(ROLES[Role.PRIMARY]), members.get(ROLES[Role.STANDBY])
    if primary is None or standby is None or _leads(standby) != _plain(at) or _leads(primary) == _plain(at):
        return []
    return [_with(primary, standby), _with(standby, primary)]


def _with(place: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in place.items() if name not in _MOVES}
    return kept | {name: other[name] for name in _MOVES if name in other}


def _leads(record: Mapping[str, Any]) -> set[str]:
    return _plain(leads(record))


def _plain(names: Iterable[str]) -> set[str]:
    return {name.rstrip(".").lower() for name in names}
