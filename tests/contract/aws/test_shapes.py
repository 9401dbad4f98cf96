"""What the stand-in refuses before it asks AWS: names and shapes of the official classes, and their own rules."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from components.provider.wire import UNKNOWN
from sandbox.aws.plugin.reflect import resource_class
from sandbox.aws.plugin.types import TYPES
from tests.contract.plugin_client import Plugin

from .inputs import BUCKET, CHECK, CHECK_INPUTS, DISTRIBUTION, RECORD, behavior, distribution


@pytest.mark.parametrize("token", sorted(TYPES))
def test_every_row_speaks_of_the_official_classes_inputs(token: str) -> None:
    from pulumi._types import input_type_py_to_pulumi_names

    names = set(input_type_py_to_pulumi_names(resource_class(token)).values())
    row = TYPES[token]
    assert row.inputs - names == set()
    assert row.replaces - names == set()
    assert {row.name} - names - {""} == set()


@pytest.mark.parametrize("token", sorted(TYPES))
def test_every_token_and_computed_output_is_the_official_one(token: str) -> None:
    import pulumi

    resource = inspect.getmodule(resource_class(token)).__dict__[token.rpartition(":")[2]]  # type: ignore[union-attr]
    assert f"'{token}'" in inspect.getsource(resource)
    getters = [value.fget for value in vars(resource).values() if isinstance(value, property)]
    outputs = {getattr(getter, "_pulumi_name", getter.__name__) for getter in getters if getter}
    assert pulumi is not None
    assert TYPES[token].computed - outputs == set()


def test_a_misspelt_property_is_named_with_the_one_that_was_meant(plugin: Plugin) -> None:
    refused = plugin.refused(BUCKET, {"buckett": "x"})
    assert refused == {"buckett": "an argument named buckett is not expected here; did you mean bucket?"}


def test_a_misspelt_property_deep_inside_is_named_by_its_path(plugin: Plugin) -> None:
    inputs = distribution(
        defaultCacheBehavior=behavior(viewerProtocol="x"),
        origins=[{"originId": "site", "domainName": "a.b", "customOriginConfig": {"httpPort": 80}}],
    )
    refused = plugin.refused(DISTRIBUTION, inputs)
    assert sorted(refused) == [
        "defaultCacheBehavior.viewerProtocol",
        "origins[0].customOriginConfig.httpsPort",
        "origins[0].customOriginConfig.originProtocolPolicy",
        "origins[0].customOriginConfig.originSslProtocols",
    ]
    assert "did you mean viewerProtocolPolicy?" in refused["defaultCacheBehavior.viewerProtocol"]
    assert refused["origins[0].customOriginConfig.httpsPort"] == "missing required property"


def test_a_value_of_the_wrong_shape_is_refused(plugin: Plugin) -> None:
    refused = plugin.refused(RECORD, {"zoneId": "Z", "name": 1, "type": "A", "ttl": "x", "records": "1.2.3.4"})
    assert refused == {
        "name": "expected a string, got a number",
        "ttl": "expected a number, got a string",
        "records": "expected a list, got a string",
    }


def test_missing_properties_are_all_named(plugin: Plugin) -> None:
    assert sorted(plugin.refused(RECORD, {"ttl": 1})) == ["name", "type", "zoneId"]


def test_what_aws_has_and_the_sandbox_has_not_is_named(plugin: Plugin) -> None:
    assert "AWS has this, and the sandbox does not" in plugin.refused(BUCKET, {"lifecycleRules": []})["lifecycleRules"]


RECORD_FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "alias with ttl": (
        {"ttl": 5, "aliases": [{"name": "x", "zoneId": "Z", "evaluateTargetHealth": False}]},
        {"ttl"},
    ),
    "alias with records": (
        {"records": ["1.2.3.4"], "aliases": [{"name": "x", "zoneId": "Z", "evaluateTargetHealth": False}]},
        {"records", "ttl"},
    ),
    "ttl missing": ({"records": ["1.2.3.4"]}, {"ttl"}),
    "nothing": ({}, {"records"}),
    "policy without identifier": (
        {"ttl": 5, "records": ["1.2.3.4"], "failoverRoutingPolicies": [{"type": "PRIMARY"}]},
        {"setIdentifier"},
    ),
    "no such role": (
        {"ttl": 5, "records": ["1.2.3.4"], "setIdentifier": "a", "failoverRoutingPolicies": [{"type": "FIRST"}]},
        {"failoverRoutingPolicies[0].type"},
    ),
    "no such type": ({"ttl": 5, "records": ["1.2.3.4"], "type": "ALIAS"}, {"type"}),
    "alias without evaluateTargetHealth": (
        {"aliases": [{"name": "x", "zoneId": "Z"}]},
        {"aliases[0].evaluateTargetHealth"},
    ),
}


@pytest.mark.parametrize("name", RECORD_FAULTS)
def test_a_record_that_cannot_be_is_refused_before_it_is_sent(plugin: Plugin, name: str) -> None:
    inputs, paths = RECORD_FAULTS[name]
    assert set(plugin.refused(RECORD, {"zoneId": "Z", "name": "a.dao.example", "type": "A", **inputs})) == paths


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"requestInterval": 17}, "requestInterval"),
        ({"failureThreshold": 11}, "failureThreshold"),
        ({"failureThreshold": 0}, "failureThreshold"),
        ({"type": "PING"}, "type"),
    ],
)
def test_a_health_check_out_of_range_is_refused(plugin: Plugin, inputs: dict[str, Any], path: str) -> None:
    assert set(plugin.refused(CHECK, {**CHECK_INPUTS, **inputs})) == {path}


def test_unknown_values_are_refused_nothing(plugin: Plugin) -> None:
    inputs = {"zoneId": UNKNOWN, "name": "x", "type": "A", "aliases": UNKNOWN, "healthCheckId": UNKNOWN}
    assert plugin.refused(RECORD, inputs) == {}
    assert plugin.refused(DISTRIBUTION, distribution(viewerCertificate=UNKNOWN, origins=UNKNOWN)) == {}
