"""Previews as exact as the official plugin's, tags of the provider, regions, and functions."""

from __future__ import annotations

import pytest

from components.provider.wire import UNKNOWN
from sandbox.aws.plugin.types import TYPES
from tests.contract.aws_account import Account
from tests.contract.plugin_client import EngineError, Plugin, running

from .inputs import BUCKET, CONTROL, CONTROL_INPUTS, DISTRIBUTION, distribution, unchanged


def test_a_preview_knows_inputs_names_and_tags_and_nothing_that_aws_makes(plugin: Plugin) -> None:
    outputs = plugin.preview(BUCKET, "site", {"forceDestroy": True, "tags": {"a": "b"}})
    unknown = dict.fromkeys(TYPES[BUCKET].computed, UNKNOWN)
    assert outputs == {
        **unknown,
        "bucket": "site-0001020",
        "forceDestroy": True,
        "region": "us-east-1",
        "tags": {"a": "b"},
        "tagsAll": {"a": "b", "project": "unmoor"},
    }


def test_a_preview_of_an_update_keeps_what_aws_made(plugin: Plugin) -> None:
    stood = plugin.create(DISTRIBUTION, "d", distribution())
    preview = plugin.update(stood, distribution(comment="new"), preview=True)
    assert preview.outputs == {**stood.outputs, "comment": "new"}
    plugin.delete(stood)


def test_an_autoname_lasts(plugin: Plugin) -> None:
    stood = plugin.create(CONTROL, "oac", {**CONTROL_INPUTS, "name": "oac-abc"})
    news = plugin.check(CONTROL, "oac", CONTROL_INPUTS, stood, seed=b"\xff" * 32)
    assert news["name"] == "oac-abc"
    plugin.delete(stood)


def test_tags_of_the_provider_reach_what_was_made_without_them(plugin: Plugin, aws: Account) -> None:
    with running("sandbox.aws.plugin", aws.env) as bare:
        bare.configure(region="us-east-1")
        stood = bare.create(BUCKET, "untagged", {})
    assert plugin.diff(stood, {}) == {"tagsAll": "UPDATE"}
    stood = plugin.update(stood, {})
    assert stood.outputs["tagsAll"] == {"project": "unmoor"}
    unchanged(plugin, stood, {})
    plugin.delete(stood)


def test_another_region_is_another_bucket(plugin: Plugin) -> None:
    stood = plugin.create(BUCKET, "eu", {"region": "eu-west-1"})
    assert stood.outputs["bucketRegionalDomainName"].endswith(".s3.eu-west-1.amazonaws.com")
    assert plugin.diff(stood, {}) == {"region": "DELETE_REPLACE"}
    plugin.delete(stood)


def test_who_and_where_we_are(plugin: Plugin, zone: str) -> None:
    assert plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == "123456789012"
    assert plugin.invoke("aws:index/getRegion:getRegion")["region"] == "us-east-1"
    assert plugin.invoke("aws:route53/getZone:getZone", zoneId=zone)["name"] == "dao.example"
    with pytest.raises(EngineError, match=r"no matching Route 53 Hosted Zone found: nowhere\.example"):
        plugin.invoke("aws:route53/getZone:getZone", name="nowhere.example")
