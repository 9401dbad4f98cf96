"""What an AWS account runs, by its own APIs. Reads only; a refused request is reported, and the others continue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import ConfigError
from . import looks
from .seen import Findings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from .account import Account


@dataclass(frozen=True, slots=True)
class Look:
    """One request: what it shows, and the permission it needs."""

    title: str
    permission: str
    look: Callable[[Account, Findings], int]


#: Tags come first, because they name the workloads of what follows.
TAGS = Look("tags", "tag:GetResources", looks.tags)
LOOKS: tuple[Look, ...] = (
    Look("EC2 machines", "ec2:DescribeInstances, ec2:DescribeVolumes, ec2:DescribeInstanceTypes", looks.ec2),
    Look("RDS databases", "rds:DescribeDBInstances", looks.rds),
    Look("ElastiCache nodes", "elasticache:DescribeCacheClusters", looks.elasticache),
    Look(
        "ECS services",
        "ecs:ListClusters, ecs:ListServices, ecs:DescribeServices, ecs:DescribeTaskDefinition",
        looks.ecs,
    ),
    Look("S3 buckets", "s3:ListAllMyBuckets, cloudwatch:GetMetricData", looks.s3),
    Look("CloudFront distributions", "cloudfront:ListDistributions, cloudfront:ListTagsForResource", looks.cloudfront),
    Look("load balancers", "elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeTags", looks.elb),
    Look("Route 53 names", "route53:ListHostedZones, route53:ListResourceRecordSets", looks.route53),
)


def discover(account: Account, on: date, progress: Callable[[str], None]) -> Findings:
    """Make every request, report each as it is done, and continue where one is refused.

    Raises ConfigError when there are no credentials at all.
    """
    findings = Findings()
    costs = Look(
        "costs of the last month", "ce:GetCostAndUsage", lambda account, found: looks.costs(account, found, on)
    )
    _try(TAGS, account, findings, progress)
    with ThreadPoolExecutor(max_workers=4) as pool:
        separate = [(look, Findings()) for look in (*LOOKS, costs)]
        for done in [pool.submit(_try, look, account, found, progress) for look, found in separate]:
            done.result()
    for _, found in separate:
        findings.seen += found.seen
        findings.records |= found.records
        findings.zones |= found.zones
        findings.usd_by_tag |= found.usd_by_tag
        findings.usd_by_service |= found.usd_by_service
        findings.unseen += found.unseen
    return findings


def _try(look: Look, account: Account, findings: Findings, progress: Callable[[str], None]) -> None:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        count = look.look(account, findings)
    except (NoCredentialsError, PartialCredentialsError):
        raise ConfigError(
            "no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from None
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "refused")
        findings.unseen.append(f"{look.title}: {code}; it needs {look.permission}")
    except BotoCoreError as error:
        findings.unseen.append(f"{look.title}: {error}")
    else:
        progress(f"{look.title}: {count}")
        return
    progress(f"{look.title}: could not be seen")
