"""A record of an interrupted update: ours is taken over, and another's is refused with the command to delete it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from components.dns.route53 import left
from components.errors import StepError

HOST = "docs.dao.example"
CLOUD = {"DNSName": "D111.cloudfront.net.", "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": False}
ADDRESS = {"zoneId": "Z1", "name": HOST, "type": "A", "records": ["203.0.113.7"], "ttl": 60.0}
MEMBER = {**ADDRESS, "setIdentifier": "primary", "failoverRoutingPolicies": [{"type": "PRIMARY"}]}
ALIAS = {"zoneId": "Z1", "name": HOST, "type": "A", "aliases": [{"name": "d111.cloudfront.net", "zoneId": "Z2"}]}
CAA = {**ADDRESS, "type": "CAA", "records": ['0 issue "amazon.com"', '0 issuewild ";"']}


def stands(*values: str, type_: str = "A", name: str = HOST, **more: Any) -> dict[str, Any]:
    """Return a record set as in the API's answer."""
    return {"Name": f"{name}.", "Type": type_, "TTL": 5, "ResourceRecords": [{"Value": each} for each in values]} | more


@pytest.mark.parametrize(
    ("wanted", "record"),
    [
        (ADDRESS, stands("203.0.113.7")),
        (MEMBER, stands("203.0.113.7", SetIdentifier="primary", Failover="PRIMARY", HealthCheckId="old")),
        (ALIAS, {"Name": f"{HOST}.", "Type": "A", "AliasTarget": CLOUD}),
        (CAA, stands('0 issuewild ";"', '0 issue "amazon.com"', type_="CAA")),
        # Other record sets, which do not exclude ours, or which Route 53 itself refuses.
        (MEMBER, stands("203.0.113.9", SetIdentifier="secondary", Failover="SECONDARY")),
        (ADDRESS, stands("203.0.113.9", name=f"www.{HOST}")),
        (ADDRESS, stands('"text"', type_="TXT")),
    ],
)
def test_what_leads_where_ours_would_lead_is_ours(wanted: dict[str, Any], record: dict[str, Any]) -> None:
    left.demand([record], wanted)


@pytest.mark.parametrize(
    ("wanted", "record", "place"),
    [
        (ADDRESS, stands("203.0.113.9"), "203.0.113.9 instead of 203.0.113.7"),
        (ADDRESS, stands("203.0.113.7", "203.0.113.9"), "203.0.113.7, 203.0.113.9 instead of 203.0.113.7"),
        (ADDRESS, {"Name": f"{HOST}.", "Type": "A", "AliasTarget": CLOUD}, "d111.cloudfront.net instead of"),
        (MEMBER, stands("203.0.113.9", SetIdentifier="primary", Failover="PRIMARY"), "203.0.113.9 instead of"),
        (CAA, stands('0 issue "evil\x1b[2J.example"', type_="CAA"), "evil\\x1b[2J.example"),
    ],
)
def test_what_leads_elsewhere_is_left_and_the_command_deletes_exactly_that(
    wanted: dict[str, Any], record: dict[str, Any], place: str
) -> None:
    with pytest.raises(StepError) as caught:
        left.demand([record], wanted)
    sentence = str(caught.value)
    assert place in sentence
    assert "\x1b" not in sentence
    words = shlex.split(sentence.partition("run the update again: ")[2])
    assert words[:5] == ["aws", "route53", "change-resource-record-sets", "--hosted-zone-id", "Z1"]
    assert json.loads(words[6]) == {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
