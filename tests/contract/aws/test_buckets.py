"""Buckets and their settings: create, nothing to do, update, drift, delete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.aws_account import Account
from tests.contract.plugin_client import EngineError, Plugin

from .inputs import BLOCK, BUCKET, ENCRYPTION, OWNERSHIP, POLICY, VERSIONING, unchanged


def test_a_bucket_lives(plugin: Plugin, aws: Account) -> None:
    inputs = {"forceDestroy": True, "tags": {"a": "b"}}
    stood = plugin.create(BUCKET, "site", inputs)
    assert stood.outputs["bucketRegionalDomainName"] == f"{stood.id}.s3.us-east-1.amazonaws.com"
    assert stood.outputs["tagsAll"] == {"a": "b", "project": "unmoor"}
    unchanged(plugin, stood, inputs)
    assert plugin.diff(stood, {**inputs, "bucket": "another"}) == {"bucket": "UPDATE_REPLACE"}
    changed = {**inputs, "tags": {"a": "c"}}
    assert plugin.diff(stood, changed) == {"tags.a": "UPDATE", "tagsAll": "UPDATE"}
    stood = plugin.update(stood, changed)
    unchanged(plugin, stood, changed)
    aws.client("s3").put_bucket_tagging(Bucket=stood.id, Tagging={"TagSet": [{"Key": "a", "Value": "drift"}]})
    seen = plugin.read(stood)
    assert seen is not None
    assert (seen.inputs["tags"], seen.outputs["tagsAll"]) == ({"a": "drift"}, {"a": "drift"})
    aws.client("s3").put_object(Bucket=stood.id, Key="k", Body=b"x")
    plugin.delete(stood)
    assert plugin.read(stood) is None


def test_a_bucket_with_versions_goes_only_by_force(plugin: Plugin, aws: Account) -> None:
    stood = plugin.create(BUCKET, "full", {})
    versioning = plugin.create(VERSIONING, "v", {"bucket": stood.id, "versioningConfiguration": {"status": "Enabled"}})
    s3 = aws.client("s3")
    for body in (b"1", b"2"):
        s3.put_object(Bucket=stood.id, Key="k", Body=body)
    s3.delete_object(Bucket=stood.id, Key="k")
    plugin.delete(versioning)
    assert s3.get_bucket_versioning(Bucket=stood.id)["Status"] == "Suspended"
    with pytest.raises(EngineError, match="BucketNotEmpty"):
        plugin.delete(stood)
    plugin.delete(plugin.update(stood, {"forceDestroy": True}))
    assert plugin.read(stood) is None


ASPECTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "versioning": (
        VERSIONING,
        {"versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    "encryption": (
        ENCRYPTION,
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
    ),
    "public access": (
        BLOCK,
        {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True},
        {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": False},
    ),
    "ownership": (
        OWNERSHIP,
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
}


@pytest.mark.parametrize("name", ASPECTS)
def test_settings_of_a_bucket_read_back_and_show_drift(plugin: Plugin, name: str) -> None:
    token, before, after = ASPECTS[name]
    bucket = plugin.create(BUCKET, "aspect", {})
    stood = plugin.create(token, "it", {"bucket": bucket.id, **before})
    unchanged(plugin, stood, {"bucket": bucket.id, **before})
    other = plugin.update(stood, {"bucket": bucket.id, **after})  # stood still holds what was: the world has drifted
    seen = plugin.read(stood)
    assert seen is not None
    assert seen.inputs == {"bucket": bucket.id, **after}
    assert plugin.diff(seen, {"bucket": bucket.id, **before}) != {}
    assert plugin.diff(other, {"bucket": "x", **after}) == {"bucket": "UPDATE_REPLACE"}
    plugin.delete(other)
    plugin.delete(bucket)
    assert plugin.read(other) is None


def test_a_bucket_policy_is_compared_as_a_document_and_its_drift_seen(plugin: Plugin, aws: Account) -> None:
    bucket = plugin.create(BUCKET, "policy", {})
    arns = [f"arn:aws:s3:::{bucket.id}", f"arn:aws:s3:::{bucket.id}/*"]
    tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns}
    tls["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    edge: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}}
    edge |= {"Action": "s3:GetObject", "Resource": arns[1], "Condition": {"StringEquals": {"AWS:SourceArn": "arn"}}}
    document = {"Version": "2012-10-17", "Statement": [tls, edge]}
    stood = plugin.create(POLICY, "p", {"bucket": bucket.id, "policy": json.dumps(document)})
    unchanged(plugin, stood, {"bucket": bucket.id, "policy": json.dumps(document, indent=2)})
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket.id, Key="k", Body=b"a TLS-only policy does not shut us out")
    assert s3.get_object(Bucket=bucket.id, Key="k")["Body"].read()
    s3.put_bucket_policy(Bucket=bucket.id, Policy=json.dumps({**document, "Statement": [edge]}))
    seen = plugin.read(stood)
    assert seen is not None
    assert json.loads(seen.inputs["policy"])["Statement"] == [edge]
    assert plugin.diff(seen, stood.inputs) == {"policy": "UPDATE"}
    s3.delete_bucket_policy(Bucket=bucket.id)
    assert plugin.read(stood) is None
    s3.delete_object(Bucket=bucket.id, Key="k")
    plugin.delete(stood)
    plugin.delete(bucket)
