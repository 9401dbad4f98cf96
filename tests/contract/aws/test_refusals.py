"""What S3, ACM and CloudFront refuse, and moto alone would not."""

from __future__ import annotations

import json

import pytest

from tests.contract.plugin_client import EngineError, Plugin, Refused

from .inputs import (
    BLOCK,
    BUCKET,
    CERTIFICATE,
    DISTRIBUTION,
    FUNCTION,
    POLICY,
    RECORD,
    VALIDATION,
    behavior,
    distribution,
    refusal,
    unchanged,
)


def test_a_public_policy_behind_the_public_access_block_is_refused(plugin: Plugin) -> None:
    bucket = plugin.create(BUCKET, "guarded", {})
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket.id}/*"}]}
    inputs = {"bucket": bucket.id, "policy": json.dumps(document)}
    assert "AccessDenied" in refusal(plugin, POLICY, "p", inputs)
    block = plugin.create(BLOCK, "b", {"bucket": bucket.id, "blockPublicPolicy": False})
    for stood in (plugin.create(POLICY, "p", inputs), block, bucket):
        plugin.delete(stood)


def test_a_policy_for_another_bucket_is_malformed(plugin: Plugin) -> None:
    bucket = plugin.create(BUCKET, "other", {})
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::elsewhere"}
    inputs = {"bucket": bucket.id, "policy": json.dumps({"Statement": [statement]})}
    assert "MalformedPolicy: Policy has invalid resource" in refusal(plugin, POLICY, "p", inputs)
    plugin.delete(bucket)


def test_a_bucket_name_is_taken_once(plugin: Plugin) -> None:
    bucket = plugin.create(BUCKET, "a", {"bucket": "taken-name"})
    assert "BucketAlreadyExists" in refusal(plugin, BUCKET, "b", {"bucket": "taken-name"})
    plugin.delete(bucket)


def test_a_distribution_with_names_needs_their_certificate(plugin: Plugin) -> None:
    said = refusal(plugin, DISTRIBUTION, "d", distribution(aliases=["docs.dao.example"]))
    assert said.startswith("creating CloudFront Distribution (d): operation error CreateDistribution")
    assert "InvalidViewerCertificate: To add an alternate domain name (CNAME)" in said


def test_a_certificate_of_another_region_is_refused(plugin: Plugin) -> None:
    certificate = plugin.create(CERTIFICATE, "c", {"domainName": "eu.dao.example", "region": "eu-west-1"})
    assert certificate.id.startswith("arn:aws:acm:eu-west-1:")
    viewer = {"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only"}
    said = refusal(plugin, DISTRIBUTION, "d", distribution(aliases=["eu.dao.example"], viewerCertificate=viewer))
    assert "isn't in us-east-1 region" in said
    plugin.delete(certificate)


def test_a_distribution_refers_only_to_what_exists(plugin: Plugin) -> None:
    said = refusal(plugin, DISTRIBUTION, "d", distribution(defaultCacheBehavior=behavior(cachePolicyId="nope")))
    assert "NoSuchCachePolicy" in said
    origins = [{"originId": "site", "domainName": "b.s3.us-east-1.amazonaws.com", "originAccessControlId": "E0"}]
    assert "NoSuchOriginAccessControl" in refusal(plugin, DISTRIBUTION, "d", distribution(origins=origins))
    lost = distribution(defaultCacheBehavior=behavior(targetOriginId="lost"))
    assert "NoSuchOrigin" in refusal(plugin, DISTRIBUTION, "d", lost)


def test_a_validation_waits_for_its_records_and_then_answers(plugin: Plugin, zone: str) -> None:
    names = ["val.dao.example", "val-aws.dao.example"]
    inputs = {"domainName": names[0], "subjectAlternativeNames": [names[1]], "validationMethod": "DNS"}
    certificate = plugin.create(CERTIFICATE, "c", inputs)
    options = certificate.outputs["domainValidationOptions"]
    assert [option["domainName"] for option in options] == names
    with pytest.raises(EngineError, match=r"timeout while waiting for state to become 'ISSUED' .*PENDING_VALIDATION"):
        plugin.create(VALIDATION, "v", {"certificateArn": certificate.id}, timeout=0.5)
    with pytest.raises(EngineError, match="missing DNS validation record"):
        plugin.create(VALIDATION, "v", {"certificateArn": certificate.id, "validationRecordFqdns": ["x"]})
    records = [
        plugin.create(
            RECORD,
            option["domainName"],
            {
                "zoneId": zone,
                "name": option["resourceRecordName"],
                "type": option["resourceRecordType"],
                "ttl": 60,
                "records": [option["resourceRecordValue"]],
            },
        )
        for option in options
    ]
    fqdns = [record.outputs["fqdn"] for record in records]
    validation = plugin.create(VALIDATION, "v", {"certificateArn": certificate.id, "validationRecordFqdns": fqdns})
    unchanged(plugin, validation, validation.inputs)
    viewer = {"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only"}
    said = refusal(plugin, DISTRIBUTION, "d", distribution(aliases=["no.dao.example"], viewerCertificate=viewer))
    assert "doesn't cover the alternate domain name" in said
    shown = plugin.create(DISTRIBUTION, "d", distribution(aliases=names, viewerCertificate=viewer))
    said = refusal(plugin, DISTRIBUTION, "e", distribution(aliases=names[:1], viewerCertificate=viewer))
    assert "CNAMEAlreadyExists" in said
    with pytest.raises(EngineError, match="ResourceInUseException"):
        plugin.delete(certificate)
    for stood in (shown, validation, *records, certificate):
        plugin.delete(stood)
    assert plugin.read(certificate) is None


def test_a_functions_name_has_64_characters_with_what_pulumi_adds(plugin: Plugin) -> None:
    """The longest name of a workload is 40 characters long."""
    inputs = {"code": "function handler(event) { return event.request; }", "runtime": "cloudfront-js-2.0"}
    longest = plugin.create(FUNCTION, f"{'w' * 40}-aws-response", inputs)
    assert len(longest.id) == 61
    plugin.delete(longest)
    with pytest.raises(Refused, match="has 1 to 64"):
        plugin.create(FUNCTION, "w" * 57, inputs)
