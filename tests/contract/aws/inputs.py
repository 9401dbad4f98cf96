"""Tokens, and inputs that make a whole resource."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.plugin_client import EngineError, Plugin, Stood

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
FUNCTION = "aws:cloudfront/function:Function"

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


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


CONTROL_INPUTS = {"originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}
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


def unchanged(plugin: Plugin, stood: Stood, news: dict[str, Any]) -> None:
    """Neither a second run nor a refresh finds anything to do."""
    assert plugin.diff(stood, news) == {}
    seen = plugin.read(stood)
    assert seen is not None
    assert seen.inputs == stood.inputs
    assert seen.outputs == stood.outputs


def refusal(plugin: Plugin, token: str, name: str, inputs: dict[str, Any]) -> str:
    """Return what the operator reads when a creation is refused."""
    with pytest.raises(EngineError) as error:
        plugin.create(token, name, inputs)
    return str(error.value)
