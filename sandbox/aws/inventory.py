"""Lists everything in the account but what the DAO owned before: what `destroy` must leave empty."""

from __future__ import annotations

from typing import Any

from sandbox.state import here

from . import calls


def client(service: str, region: str = "us-east-1") -> Any:
    """Give a boto3 client of the sandbox's account."""
    import boto3

    return boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{here().port('aws')}",
        aws_access_key_id=calls.BYSTANDER,
        aws_secret_access_key=calls.BYSTANDER,
    )


def objects() -> list[str]:
    """Every record (but NS and SOA), check, distribution, policy, function, certificate, zone and bucket; sorted."""
    return sorted([*_dns(), *_edge(), *_certificates(), *_buckets()])


def _dns() -> list[str]:
    route53 = client("route53")
    found = [f"health check {check['Id']}" for check in _all(route53, "list_health_checks", "HealthChecks")]
    for zone in _all(route53, "list_hosted_zones", "HostedZones"):
        if zone["Name"] != "dao.example.":
            found.append(f"zone {zone['Name']}")
        for record in _all(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]):
            own = record["Type"] in ("NS", "SOA") and record["Name"] == zone["Name"]
            shown = f"record {record['Name']} {record['Type']} {record.get('SetIdentifier', '')}".rstrip()
            found += [] if own else [shown]
    return found


def _all(of: Any, operation: str, items: str, **arguments: str) -> list[Any]:
    return [item for page in of.get_paginator(operation).paginate(**arguments) for item in page[items]]


def _edge() -> list[str]:
    cloudfront = client("cloudfront")
    found = [
        f"distribution {one['Id']}" for one in cloudfront.list_distributions()["DistributionList"].get("Items", [])
    ]
    controls = cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])
    found += [f"origin access control {one['Name']}" for one in controls]
    for operation, of in (
        ("cache_policies", "CachePolicy"),
        ("origin_request_policies", "OriginRequestPolicy"),
        ("response_headers_policies", "ResponseHeadersPolicy"),
    ):
        policies = getattr(cloudfront, f"list_{operation}")(Type="custom")[f"{of}List"].get("Items", [])
        found += [f"{operation.replace('_', ' ')} {one[of][f'{of}Config']['Name']}" for one in policies]
    functions = cloudfront.list_functions()["FunctionList"].get("Items", [])
    return found + [f"function {one['Name']}" for one in functions]


def _certificates() -> list[str]:
    found = client("acm").list_certificates()["CertificateSummaryList"]
    return [f"certificate {one['DomainName']}" for one in found]


def _buckets() -> list[str]:
    found = client("s3").list_buckets()["Buckets"]
    return [f"bucket {one['Name']}" for one in found if one["Name"] != "dao-example-aws"]
