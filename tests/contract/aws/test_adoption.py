"""The programs of adoption against the account: one change, made once, undone once, and refused whole."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from components.config import models as config
from components.dns.route53 import adopt, leave, survey
from components.errors import StepError
from components.plan.planner import plan
from components.project import builtin
from components.release import Release
from tests.contract.aws_account import Account
from tests.settings import settings

from .inputs import CERTIFICATE, DISTRIBUTION, RECORD, VALIDATION, distribution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.topology import Topology
    from tests.contract.plugin_client import Plugin, Stood

HOST = "adopted.dao.example"
OLD = {"type": "CNAME", "ttl": 300, "values": ["dao-example.pages.example"]}


@pytest.fixture
def given(zone: str, check: Stood, aws: Account) -> Iterator[dict[str, Any]]:
    put(aws, zone, "CREATE", {"Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": OLD["values"][0]}]})
    primary = {"type": "A", "alias": False, "at": ["203.0.113.7"], "zone": "", "ttl": 30, "check": check.id}
    yield {
        "zone": {"zone_id": zone},
        "apex": "dao.example",
        "host": HOST,
        "records": [OLD],
        "primary": primary,
        "caa": {"ttl": 300, "values": ['0 issue "amazon.com"']},
    }
    for record in stands(aws, zone):
        put(aws, zone, "DELETE", record)


def put(aws: Account, zone: str, action: str, record: dict[str, Any]) -> None:
    changes = [{"Action": action, "ResourceRecordSet": {"Name": HOST} | record}]
    aws.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def stands(aws: Account, zone: str) -> list[dict[str, Any]]:
    listed = aws.client("route53").list_resource_record_sets(HostedZoneId=zone, StartRecordName=HOST)
    return [one for one in listed["ResourceRecordSets"] if one["Name"] == f"{HOST}."]


def types(aws: Account, zone: str) -> list[str]:
    return sorted(one["Type"] for one in stands(aws, zone))


def test_it_is_taken_once_given_back_once_and_taken_again(given, zone, aws):
    output: list[str] = []
    client = aws.client("route53")
    assert adopt.take(given, output.append, client)["stood"] == ["CNAME dao-example.pages.example, ttl 300 s"]
    assert types(aws, zone) == ["A", "CAA"]
    adopt.take(given, output.append, client)
    assert adopt.take(given | {"wait": True}, output.append, client)["host"] == HOST
    assert types(aws, zone) == ["A", "CAA"], "while ours stands, its removal from the file puts nothing back"
    assert len(output) == 1
    assert leave.take(given, output.append, client) == {"host": HOST, "put_back": False}
    assert leave.take(given | {"wait": True}, output.append, client) == {"host": HOST, "put_back": True}
    assert leave.take(given | {"wait": True}, output.append, client) == {"host": HOST, "put_back": False}
    (record,) = stands(aws, zone)
    assert (record["Type"], record["TTL"]) == ("CNAME", 300)
    adopt.take(given, output.append, client)
    assert types(aws, zone) == ["A", "CAA"]


def test_a_refusal_changes_nothing_and_is_a_sentence(given, zone, aws):
    given["primary"]["check"] = "no such check"
    with pytest.raises(StepError, match=r"the records of adopted\.dao\.example cannot be read or changed.*no such"):
        adopt.take(given, print, aws.client("route53"))
    assert types(aws, zone) == ["CNAME"]


def test_records_that_were_removed_by_hand_are_put_back_on_removal(given, zone, aws):
    client = aws.client("route53")
    adopt.take(given, print, client)
    for record in stands(aws, zone):
        put(aws, zone, "DELETE", record)
    adopt.take(given | {"wait": True}, print, client)
    assert types(aws, zone) == ["CNAME"]


@pytest.fixture
def topology() -> Topology:
    stack, _ = config.read(settings())
    assert stack is not None
    docs = stack.workloads["docs"].model_copy(update={"host": HOST})
    return plan(stack.model_copy(update={"workloads": {"docs": docs}}), builtin(), {"docs": Release("a" * 64)})


def seen(topology: Topology, aws: Account) -> list[str]:
    """Return what an update of the stack would be refused for."""
    (docs,) = topology.workloads
    asked = survey.survey(docs, topology.zone, aws.client("route53"), aws.client("cloudfront"))
    return [fault.message for fault in asked.faults]


def test_the_survey_asks_the_zone(aws: Account, zone: str, topology: Topology) -> None:
    assert seen(topology, aws) == []
    put(aws, zone, "CREATE", {"Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "198.51.100.1"}]})
    (fault,) = seen(topology, aws)
    assert fault.startswith(f"A 198.51.100.1, ttl 5 s stands at {HOST}")
    put(aws, zone, "DELETE", stands(aws, zone)[0])
    elsewhere = dataclasses.replace(topology, zone=dataclasses.replace(topology.zone, name="other.example"))
    with pytest.raises(StepError, match=r"no public hosted zone of this account is named other\.example"):
        seen(elsewhere, aws)


def test_a_wildcard_that_answers_the_host_is_found(aws: Account, zone: str, topology: Topology) -> None:
    wild = {"Name": "*.dao.example", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "198.51.100.1"}]}
    put(aws, zone, "CREATE", wild)
    try:
        (fault,) = seen(topology, aws)
    finally:
        put(aws, zone, "DELETE", wild)
    assert fault.startswith(f"{HOST} is answered by *.dao.example (A 198.51.100.1, ttl 5 s)")


def test_a_distribution_that_has_the_host_is_found_and_ours_is_not_meant(
    aws: Account, plugin: Plugin, zone: str, topology: Topology
) -> None:
    names = [HOST, "docs-aws.dao.example"]
    inputs = {"domainName": HOST, "subjectAlternativeNames": names[1:], "validationMethod": "DNS"}
    certificate = plugin.create(CERTIFICATE, "c", inputs)
    made = [certificate]
    for option in certificate.outputs["domainValidationOptions"]:
        value = {"type": option["resourceRecordType"], "ttl": 60, "records": [option["resourceRecordValue"]]}
        record = {"zoneId": zone, "name": option["resourceRecordName"], **value}
        made.append(plugin.create(RECORD, option["domainName"], record))
    fqdns = [record.outputs["fqdn"] for record in made[1:]]
    made.append(plugin.create(VALIDATION, "v", {"certificateArn": certificate.id, "validationRecordFqdns": fqdns}))
    viewer = {"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only"}
    for aliases, refused in ((names[:1], 1), (names, 0)):
        holder = plugin.create(DISTRIBUTION, "d", distribution(aliases=aliases, viewerCertificate=viewer))
        found = seen(topology, aws)
        plugin.delete(holder)
        assert [f"the CloudFront distribution {holder.id} (" in fault for fault in found] == [True] * refused
    for stood in reversed(made):
        plugin.delete(stood)
