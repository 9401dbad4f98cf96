"""Who answers a host at present, as the zone has it: what there is to lose by moving its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...probe.client import Page

#: Record types that lead somewhere.
_LEADING = ("A", "AAAA", "CNAME")


def answering(zone_id: str, url: str, host: str, look: Callable[[str, str | None], Page]) -> list[str]:
    """Name every place that the host's records lead to and that answers `url` with a certificate browsers accept.

    Asks Route 53 itself, since a resolver may remember, or know nothing. What the answer is does not count: whoever
    has the certificate and answers is somebody to lose.
    """
    return [place for place in places(zone_id, host) if not look(url, place).trouble]


def places(zone_id: str, host: str) -> list[str]:
    """Name what the records of a host lead to: addresses, and names of aliases and CNAMEs. Raises what boto3 raises."""
    import boto3

    found = boto3.client("route53").list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=host)
    return list(dict.fromkeys(_targets(found["ResourceRecordSets"], host)))


def _targets(records: list[dict[str, Any]], host: str) -> Iterator[str]:
    for record in records:
        if record["Name"].rstrip(".").lower() == host and record["Type"] in _LEADING:
            if alias := record.get("AliasTarget"):
                yield alias["DNSName"].rstrip(".")
            yield from (value["Value"].rstrip(".") for value in record.get("ResourceRecords", ()))
