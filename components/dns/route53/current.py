"""Where a host's records lead now, asked of Route 53 itself: resolvers may remember old answers, or have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import Unanswered
from ...limits import AWS_CONNECT_S as _CONNECT_S
from ...limits import AWS_ZONE_S as _READ_S

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

#: Record types that lead to a site.
_LEADING = ("A", "AAAA", "CNAME")
#: Tries of one request: a caller has others to ask.
_TRIES = 2
_REGION = "us-east-1"


def places(zone_id: str, host: str) -> list[str]:
    """Return the addresses and names that the records of a host lead to, through other records of the zone.

    Raises what boto3 raises.
    """
    import boto3

    client, found = boto3.client("route53"), []
    left, seen = [host], {host}
    while left:
        name = left.pop(0)
        listed = client.list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=name)["ResourceRecordSets"]
        inside = list(_inside(listed, name, zone_id))
        left += [each for each in inside if each not in seen]
        seen |= set(inside)
        found += [each for each in _targets(listed, name) if _plain(each) not in seen]
    return list(dict.fromkeys(found))


def leading(places: Collection[str], hosts: Collection[str]) -> list[str] | None:
    """Return the records that lead to one of some addresses and names, in every zone that one of the hosts lies in.

    Without hosts all zones of the account are read.

    The list is the newest that there is, with changes that name servers do not answer yet (Route 53 API reference,
    ListResourceRecordSets). Returns None if the account has no such zone. Raises Unanswered when Route 53 does not
    answer.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    wanted = {_plain(each) for each in places}
    limits = Config(connect_timeout=_CONNECT_S, read_timeout=_READ_S, retries={"total_max_attempts": _TRIES})
    try:
        session = boto3.Session()  # Route 53 is the same in every region, and boto3 requires one
        client = session.client("route53", region_name=session.region_name or _REGION, config=limits)
        listed = client.get_paginator("list_hosted_zones").paginate()
        zones = [zone for page in listed for zone in page["HostedZones"] if _holds(_plain(zone["Name"]), hosts)]
        records = client.get_paginator("list_resource_record_sets")
        found = [
            _plain(record["Name"])
            for zone in zones
            for page in records.paginate(HostedZoneId=zone["Id"])
            for record in page["ResourceRecordSets"]
            if record["Type"] in _LEADING and wanted & {_plain(each) for each in leads(record)}
        ]
    except (BotoCoreError, ClientError) as fault:
        raise Unanswered(f"Route 53 does not show its zones ({type(fault).__name__})") from None
    return list(dict.fromkeys(found)) if zones else None


def _holds(zone: str, hosts: Collection[str]) -> bool:
    return not hosts or any(f".{_plain(host)}".endswith(f".{zone}") for host in hosts)


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _targets(records: list[dict[str, Any]], host: str) -> Iterator[str]:
    for record in records:
        if record["Name"].rstrip(".").lower() == host and record["Type"] in _LEADING:
            yield from leads(record)


def _inside(records: list[dict[str, Any]], host: str, zone_id: str) -> Iterator[str]:
    """Yield the names of this zone to which aliases of a host lead."""
    for record in records:
        alias = record.get("AliasTarget")
        if record["Name"].rstrip(".").lower() == host and alias and alias["HostedZoneId"] == zone_id:
            yield _plain(alias["DNSName"])


def leads(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the targets of a record: the name of an alias, else each value, without the dot at the end."""
    if alias := record.get("AliasTarget"):
        yield alias["DNSName"].rstrip(".")
    yield from (value["Value"].rstrip(".") for value in record.get("ResourceRecords", ()))
