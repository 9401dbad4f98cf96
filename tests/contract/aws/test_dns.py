"""Records, checks and zones: create, nothing to do, update, drift, delete."""

from __future__ import annotations

from typing import Any

from tests.contract.aws_account import Account
from tests.contract.plugin_client import Plugin, Stood

from .inputs import CHECK, CHECK_INPUTS, RECORD, ZONE, failover, simple, unchanged


def test_a_record_lives(plugin: Plugin, zone: str, aws: Account) -> None:
    inputs = simple(zone, "Life.dao.example")
    stood = plugin.create(RECORD, "r", inputs)
    assert (stood.id, stood.outputs["fqdn"]) == (f"{zone}_life.dao.example_A", "life.dao.example")
    unchanged(plugin, stood, inputs)
    assert plugin.diff(stood, {**inputs, "records": ["203.0.113.6"]}) == {"records[0]": "UPDATE"}
    assert plugin.diff(stood, {**inputs, "name": "b.dao.example"}) == {"name": "UPDATE_REPLACE"}
    stood = plugin.update(stood, {**inputs, "ttl": 60})
    route53 = aws.client("route53")
    drifted = {"Name": "life.dao.example", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "198.51.100.1"}]}
    _change(route53, zone, "UPSERT", drifted)
    seen = plugin.read(stood)
    assert seen is not None
    assert seen.inputs == {**stood.inputs, "records": ["198.51.100.1"]}
    assert seen.outputs["records"] == ["198.51.100.1"]
    plugin.delete(stood)
    assert plugin.read(stood) is None
    plugin.delete(stood)


def _change(route53: Any, zone: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def test_roles_swap_in_place_and_a_set_goes_member_by_member(plugin: Plugin, zone: str, check: Stood) -> None:
    alias = [{"name": "d1.cloudfront.net", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}]
    policy = {"zoneId": zone, "name": "swap.dao.example", "type": "A", "healthCheckId": check.id}
    first = {**policy, "setIdentifier": "primary", "failoverRoutingPolicies": [{"type": "PRIMARY"}], "aliases": alias}
    primary = plugin.create(RECORD, "p", first)
    standby = plugin.create(RECORD, "s", failover(zone, "swap.dao.example", "SECONDARY"))
    unchanged(plugin, primary, first)
    swapped = failover(zone, "swap.dao.example", "PRIMARY", healthCheckId=check.id)
    changes = plugin.diff(primary, swapped)
    assert changes == {"aliases": "DELETE", "records": "ADD", "ttl": "ADD"}
    primary = plugin.update(primary, swapped)
    unchanged(plugin, primary, swapped)
    plugin.delete(standby)
    assert plugin.read(primary) is not None
    plugin.delete(primary)


def test_a_record_changes_its_type_in_one_batch(plugin: Plugin, zone: str) -> None:
    stood = plugin.create(RECORD, "r", simple(zone, "type.dao.example"))
    news = simple(zone, "type.dao.example", type="CNAME", records=["x.example"])
    changed = plugin.update(stood, news)
    unchanged(plugin, changed, news)
    plugin.delete(changed)
    assert plugin.read(changed) is None


def test_a_relative_name_and_a_text_record_read_back_the_same(plugin: Plugin, zone: str) -> None:
    inputs = {"zoneId": zone, "name": "txt", "type": "TXT", "ttl": 5, "records": ["v=spf1 -all"]}
    stood = plugin.create(RECORD, "r", inputs)
    assert stood.outputs["fqdn"] == "txt.dao.example"
    unchanged(plugin, stood, inputs)
    plugin.delete(stood)


def test_a_health_check_lives(plugin: Plugin, aws: Account) -> None:
    stood = plugin.create(CHECK, "h", {**CHECK_INPUTS, "tags": {"Name": "docs"}})
    unchanged(plugin, stood, {**CHECK_INPUTS, "tags": {"Name": "docs"}})
    assert plugin.diff(stood, {**CHECK_INPUTS, "requestInterval": 30})["requestInterval"] == "UPDATE_REPLACE"
    changed = {**CHECK_INPUTS, "resourcePath": "/x", "failureThreshold": 2}
    stood = plugin.update(stood, changed)
    unchanged(plugin, stood, changed)
    aws.client("route53").update_health_check(HealthCheckId=stood.id, Disabled=True, FailureThreshold=9)
    seen = plugin.read(stood)
    assert seen is not None
    assert seen.inputs == {**changed, "failureThreshold": 9, "disabled": True}
    plugin.delete(stood)
    assert plugin.read(stood) is None


def test_a_zone_lives(plugin: Plugin) -> None:
    stood = plugin.create(ZONE, "z", {"name": "other.example", "forceDestroy": True})
    assert len(stood.outputs["nameServers"]) == 4
    unchanged(plugin, stood, {"name": "other.example", "forceDestroy": True})
    plugin.create(RECORD, "r", simple(stood.id, "a.other.example"))
    plugin.delete(stood)
    assert plugin.read(stood) is None
