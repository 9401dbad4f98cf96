"""The `aws` stand-in: shapes from the official classes, previews, drift, and life cycles, over gRPC and against moto.

It cannot prove that AWS itself accepts what is accepted here; it proves names, order, refusals and changes of state.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest

from components.provider.wire import UNKNOWN
from sandbox.aws.plugin.reflect import resource_class
from sandbox.aws.plugin.types import TYPES

from .aws_account import Account, account
from .plugin_client import EngineError, Plugin, Stood, running

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
RECORD = "aws:route53/record:Record"
CHECK = "aws:route53/healthCheck:HealthCheck"
ZONE = "aws:route53/zone:Zone"
CERTIFICATE = "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
CONTROL = "aws:cloudfront/originAccessControl:OriginAccessControl"
HEADERS = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
CACHE = "aws:cloudfront/cachePolicy:CachePolicy"
REQUEST = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
FUNCTION = "aws:cloudfront/function:Function"

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("aws")) as running_account:
        yield running_account


@pytest.fixture(scope="module")
def plugin(aws: Account) -> Iterator[Plugin]:
    with running("sandbox.aws.plugin", aws.env) as plugin:
        plugin.configure(region="us-east-1", defaultTags=json.dumps({"tags": {"project": "unmoor"}}))
        yield plugin


@pytest.fixture(scope="module")
def zone(plugin: Plugin) -> str:
    return str(plugin.invoke("aws:route53/getZone:getZone", name="dao.example")["zoneId"])


@pytest.fixture(scope="module")
def check(plugin: Plugin) -> Stood:
    return plugin.create(CHECK, "shared", CHECK_INPUTS)


CHECK_INPUTS: dict[str, Any] = {
    "type": "HTTPS",
    "fqdn": "docs-aws.dao.example",
    "resourcePath": "/healthz",
    "requestInterval": 10,
    "failureThreshold": 3,
}


def simple(zone: str, name: str, **more: Any) -> dict[str, Any]:
    return {"zoneId": zone, "name": name, "type": "A", "ttl": 10, "records": ["203.0.113.5"], **more}


def failover(zone: str, name: str, role: str, **more: Any) -> dict[str, Any]:
    return simple(zone, name, setIdentifier=role.lower(), failoverRoutingPolicies=[{"type": role}], **more)


def behavior(**more: Any) -> dict[str, Any]:
    return {
        "allowedMethods": ["GET", "HEAD"],
        "cachedMethods": ["GET", "HEAD"],
        "targetOriginId": "site",
        "viewerProtocolPolicy": "redirect-to-https",
        "cachePolicyId": OPTIMIZED,
        "compress": True,
        **more,
    }


def distribution(**more: Any) -> dict[str, Any]:
    return {
        "enabled": True,
        "comment": "docs",
        "origins": [{"originId": "site", "domainName": "b.s3.us-east-1.amazonaws.com"}],
        "defaultCacheBehavior": behavior(),
        "defaultRootObject": "index.html",
        "restrictions": {"geoRestriction": {"restrictionType": "none"}},
        "viewerCertificate": {"cloudfrontDefaultCertificate": True},
        **more,
    }


def control(plugin: Plugin, name: str) -> Stood:
    inputs = {"originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}
    return plugin.create(CONTROL, name, inputs)


def unchanged(plugin: Plugin, stood: Stood, news: dict[str, Any]) -> None:
    """Neither a second run nor a refresh finds anything to do."""
    assert plugin.diff(stood, news) == {}
    seen = plugin.read(stood)
    assert seen is not None
    assert seen.inputs == stood.inputs
    assert seen.outputs == stood.outputs


# -- the table against the official classes


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


# -- refusals before anything is asked of AWS


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


def test_what_aws_has_and_the_sandbox_has_not_is_said_so(plugin: Plugin) -> None:
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


# -- refusals of the account


def _refusal(plugin: Plugin, token: str, name: str, inputs: dict[str, Any]) -> str:
    with pytest.raises(EngineError) as error:
        plugin.create(token, name, inputs)
    return str(error.value)


def test_two_primaries_are_refused(plugin: Plugin, zone: str, check: Stood) -> None:
    first = plugin.create(RECORD, "p", failover(zone, "two.dao.example", "PRIMARY", healthCheckId=check.id))
    inputs = {**failover(zone, "two.dao.example", "PRIMARY", healthCheckId=check.id), "setIdentifier": "other"}
    said = _refusal(plugin, RECORD, "q", inputs)
    assert said.startswith("creating Route 53 Record (two.dao.example): operation error ChangeResourceRecordSets, ")
    assert "InvalidChangeBatch" in said
    assert "RRSet with failover PRIMARY exists" in said
    plugin.delete(first)


def test_a_primary_needs_a_health_check(plugin: Plugin, zone: str) -> None:
    said = _refusal(plugin, RECORD, "p", failover(zone, "bare.dao.example", "PRIMARY"))
    assert "is a PRIMARY failover record: it must have a health check" in said


def test_an_unknown_health_check_is_refused(plugin: Plugin, zone: str) -> None:
    said = _refusal(plugin, RECORD, "p", failover(zone, "x.dao.example", "PRIMARY", healthCheckId="nope"))
    assert "Invalid HealthCheckId [nope]" in said


def test_a_simple_record_beside_a_failover_set_is_refused(plugin: Plugin, zone: str) -> None:
    standby = plugin.create(RECORD, "s", failover(zone, "mix.dao.example", "SECONDARY"))
    said = _refusal(plugin, RECORD, "t", simple(zone, "mix.dao.example"))
    assert "a failover RRSet exists with the same name and type, and this one is simple" in said
    plugin.delete(standby)


def test_nothing_stands_beside_a_cname(plugin: Plugin, zone: str) -> None:
    name = plugin.create(
        RECORD, "c", {"zoneId": zone, "name": "c.dao.example", "type": "CNAME", "ttl": 5, "records": ["x.example"]}
    )
    assert "conflicts with other records" in _refusal(plugin, RECORD, "d", simple(zone, "c.dao.example"))
    plugin.delete(name)


def test_a_cname_at_the_apex_is_refused(plugin: Plugin, zone: str) -> None:
    inputs = {"zoneId": zone, "name": "dao.example", "type": "CNAME", "ttl": 5, "records": ["x.example"]}
    assert "is not permitted at apex in zone dao.example." in _refusal(plugin, RECORD, "c", inputs)


def test_a_record_that_exists_is_not_taken_over_unless_asked(plugin: Plugin, zone: str) -> None:
    first = plugin.create(RECORD, "a", simple(zone, "once.dao.example"))
    assert "but it already exists" in _refusal(plugin, RECORD, "b", simple(zone, "once.dao.example"))
    assert plugin.create(RECORD, "b", simple(zone, "once.dao.example", allowOverwrite=True)).id == first.id
    plugin.delete(first)


def test_an_alias_to_cloudfront_names_its_zone_and_judges_no_health(plugin: Plugin, zone: str) -> None:
    wrong = {"name": "d1.cloudfront.net", "zoneId": zone, "evaluateTargetHealth": True}
    said = _refusal(plugin, RECORD, "a", {"zoneId": zone, "name": "cf.dao.example", "type": "A", "aliases": [wrong]})
    assert "the alias target name does not lie within the target zone" in said
    assert "EvaluateTargetHealth cannot be true for a CloudFront distribution" in said


def test_an_address_that_is_none_is_refused(plugin: Plugin, zone: str) -> None:
    said = _refusal(plugin, RECORD, "a", simple(zone, "bad.dao.example", records=["203.0.113"]))
    assert "Value is not a valid IPv4 address" in said


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


def test_a_public_policy_behind_the_public_access_block_is_refused(plugin: Plugin) -> None:
    bucket = plugin.create(BUCKET, "guarded", {})
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket.id}/*"}]}
    inputs = {"bucket": bucket.id, "policy": json.dumps(document)}
    assert "AccessDenied" in _refusal(plugin, POLICY, "p", inputs)
    block = plugin.create(BLOCK, "b", {"bucket": bucket.id, "blockPublicPolicy": False})
    for stood in (plugin.create(POLICY, "p", inputs), block, bucket):
        plugin.delete(stood)


def test_a_policy_for_another_bucket_is_malformed(plugin: Plugin) -> None:
    bucket = plugin.create(BUCKET, "other", {})
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::elsewhere"}
    inputs = {"bucket": bucket.id, "policy": json.dumps({"Statement": [statement]})}
    assert "MalformedPolicy: Policy has invalid resource" in _refusal(plugin, POLICY, "p", inputs)
    plugin.delete(bucket)


def test_a_bucket_name_is_taken_once(plugin: Plugin) -> None:
    bucket = plugin.create(BUCKET, "a", {"bucket": "taken-name"})
    assert "BucketAlreadyExists" in _refusal(plugin, BUCKET, "b", {"bucket": "taken-name"})
    plugin.delete(bucket)


def test_a_distribution_with_names_needs_their_certificate(plugin: Plugin) -> None:
    said = _refusal(plugin, DISTRIBUTION, "d", distribution(aliases=["docs.dao.example"]))
    assert said.startswith("creating CloudFront Distribution (d): operation error CreateDistribution")
    assert "InvalidViewerCertificate: To add an alternate domain name (CNAME)" in said


def test_a_certificate_of_another_region_is_refused(plugin: Plugin) -> None:
    certificate = plugin.create(CERTIFICATE, "c", {"domainName": "eu.dao.example", "region": "eu-west-1"})
    assert certificate.id.startswith("arn:aws:acm:eu-west-1:")
    viewer = {"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only"}
    said = _refusal(plugin, DISTRIBUTION, "d", distribution(aliases=["eu.dao.example"], viewerCertificate=viewer))
    assert "isn't in us-east-1 region" in said
    plugin.delete(certificate)


def test_a_distribution_refers_only_to_what_exists(plugin: Plugin) -> None:
    said = _refusal(plugin, DISTRIBUTION, "d", distribution(defaultCacheBehavior=behavior(cachePolicyId="nope")))
    assert "NoSuchCachePolicy" in said
    origins = [{"originId": "site", "domainName": "b.s3.us-east-1.amazonaws.com", "originAccessControlId": "E0"}]
    assert "NoSuchOriginAccessControl" in _refusal(plugin, DISTRIBUTION, "d", distribution(origins=origins))
    lost = distribution(defaultCacheBehavior=behavior(targetOriginId="lost"))
    assert "NoSuchOrigin" in _refusal(plugin, DISTRIBUTION, "d", lost)


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
    said = _refusal(plugin, DISTRIBUTION, "d", distribution(aliases=["no.dao.example"], viewerCertificate=viewer))
    assert "doesn't cover the alternate domain name" in said
    shown = plugin.create(DISTRIBUTION, "d", distribution(aliases=names, viewerCertificate=viewer))
    said = _refusal(plugin, DISTRIBUTION, "e", distribution(aliases=names[:1], viewerCertificate=viewer))
    assert "CNAMEAlreadyExists" in said
    with pytest.raises(EngineError, match="ResourceInUseException"):
        plugin.delete(certificate)
    for stood in (shown, validation, *records, certificate):
        plugin.delete(stood)
    assert plugin.read(certificate) is None


# -- previews


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


CONTROL_INPUTS = {"originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}


# -- life cycles: create, nothing to do, update in place, drift, replace, delete


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
def test_what_is_said_about_a_bucket_lives(plugin: Plugin, name: str) -> None:
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


HEADERS_INPUTS: dict[str, Any] = {
    "securityHeadersConfig": {
        "strictTransportSecurity": {"accessControlMaxAgeSec": 63072000, "includeSubdomains": True, "override": True},
        "contentTypeOptions": {"override": True},
        "frameOptions": {"frameOption": "DENY", "override": True},
        "referrerPolicy": {"referrerPolicy": "same-origin", "override": True},
        "contentSecurityPolicy": {"contentSecurityPolicy": "default-src 'self'", "override": True},
        "xssProtection": {"modeBlock": True, "protection": True, "override": True},
    },
    "customHeadersConfig": {"items": [{"header": "x-site", "value": "aws", "override": True}]},
}
FUNCTION_INPUTS: dict[str, Any] = {
    "runtime": "cloudfront-js-2.0",
    "comment": "index",
    "code": "function handler(event) { return event.request; }",
}
NONE = {"cookieBehavior": "none"}, {"headerBehavior": "none"}, {"queryStringBehavior": "none"}
CACHE_INPUTS: dict[str, Any] = {
    "minTtl": 1,
    "defaultTtl": 60,
    "maxTtl": 600,
    "parametersInCacheKeyAndForwardedToOrigin": {
        "enableAcceptEncodingGzip": True,
        "cookiesConfig": {"cookieBehavior": "whitelist", "cookies": {"items": ["a", "b"]}},
        "headersConfig": NONE[1],
        "queryStringsConfig": NONE[2],
    },
}
REQUEST_INPUTS = {"cookiesConfig": NONE[0], "headersConfig": NONE[1], "queryStringsConfig": NONE[2]}
DOCUMENTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "control": (CONTROL, CONTROL_INPUTS, {"signingBehavior": "never"}),
    "headers": (HEADERS, HEADERS_INPUTS, {"comment": "new"}),
    "cache": (CACHE, CACHE_INPUTS, {"maxTtl": 700}),
    "request": (REQUEST, REQUEST_INPUTS, {"comment": "new"}),
    "function": (FUNCTION, FUNCTION_INPUTS, {"comment": "new"}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_of_cloudfront_lives(plugin: Plugin, name: str) -> None:
    token, inputs, change = DOCUMENTS[name]
    stood = plugin.create(token, "doc", inputs)
    unchanged(plugin, stood, inputs)
    assert _refusal(plugin, token, "again", {**inputs, "name": stood.inputs["name"]}).count("AlreadyExists") == 1
    changed = plugin.update(stood, {**inputs, **change})
    unchanged(plugin, changed, {**inputs, **change})
    seen = plugin.read(stood)
    assert seen is not None
    assert plugin.diff(seen, inputs) == dict.fromkeys(change, "UPDATE" if next(iter(change)) in inputs else "DELETE")
    plugin.delete(changed)
    assert plugin.read(changed) is None


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


# -- functions


def test_the_managed_policies_are_found_by_name(plugin: Plugin) -> None:
    found = plugin.invoke("aws:cloudfront/getCachePolicy:getCachePolicy", name="Managed-CachingOptimized")
    assert (found["id"], found["defaultTtl"]) == (OPTIMIZED, 86400)
    token = "aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy"
    assert plugin.invoke(token, name="Managed-SecurityHeadersPolicy")["id"] == "67f7725c-6f97-4210-82d7-5512b31e9d03"
    token = "aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy"
    assert plugin.invoke(token, name="Managed-AllViewer")["id"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"
    with pytest.raises(EngineError, match="couldn't find resource"):
        plugin.invoke(token, name="Managed-Nothing")


def test_who_and_where_we_are(plugin: Plugin, zone: str) -> None:
    assert plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == "123456789012"
    assert plugin.invoke("aws:index/getRegion:getRegion")["region"] == "us-east-1"
    assert plugin.invoke("aws:route53/getZone:getZone", zoneId=zone)["name"] == "dao.example"
    with pytest.raises(EngineError, match=r"no matching Route 53 Hosted Zone found: nowhere\.example"):
        plugin.invoke("aws:route53/getZone:getZone", name="nowhere.example")


def test_a_policy_document_is_rendered(plugin: Plugin) -> None:
    statement = {
        "actions": ["s3:GetObject"],
        "resources": ["arn:aws:s3:::b/*"],
        "principals": [{"type": "Service", "identifiers": ["cloudfront.amazonaws.com"]}],
        "conditions": [{"test": "StringEquals", "variable": "AWS:SourceArn", "values": ["arn"]}],
    }
    found = plugin.invoke("aws:iam/getPolicyDocument:getPolicyDocument", statements=[statement])
    assert json.loads(found["json"])["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::b/*",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Condition": {"StringEquals": {"AWS:SourceArn": "arn"}},
        }
    ]


# -- the account


def test_the_plugin_speaks_to_the_sandbox_only(aws: Account) -> None:
    with running("sandbox.aws.plugin", {**aws.env, "AWS_ENDPOINT_URL": ""}) as plugin:
        with pytest.raises(EngineError, match=r"speaks to the sandbox only, not to AWS \(AWS_ENDPOINT_URL\)"):
            plugin.configure(region="us-east-1")
        with pytest.raises(EngineError, match=r"not to https://s3\.amazonaws\.com \(endpoint s3\)"):
            plugin.configure(endpoints=json.dumps([{"": aws.url(), "s3": "https://s3.amazonaws.com"}]))


def test_the_stores_are_two_accounts_and_anybody_may_read_their_bundles(aws: Account) -> None:
    import httpx

    for door, bucket in (("aws", "dao-example-aws"), ("storj", "dao-example-storj")):
        s3 = aws.client("s3", door)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        s3.put_object(Bucket=bucket, Key="docs/x.tar", Body=b"bundle")
        assert httpx.get(f"{aws.url(door)}/{bucket}/docs/x.tar").text == "bundle"
    assert httpx.get(f"{aws.url('storj')}/dao-example-aws/docs/x.tar").status_code == 404
    assert httpx.get(f"{aws.url()}/dao-example-storj/docs/x.tar").status_code == 404


def test_a_stranger_reads_no_private_bucket(aws: Account) -> None:
    import httpx

    s3 = aws.client("s3")
    s3.create_bucket(Bucket="not-for-strangers")
    s3.put_object(Bucket="not-for-strangers", Key="k", Body=b"x")
    assert httpx.get(f"{aws.url()}/not-for-strangers/k").status_code == 403
    s3.delete_object(Bucket="not-for-strangers", Key="k")
    s3.delete_bucket(Bucket="not-for-strangers")


FAULTS = {
    "aws-down": ({"route53 read", "route53 write", "s3", "store"}, "storj"),
    "dns-control-plane-down": ({"route53 write"}, ""),
    "store-gone-aws": ({"store"}, ""),
    "store-gone-storj": ({"storj"}, ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_what_it_names_and_nothing_else(aws: Account, zone: str, fault: str) -> None:
    import httpx

    head = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/{}/aws4_request, SignedHeaders=, Signature="
    }

    def status(method: str, path: str, service: str, door: str = "aws", **headers: str) -> int:
        signed = {name: value.format(service) for name, value in head.items()}
        return httpx.request(method, f"{aws.url(door)}{path}", headers={**signed, **headers}, content=b"").status_code

    asked = {
        "route53 read": lambda **more: status("GET", "/2013-04-01/hostedzone", "route53", **more),
        "route53 write": lambda **more: status("DELETE", "/2013-04-01/healthcheck/none", "route53", **more),
        "s3": lambda **more: status("GET", "/", "s3", **more),
        "store": lambda **more: status("GET", "/dao-example-aws", "s3", **more),
        "storj": lambda **more: status("GET", "/dao-example-storj", "s3", "storj", **more),
    }
    aws.state.start_fault(fault)
    try:
        broken = {name for name, ask in asked.items() if ask() == 503}
        inside = {name for name, ask in asked.items() if ask(**{"X-Sandbox": "data-plane"}) == 503}
    finally:
        aws.state.end_fault(fault)
    assert broken == FAULTS[fault][0]
    assert inside == (broken if fault.startswith("store-gone") else set())
    assert not any(ask() == 503 for ask in asked.values())


def test_a_fault_reads_as_what_it_is(plugin: Plugin, aws: Account, zone: str) -> None:
    aws.state.start_fault("dns-control-plane-down")
    try:
        said = _refusal(plugin, RECORD, "r", simple(zone, "down.dao.example"))
    finally:
        aws.state.end_fault("dns-control-plane-down")
    assert "StatusCode: 503, ServiceUnavailable: The Route 53 control plane in us-east-1 is down." in said
    assert "mend dns-control-plane-down" in said


def test_the_inventory_names_everything_and_is_empty_at_the_end(
    plugin: Plugin, aws: Account, zone: str, check: Stood, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.aws import inventory

    monkeypatch.setenv("UNMOOR_SANDBOX", aws.env["UNMOOR_SANDBOX"])
    stood = [
        check,
        plugin.create(RECORD, "r", simple(zone, "seen.dao.example")),
        plugin.create(BUCKET, "b", {"bucket": "seen-bucket"}),
        control(plugin, "seen-oac"),
        plugin.create(FUNCTION, "f", {**FUNCTION_INPUTS, "name": "seen-function"}),
        plugin.create(CACHE, "c", {**CACHE_INPUTS, "name": "seen-cache"}),
        plugin.create(CERTIFICATE, "z", {"domainName": "seen.dao.example"}),
        plugin.create(DISTRIBUTION, "d", distribution()),
    ]
    assert set(inventory.objects()) == (
        {
            f"health check {check.id}",
            "record seen.dao.example. A",
            "bucket seen-bucket",
            "origin access control seen-oac-0001020",
            "function seen-function",
            "cache policies seen-cache",
            "certificate seen.dao.example",
            f"distribution {stood[-1].id}",
        }
    )
    for one in reversed(stood):
        plugin.delete(one)
    assert inventory.objects() == []
