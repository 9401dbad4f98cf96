"""What Route 53 refuses, and moto alone would not."""

from __future__ import annotations

import pytest

from tests.contract.aws_account import Account
from tests.contract.plugin_client import EngineError, Plugin, Stood

from .inputs import CHECK, CHECK_INPUTS, RECORD, failover, refusal, simple


def test_two_primaries_are_refused(plugin: Plugin, zone: str, check: Stood) -> None:
    first = plugin.create(RECORD, "p", failover(zone, "two.dao.example", "PRIMARY", healthCheckId=check.id))
    inputs = {**failover(zone, "two.dao.example", "PRIMARY", healthCheckId=check.id), "setIdentifier": "other"}
    output = refusal(plugin, RECORD, "q", inputs)
    assert output.startswith("creating Route 53 Record (two.dao.example): operation error ChangeResourceRecordSets, ")
    assert "InvalidChangeBatch" in output
    assert "RRSet with failover PRIMARY exists" in output
    plugin.delete(first)


def test_a_primary_needs_a_health_check(plugin: Plugin, zone: str) -> None:
    output = refusal(plugin, RECORD, "p", failover(zone, "bare.dao.example", "PRIMARY"))
    assert "is a PRIMARY failover record: it must have a health check" in output


def test_an_unknown_health_check_is_refused(plugin: Plugin, zone: str) -> None:
    output = refusal(plugin, RECORD, "p", failover(zone, "x.dao.example", "PRIMARY", healthCheckId="nope"))
    assert "Invalid HealthCheckId [nope]" in output


def test_a_simple_record_next_to_a_failover_set_is_refused(plugin: Plugin, zone: str) -> None:
    standby = plugin.create(RECORD, "s", failover(zone, "mix.dao.example", "SECONDARY"))
    output = refusal(plugin, RECORD, "t", simple(zone, "mix.dao.example"))
    assert "a failover RRSet exists with the same name and type, and this one is simple" in output
    plugin.delete(standby)


def test_nothing_stands_next_to_a_cname(plugin: Plugin, zone: str) -> None:
    name = plugin.create(
        RECORD, "c", {"zoneId": zone, "name": "c.dao.example", "type": "CNAME", "ttl": 5, "records": ["x.example"]}
    )
    assert "conflicts with other records" in refusal(plugin, RECORD, "d", simple(zone, "c.dao.example"))
    plugin.delete(name)


def test_a_cname_at_the_apex_is_refused(plugin: Plugin, zone: str) -> None:
    inputs = {"zoneId": zone, "name": "dao.example", "type": "CNAME", "ttl": 5, "records": ["x.example"]}
    assert "is not permitted at apex in zone dao.example." in refusal(plugin, RECORD, "c", inputs)


def test_a_record_that_exists_is_not_taken_over_unless_asked(plugin: Plugin, zone: str) -> None:
    first = plugin.create(RECORD, "a", simple(zone, "once.dao.example"))
    assert "but it already exists" in refusal(plugin, RECORD, "b", simple(zone, "once.dao.example"))
    assert plugin.create(RECORD, "b", simple(zone, "once.dao.example", allowOverwrite=True)).id == first.id
    plugin.delete(first)


def test_an_alias_to_cloudfront_names_its_zone_and_judges_no_health(plugin: Plugin, zone: str) -> None:
    wrong = {"name": "d1.cloudfront.net", "zoneId": zone, "evaluateTargetHealth": True}
    output = refusal(plugin, RECORD, "a", {"zoneId": zone, "name": "cf.dao.example", "type": "A", "aliases": [wrong]})
    assert "the alias target name does not lie within the target zone" in output
    assert "EvaluateTargetHealth cannot be true for a CloudFront distribution" in output


def test_an_address_that_is_none_is_refused(plugin: Plugin, zone: str) -> None:
    output = refusal(plugin, RECORD, "a", simple(zone, "bad.dao.example", records=["203.0.113"]))
    assert "Value is not a valid IPv4 address" in output


def test_a_health_check_in_use_is_not_deleted(plugin: Plugin, zone: str) -> None:
    stood = plugin.create(CHECK, "used", CHECK_INPUTS)
    record = plugin.create(RECORD, "p", failover(zone, "used.dao.example", "PRIMARY", healthCheckId=stood.id))
    with pytest.raises(EngineError, match=r"HealthCheckInUse: .* is in use by used\.dao\.example\. A"):
        plugin.delete(stood)
    plugin.delete(record)
    plugin.delete(stood)
    assert plugin.read(stood) is None


def test_a_caller_reference_makes_one_health_check(aws: Account) -> None:
    route53 = aws.client("route53")
    config = {"Type": "TCP", "IPAddress": "203.0.113.5", "Port": 80}
    ids = {
        route53.create_health_check(CallerReference="r", HealthCheckConfig=config)["HealthCheck"]["Id"] for _ in "ab"
    }
    assert len(ids) == 1
    with pytest.raises(route53.exceptions.HealthCheckAlreadyExists):
        route53.create_health_check(CallerReference="r", HealthCheckConfig={**config, "Port": 81})
    route53.delete_health_check(HealthCheckId=ids.pop())


def test_two_members_that_are_aliases_of_one_distribution_are_refused(plugin: Plugin, zone: str, check: Stood) -> None:
    """The API reference forbids it for failover alias records."""

    def member(role: str) -> dict:
        alias = {"name": "d1.cloudfront.net", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}
        made = failover(zone, "same.dao.example", role, healthCheckId=check.id)
        return {key: value for key, value in made.items() if key not in {"ttl", "records"}} | {"aliases": [alias]}

    first = plugin.create(RECORD, "p", member("PRIMARY"))
    assert "aliases of one CloudFront distribution" in refusal(plugin, RECORD, "s", member("SECONDARY"))
    plugin.delete(first)


def test_a_batch_is_read_in_order_so_what_goes_comes_first(aws: Account, zone: str) -> None:
    """cookpad/roadworker#89, octodns/octodns#507: an A record before the CNAME of its name is deleted is refused."""
    route53 = aws.client("route53")
    old = {"Name": "order.dao.example", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "x.example"}]}
    new = {"Name": "order.dao.example", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "203.0.113.5"}]}

    def change(*changes: tuple[str, dict]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    change(("CREATE", old))
    with pytest.raises(route53.exceptions.InvalidChangeBatch, match="conflicts with other records"):
        change(("CREATE", new), ("DELETE", old))
    change(("DELETE", old), ("CREATE", new))
    change(("DELETE", new))
