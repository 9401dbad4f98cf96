"""CloudFront's documents: create, nothing to do, update, drift, delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.aws_account import Account
from tests.contract.plugin_client import EngineError, Plugin

from .inputs import (
    CONTROL,
    CONTROL_INPUTS,
    DISTRIBUTION,
    FUNCTION,
    FUNCTION_INPUTS,
    HEADERS,
    HEADERS_INPUTS,
    behavior,
    control,
    distribution,
    refusal,
    unchanged,
)


def test_a_distribution_lives(plugin: Plugin, aws: Account) -> None:
    oac = control(plugin, "oac")
    headers = plugin.create(HEADERS, "h", HEADERS_INPUTS)
    function = plugin.create(FUNCTION, "f", FUNCTION_INPUTS)
    associations = [{"eventType": "viewer-request", "functionArn": function.outputs["arn"]}]
    inputs = distribution(
        origins=[{"originId": "site", "domainName": "b.s3.us-east-1.amazonaws.com", "originAccessControlId": oac.id}],
        defaultCacheBehavior=behavior(responseHeadersPolicyId=headers.id, functionAssociations=associations),
        orderedCacheBehaviors=[behavior(pathPattern="/assets/*")],
        customErrorResponses=[{"errorCode": 403, "responseCode": 404, "responsePagePath": "/404.html"}],
        priceClass="PriceClass_100",
        isIpv6Enabled=True,
        tags={"a": "b"},
    )
    stood = plugin.create(DISTRIBUTION, "d", inputs)
    assert stood.outputs["hostedZoneId"] == "Z2FDTNDATAQYW2"
    assert stood.outputs["status"] == "Deployed"
    assert stood.outputs["domainName"].endswith(".cloudfront.net")
    unchanged(plugin, stood, inputs)
    news = {**inputs, "defaultRootObject": "home.html"}
    assert plugin.diff(stood, news) == {"defaultRootObject": "UPDATE"}
    stood = plugin.update(stood, news)
    unchanged(plugin, stood, news)
    cloudfront = aws.client("cloudfront")
    now = cloudfront.get_distribution_config(Id=stood.id)
    config = now["DistributionConfig"]
    config["DefaultCacheBehavior"]["Compress"] = False
    cloudfront.update_distribution(Id=stood.id, IfMatch=now["ETag"], DistributionConfig=config)
    seen = plugin.read(stood)
    assert seen is not None
    assert seen.inputs["defaultCacheBehavior"]["compress"] is False
    assert plugin.diff(seen, news) == {"defaultCacheBehavior.compress": "UPDATE"}
    for used in (oac, headers, function):
        with pytest.raises(EngineError, match="InUse"):
            plugin.delete(used)
    plugin.delete(stood)
    assert plugin.read(stood) is None
    for one in (oac, headers, function):
        plugin.delete(one)
        assert plugin.read(one) is None


DOCUMENTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "control": (CONTROL, CONTROL_INPUTS, {"signingBehavior": "never"}),
    "headers": (HEADERS, HEADERS_INPUTS, {"comment": "new"}),
    "function": (FUNCTION, FUNCTION_INPUTS, {"comment": "new"}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_of_cloudfront_lives(plugin: Plugin, name: str) -> None:
    token, inputs, change = DOCUMENTS[name]
    stood = plugin.create(token, "doc", inputs)
    unchanged(plugin, stood, inputs)
    assert refusal(plugin, token, "again", {**inputs, "name": stood.inputs["name"]}).count("AlreadyExists") == 1
    changed = plugin.update(stood, {**inputs, **change})
    unchanged(plugin, changed, {**inputs, **change})
    seen = plugin.read(stood)
    assert seen is not None
    assert plugin.diff(seen, inputs) == dict.fromkeys(change, "UPDATE" if next(iter(change)) in inputs else "DELETE")
    plugin.delete(changed)
    assert plugin.read(changed) is None
