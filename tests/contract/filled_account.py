"""An AWS account in moto with a known number of resources, for discovery and its benchmark."""

from __future__ import annotations

import json
import urllib.request

import boto3

REGION = "us-east-1"


def fill(endpoint: str, many: int = 500) -> int:
    """Make `many` resources of every sort that discovery looks at; returns how many it should find."""

    def client(name: str):
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(name, endpoint_url=endpoint, region_name=REGION, **keys)

    ec2, rds, s3, ecs = client("ec2"), client("rds"), client("s3"), client("ecs")
    tag = [{"Key": "workload", "Value": "forum"}]
    image = ec2.describe_images(Owners=["amazon"], MaxResults=5)["Images"][0]["ImageId"]
    machines, databases, buckets = many * 60 // 100, many * 6 // 100, many * 30 // 100
    services = many - machines - databases - buckets - 3
    for count, size, name in ((machines - 5, "t3.micro", "Bots & Faucet"), (5, "t3.medium", "forum")):
        ec2.run_instances(
            ImageId=image,
            MinCount=count,
            MaxCount=count,
            InstanceType=size,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "workload", "Value": name}]}],
        )
    for index in range(databases):
        rds.create_db_instance(
            DBInstanceIdentifier=f"db-{index}",
            DBInstanceClass="db.t4g.small",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="root",
            MasterUserPassword="x" * 12,
            Tags=tag if index == 0 else [],
        )
    for index in range(buckets):
        s3.create_bucket(Bucket=f"dao-{index}")
    s3.put_bucket_tagging(Bucket="dao-0", Tagging={"TagSet": [{"Key": "workload", "Value": "docs"}]})
    client("elasticache").create_cache_cluster(
        CacheClusterId="cache-0", CacheNodeType="cache.t4g.micro", Engine="redis", NumCacheNodes=1, Tags=tag
    )
    ecs.create_cluster(clusterName="one")
    ecs.register_task_definition(
        family="explorer",
        cpu="512",
        memory="1024",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{"name": "web", "image": "explorer:1", "memory": 1024}],
    )
    for index in range(services):
        ecs.create_service(
            cluster="one",
            serviceName=f"service-{index}",
            taskDefinition="explorer",
            desiredCount=2,
            tags=[{"key": "workload", "value": "explorer-api"}],
        )
    _names(client("route53"), _distribution(client("cloudfront")), _balancer(client("elbv2"), ec2, tag))
    return many


def _distribution(cloudfront) -> str:
    origin = {"Id": "s3", "DomainName": "dao-0.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={
            "DistributionConfig": {
                "CallerReference": "one",
                "Aliases": {"Quantity": 1, "Items": ["docs.dao.example"]},
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": {
                    "TargetOriginId": "s3",
                    "ViewerProtocolPolicy": "redirect-to-https",
                    "MinTTL": 0,
                    "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                },
                "Comment": "",
                "Enabled": True,
            },
            "Tags": {"Items": [{"Key": "workload", "Value": "docs"}]},
        }
    )
    return made["Distribution"]["DomainName"]


def _balancer(elb, ec2, tag) -> str:
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2]]
    return elb.create_load_balancer(Name="forum", Subnets=subnets, Tags=tag)["LoadBalancers"][0]["DNSName"]


def _names(route53, domain: str, balancer: str) -> None:
    zone = route53.create_hosted_zone(Name="dao.example", CallerReference="one")["HostedZone"]["Id"]
    for name, target, zone_id in (
        ("docs.dao.example", domain, "Z2FDTNDATAQYW2"),
        ("talk.dao.example", balancer, "Z35SXDOTRQ7X7K"),
    ):
        alias = {"HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": False}
        record = {"Name": name, "Type": "A", "AliasTarget": alias}
        change = {"Action": "CREATE", "ResourceRecordSet": record}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})


def bill(endpoint: str, groups: dict[str, str]) -> None:
    """Put one answer of Cost Explorer into moto's queue: group key to USD."""
    rows = [
        {"Keys": [key], "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}} for key, usd in groups.items()
    ]
    period = {"Start": "2026-10-01", "End": "2026-11-01"}
    result = {
        "ResultsByTime": [{"TimePeriod": period, "Total": {}, "Groups": rows, "Estimated": False}],
        "DimensionValueAttributes": [],
    }
    request = urllib.request.Request(  # noqa: S310 our own server
        f"{endpoint}/moto-api/static/ce/cost-and-usage-results",
        json.dumps({"results": [result]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 our own server
        assert answer.status == 201
