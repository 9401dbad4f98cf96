"""Read a hosted zone for `unmoor zone import`: as octoDNS reads it, compared with what Route 53 lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from ..reading import Found, Listed, compare, from_octodns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORKLOAD = "make the name a workload of the stack, or add the one answer that stays to the file"
_ONE = "add the one answer that stays to the file"
#: Fields that make a set more than plain (API reference, ResourceRecordSet): what it is, and what to choose.
_SPECIAL = (
    ("AliasTarget", "an alias", "add the addresses or a CNAME to the file; an apex takes addresses only"),
    ("Failover", "a member of a failover set", _WORKLOAD),
    ("Weight", "a member of a weighted set", _ONE),
    ("Region", "a member of a latency set", _ONE),
    ("GeoLocation", "a member of a set by place", _ONE),
    ("GeoProximityLocation", "a member of a set by distance", _ONE),
    ("CidrRoutingConfig", "a member of a set by network", _ONE),
    ("MultiValueAnswer", "a member of a multivalue set", "add the values to one set in the file"),
)


def read(zone: str, zone_id: str | None) -> Found:
    """Return the zone's sets and what cannot be carried. Raises ConfigError if the zone is missing or not unique.

    `zone_id` chooses among several public zones of one name.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
    from octodns_route53 import Route53Provider

    try:
        client = boto3.client("route53")
        chosen = zone_id or _only(client, zone)
        pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=chosen)
        listed = [one for page in pages for rrset in page["ResourceRecordSets"] for one in _listed(rrset)]
        return compare(from_octodns(Route53Provider("route53", private=False), zone), listed)
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(f"Route 53 does not give the zone {zone}: {error}") from None


def _only(client: Any, zone: str) -> str:
    pages = client.get_paginator("list_hosted_zones").paginate()
    every = [one for page in pages for one in page["HostedZones"] if one["Name"] == f"{zone}."]
    public = [one["Id"].rpartition("/")[2] for one in every if not one.get("Config", {}).get("PrivateZone")]
    if len(public) == 1:
        return str(public[0])
    if public:
        raise ConfigError(f"dns.zone_id: {len(public)} zones are called {zone}; choose one: {', '.join(public)}")
    raise ConfigError(f"zone: no public zone {zone} is in this AWS account; choose the account that has it")


def _listed(rrset: Mapping[str, Any]) -> Iterator[Listed]:
    host = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), rrset["Name"]).rstrip(".").lower()
    what = [(f"{is_a} ({rrset['SetIdentifier']})" if field != "AliasTarget" else is_a, choose)
            for field, is_a, choose in _SPECIAL if field in rrset]  # fmt: skip
    why, choose = (f"is {' and '.join(each for each, _ in what)}", what[-1][1]) if what else ("", "")
    target = [rrset["AliasTarget"]["DNSName"]] if "AliasTarget" in rrset else []
    for value in [*(each["Value"] for each in rrset.get("ResourceRecords", ())), *target]:
        yield Listed(host, rrset["Type"], value, why, choose)
