"""Where a host's records lead now, asked of Route 53 itself: resolvers may remember, or know nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Record types that lead somewhere.
_LEADING = ("A", "AAAA", "CNAME")


def places(zone_id: str, host: str) -> list[str]:
    """Return the addresses and names that the records of a host lead to. Raises what boto3 raises."""
    import boto3

    found = boto3.client("route53").list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=host)
    return list(dict.fromkeys(_targets(found["ResourceRecordSets"], host)))


def _targets(records: list[dict[str, Any]], host: str) -> Iterator[str]:
    for record in records:
        if record["Name"].rstrip(".").lower() == host and record["Type"] in _LEADING:
            yield from leads(record)


def leads(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a record leads to: the name of an alias, else each value, without the dot at the end."""
    if alias := record.get("AliasTarget"):
        yield alias["DNSName"].rstrip(".")
    yield from (value["Value"].rstrip(".") for value in record.get("ResourceRecords", ()))
