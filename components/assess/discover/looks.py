"""What each AWS API shows of an account: resources with their sizes, names, tags, and the last month's cost."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from .seen import Seen, ours, workload_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .account import Account
    from .seen import Findings

_GIB_PER_GB = 1e9 / 2**30


def tags(account: Account, _: Findings) -> int:
    """Read every tag of the account; return the number of tagged resources."""
    for item in account.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList"):
        for tag in item.get("Tags", ()):
            if tag["Key"] == account.tag:
                account.tags[item["ResourceARN"]] = workload_name(tag["Value"])
    return len(account.tags)


def ec2(account: Account, findings: Findings) -> int:
    """Read machines and their disks; return how many."""
    machines = [
        one
        for reservation in account.pages("ec2", "describe_instances", "Reservations")
        for one in reservation["Instances"]
        if one["State"]["Name"] in {"pending", "running", "stopping", "stopped"}
    ]
    disks: dict[str, float] = defaultdict(float)
    for volume in account.pages("ec2", "describe_volumes", "Volumes") if machines else ():
        for attached in volume["Attachments"]:
            disks[attached["InstanceId"]] += volume["Size"]
    sizes = _sizes(account, {one["InstanceType"] for one in machines})
    for one in machines:
        cpu, memory = sizes.get(one["InstanceType"], (0.0, 0.0))
        endpoints = [one.get("PublicIpAddress"), one.get("PublicDnsName")]
        findings.seen.append(
            Seen(
                "ec2",
                one["InstanceId"],
                account.workload("", one.get("Tags", ())),
                {"what": "ec2", "type": one["InstanceType"], "disk_gib": disks[one["InstanceId"]]},
                cpu,
                memory,
                disks[one["InstanceId"]],
                endpoints=tuple(end for end in endpoints if end),
            )
        )
    return len(machines)


def _sizes(account: Account, types: set[str]) -> dict[str, tuple[float, float]]:
    """Return threads and GiB of memory by instance type."""
    if not types:
        return {}
    found = account.pages("ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=sorted(types))
    return {
        one["InstanceType"]: (one["VCpuInfo"]["DefaultVCpus"], one["MemoryInfo"]["SizeInMiB"] / 1024) for one in found
    }


def rds(account: Account, findings: Findings) -> int:
    """Read databases; return how many."""
    databases = list(account.pages("rds", "describe_db_instances", "DBInstances"))
    sizes = _sizes(account, {one["DBInstanceClass"].removeprefix("db.") for one in databases})
    for one in databases:
        cpu, memory = sizes.get(one["DBInstanceClass"].removeprefix("db."), (0.0, 0.0))
        size = one["AllocatedStorage"]
        findings.seen.append(
            Seen(
                "rds",
                one["DBInstanceIdentifier"],
                account.workload(one["DBInstanceArn"], one.get("TagList", ())),
                {
                    "what": "rds",
                    "type": one["DBInstanceClass"],
                    "disk_gib": size,
                    "multi_az": one.get("MultiAZ") or None,
                },
                cpu,
                memory,
                size,
                size,
            )
        )
    return len(databases)


def elasticache(account: Account, findings: Findings) -> int:
    """Read cache nodes; return how many."""
    nodes = list(account.pages("elasticache", "describe_cache_clusters", "CacheClusters"))
    for one in nodes:
        engine = "valkey" if one.get("Engine") == "valkey" else "redis"
        part = {
            "what": "elasticache",
            "type": one["CacheNodeType"],
            "engine": engine,
            "count": one.get("NumCacheNodes", 1),
        }
        workload = account.workload(one.get("ARN", ""))
        findings.seen.append(Seen("elasticache", one["CacheClusterId"], workload, part, 0.25, 0.5))
    return len(nodes)


def ecs(account: Account, findings: Findings) -> int:
    """Read container services; return how many."""
    client = account.client("ecs")
    definitions: dict[str, Any] = {}
    count = 0
    for cluster in account.pages("ecs", "list_clusters", "clusterArns"):
        services = list(account.pages("ecs", "list_services", "serviceArns", cluster=cluster))
        for start in range(0, len(services), 10):
            answer = client.describe_services(cluster=cluster, services=services[start : start + 10], include=["TAGS"])
            for one in answer["services"]:
                task = one["taskDefinition"]
                if task not in definitions:
                    definitions[task] = client.describe_task_definition(taskDefinition=task)["taskDefinition"]
                findings.seen.append(_service(account, one, definitions[task]))
                count += 1
    return count


def _service(account: Account, one: Mapping[str, Any], task: Mapping[str, Any]) -> Seen:
    vcpu = float(task.get("cpu") or 256) / 1024
    memory = float(task.get("memory") or 512) / 1024
    times = max(1, one.get("desiredCount", 1))
    arch = "arm" if task.get("runtimePlatform", {}).get("cpuArchitecture") == "ARM64" else "x86"
    tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in one.get("tags", ())]
    part = {"what": "fargate", "vcpu": vcpu, "memory_gib": memory, "arch": arch, "count": times}
    return Seen(
        "ecs",
        one["serviceArn"].rpartition(":")[2],
        account.workload(one["serviceArn"], tags),
        part,
        vcpu * times,
        memory * times,
    )


def s3(account: Account, findings: Findings) -> int:
    """Read buckets and their sizes; return how many."""
    buckets = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    sizes = _bucket_sizes(account, buckets)
    for name in buckets:
        gb = round(sizes.get(name, 0.0) / 1e9, 2)
        workload = ours(name) or account.workload(f"arn:aws:s3:::{name}")
        ends = (f"{name}.s3.amazonaws.com", f"{name}.s3-website-{account.session.region_name}.amazonaws.com")
        disk = round(gb * _GIB_PER_GB, 2)
        findings.seen.append(Seen("s3", name, workload, {"what": "s3", "gb": gb}, disk_gib=disk, endpoints=ends))
    return len(buckets)


def _bucket_sizes(account: Account, buckets: list[str]) -> dict[str, float]:
    """Return bytes by bucket, as CloudWatch counted them within the last three days."""
    client = account.client("cloudwatch")
    sizes: dict[str, float] = {}
    for start in range(0, len(buckets), 100):
        chunk = buckets[start : start + 100]
        queries = [
            {
                "Id": f"b{index}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/S3",
                        "MetricName": "BucketSizeBytes",
                        "Dimensions": [
                            {"Name": "BucketName", "Value": name},
                            {"Name": "StorageType", "Value": "StandardStorage"},
                        ],
                    },
                    "Period": 86400,
                    "Stat": "Average",
                },
            }
            for index, name in enumerate(chunk)
        ]
        end = date.today() + timedelta(days=1)  # noqa: DTZ011 the metric has one value a day
        answer = client.get_metric_data(
            MetricDataQueries=queries, StartTime=f"{end - timedelta(days=4)}", EndTime=f"{end}"
        )
        for result in answer["MetricDataResults"]:
            if result["Values"]:
                sizes[chunk[int(result["Id"][1:])]] = result["Values"][0]
    return sizes


def cloudfront(account: Account, findings: Findings) -> int:
    """Read distributions and their names; return how many."""
    client = account.client("cloudfront")
    found = [
        one
        for page in client.get_paginator("list_distributions").paginate()
        for one in page.get("DistributionList", {}).get("Items") or ()
    ]
    for one in found:
        arn = one.get("ARN", "")
        tags = () if arn in account.tags else client.list_tags_for_resource(Resource=arn)["Tags"].get("Items", ())
        findings.seen.append(
            Seen(
                "cloudfront",
                one["Id"],
                ours(one.get("Comment", "")) or account.workload(arn, tags),
                {"what": "cloudfront", "egress_gb": 0},
                endpoints=(one["DomainName"],),
                hosts=tuple(one.get("Aliases", {}).get("Items") or ()),
            )
        )
    return len(found)


def elb(account: Account, findings: Findings) -> int:
    """Read load balancers; return how many."""
    client = account.client("elbv2")
    balancers = list(account.pages("elbv2", "describe_load_balancers", "LoadBalancers"))
    tagged: dict[str, Any] = {}
    for start in range(0, len(balancers), 20):
        arns = [one["LoadBalancerArn"] for one in balancers[start : start + 20]]
        tagged |= {
            one["ResourceArn"]: one["Tags"] for one in client.describe_tags(ResourceArns=arns)["TagDescriptions"]
        }
    for one in balancers:
        arn = one["LoadBalancerArn"]
        workload = account.workload(arn, tagged.get(arn, ()))
        part = {"what": "alb"}
        findings.seen.append(Seen("alb", one["LoadBalancerName"], workload, part, endpoints=(one["DNSName"],)))
    return len(balancers)


def route53(account: Account, findings: Findings) -> int:
    """Read zones, and where their names point; return how many."""
    zones = list(account.pages("route53", "list_hosted_zones", "HostedZones"))
    for zone in zones:
        findings.zones[zone["Name"].rstrip(".")] = zone["Id"].rpartition("/")[2]
        for record in account.pages(
            "route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]
        ):
            if record["Type"] not in {"A", "AAAA", "CNAME"}:
                continue
            alias = record.get("AliasTarget", {}).get("DNSName", "").removeprefix("dualstack.")
            values = [alias] if alias else [one["Value"] for one in record.get("ResourceRecords", ())]
            for value in values:
                findings.records.setdefault(record["Name"].rstrip("."), value.rstrip("."))
    return len(findings.records)


def last_month(on: date) -> tuple[date, date]:
    """Return the first day of the last whole month, and the first of the next."""
    end = on.replace(day=1)
    return (end - timedelta(days=1)).replace(day=1), end


def costs(account: Account, findings: Findings, on: date) -> int:
    """Read the last whole month's cost, by tag, or by service if nothing is tagged; return how many."""
    start, end = last_month(on)
    period = {"Start": start.isoformat(), "End": end.isoformat()}
    by_tag = _grouped(account, period, {"Type": "TAG", "Key": account.tag})
    findings.usd_by_tag = {workload_name(value): usd for key, usd in by_tag.items() if (value := key.partition("$")[2])}
    if not findings.usd_by_tag:
        findings.usd_by_service = _grouped(account, period, {"Type": "DIMENSION", "Key": "SERVICE"})
    return len(findings.usd_by_tag or findings.usd_by_service)


def _grouped(account: Account, period: Mapping[str, str], group: Mapping[str, str]) -> dict[str, float]:
    """Send one request; each costs a cent."""
    answer = account.client("ce").get_cost_and_usage(
        TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"], GroupBy=[group]
    )
    usd: dict[str, float] = defaultdict(float)
    for result in answer["ResultsByTime"]:
        for one in result["Groups"]:
            usd[one["Keys"][0]] += float(one["Metrics"]["UnblendedCost"]["Amount"])
    return dict(usd)
