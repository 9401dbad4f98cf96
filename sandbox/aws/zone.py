"""Changes that the owner of the zone makes by hand, such as leading a name somewhere at a vendor's request."""

from __future__ import annotations

from typing import Any

from .inventory import client


def lead(host: str, type_: str, *values: str, ttl: int = 10) -> None:
    """Put a record at a host of the DAO's zone."""
    values_ = [{"Value": value} for value in values]
    change("CREATE", {"Name": host, "Type": type_, "TTL": ttl, "ResourceRecords": values_})


def change(action: str, record: dict[str, Any]) -> None:
    """Change one record of the DAO's zone."""
    route53 = client("route53")
    (zone,) = (one["Id"] for one in route53.list_hosted_zones()["HostedZones"])
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def standing(host: str) -> list[dict[str, Any]]:
    """Return the records at a host, as the API shapes them."""
    route53 = client("route53")
    (zone,) = (one["Id"] for one in route53.list_hosted_zones()["HostedZones"])
    found = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName=host)["ResourceRecordSets"]
    return [one for one in found if one["Name"].rstrip(".") == host]
