"""List everything in the account except what the DAO owned before: what `destroy` must leave empty."""

from __future__ import annotations

from typing import Any

from sandbox.state import here

from . import calls


def client(service: str, region: str = "us-east-1") -> Any:
    """Return a boto3 client of the sandbox's account."""
    import boto3

    return boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{here().port('aws')}",
        aws_access_key_id=calls.BYSTANDER,
        aws_secret_access_key=calls.BYSTANDER,
    )


def objects() -> list[str]:
    """Everything but NS and SOA, what every VPC has, and the store: sorted."""
    return sorted([*_dns(), *_edge(), *_certificates(), *_buckets(), *_tasks()])


def _tasks() -> list[str]:
    elb, ecs, iam = client("elbv2"), client("ecs"), client("iam")
    found = [f"load balancer {one['LoadBalancerName']}" for one in elb.describe_load_balancers()["LoadBalancers"]]
    found += [f"target group {one['TargetGroupName']}" for one in elb.describe_target_groups()["TargetGroups"]]
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    found += [f"cluster {one['clusterName']}" for one in clusters if one["status"] == "ACTIVE"]
    found += [f"task definition {arn}" for arn in ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]]
    groups = client("ec2").describe_security_groups()["SecurityGroups"]
    found += [f"security group {one['GroupName']}" for one in groups if one["GroupName"] != "default"]
    found += [f"role {one['RoleName']}" for one in iam.list_roles()["Roles"]]
    found += _machines()
    found += [f"secret {one['Name']}" for one in client("secretsmanager").list_secrets()["SecretList"]]
    return found + [f"logs {one['logGroupName']}" for one in client("logs").describe_log_groups()["logGroups"]]


def _machines() -> list[str]:
    """Return the resources of machines, except snapshots of their data, which stay after a removal."""
    ec2, iam = client("ec2"), client("iam")
    listed = [one for each in ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    found = [f"machine {one['InstanceId']}" for one in listed if one["State"]["Name"] != "terminated"]
    found += [f"volume {one['VolumeId']}" for one in ec2.describe_volumes()["Volumes"]]
    found += [f"address {one['PublicIp']}" for one in ec2.describe_addresses()["Addresses"]]
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    return found + [f"profile {one['InstanceProfileName']}" for one in profiles]


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
