"""The parts of a workload: one small model for each thing that appears on a bill."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..config.models import Setting

#: More than any DAO pays, keeps or sends; a larger number is a slip.
MOST = 1e9
Amount = Annotated[float, Field(ge=0, le=MOST)]
Some = Annotated[float, Field(gt=0, le=MOST)]


def assumed(source: str) -> bool:
    """Return whether a source marks its figure as a guess."""
    return source.strip().lower().startswith("assumed")


class Part(Setting):
    """One thing on a bill."""

    count: int = Field(default=1, ge=1, description="How many of it.")
    stays: bool = Field(default=False, description="True when it is kept (and paid) after the workload has moved.")
    note: str = Field(default="", description="Anything a reader should know.")


class Ec2(Part):
    """A virtual machine at AWS, on demand, Linux."""

    what: Literal["ec2"]
    type: str = Field(description="The instance type, as t3.medium.")
    disk_gib: Amount = Field(default=8, description="GiB of gp3 disk on each.")


class Lightsail(Part):
    """A flat-priced virtual machine at AWS."""

    what: Literal["lightsail"]
    plan: str = Field(description="The size, as 2vcpu_4gb.")


class Fargate(Part):
    """A container task at AWS."""

    what: Literal["fargate"]
    vcpu: Some
    memory_gib: Some
    arch: Literal["x86", "arm"] = "x86"


class Rds(Part):
    """A managed PostgreSQL at AWS."""

    what: Literal["rds"]
    type: str = Field(description="The instance class, as db.t4g.small.")
    disk_gib: Some
    multi_az: bool = False
    backup_gib: Amount = Field(default=0, description="GiB of backups beyond the free allowance.")


class ElastiCache(Part):
    """A managed Redis or Valkey at AWS."""

    what: Literal["elasticache"]
    type: str = Field(description="The node type, as cache.t4g.micro.")
    engine: Literal["redis", "valkey"] = "redis"


class S3(Part):
    """Objects at AWS."""

    what: Literal["s3"]
    gb: Amount
    puts_k: Amount = Field(default=0, description="Thousands of writes a month.")
    gets_k: Amount = Field(default=0, description="Thousands of reads a month.")


class CloudFront(Part):
    """AWS's CDN on a flat plan."""

    what: Literal["cloudfront-plan"]
    plan: Literal["free", "pro", "business", "premium"]


class CloudFrontUse(Part):
    """AWS's CDN by use."""

    what: Literal["cloudfront"]
    egress_gb: Amount = Field(description="GB sent to readers a month; the first 1,024 are free.")
    requests_10k: Amount = Field(default=0, description="Ten thousands of HTTPS requests a month.")


class Alb(Part):
    """A load balancer at AWS."""

    what: Literal["alb"]
    lcu: Amount = Field(default=1, description="Average load balancer capacity units.")


class Nat(Part):
    """A NAT gateway at AWS."""

    what: Literal["nat"]
    gb: Amount = Field(default=0, description="GB passed a month.")


class Ipv4(Part):
    """A public IPv4 address at AWS."""

    what: Literal["ipv4"]


class Zone(Part):
    """A DNS zone at Route 53."""

    what: Literal["zone"]
    queries_million: Amount = 0


class Egress(Part):
    """Traffic out of AWS; the first 100 GB of a month are free."""

    what: Literal["egress"]
    gb: Amount


class Secret(Part):
    """A secret in AWS Secrets Manager."""

    what: Literal["secret"]


class Logs(Part):
    """Logs taken in by CloudWatch."""

    what: Literal["logs"]
    gb: Amount


class Ses(Part):
    """Mail sent by Amazon SES."""

    what: Literal["ses"]
    messages_k: Amount = Field(description="Thousands of messages a month.")


class Storj(Part):
    """Objects at Storj."""

    what: Literal["storj"]
    gb: Amount
    egress_gb: Amount = 0


class Akash(Part):
    """A deployment on Akash, at the providers' default list."""

    what: Literal["akash"]
    cpu: Some
    memory_gib: Some
    disk_gib: Amount = 1
    storage: Literal["ephemeral", "beta1", "beta2", "beta3"] = "ephemeral"
    ips: int = Field(default=0, ge=0)


class Fixed(Part):
    """Anything with a flat bill, anywhere."""

    what: Literal["fixed"]
    name: str = Field(description="What it is, as `Hetzner AX102`.")
    usd_month: Amount = Field(description="USD a month for one of it.")
    source: str = Field(
        min_length=1,
        description="Where it was read, as `invoice 2026-10`. A source that begins with `assumed` marks a guess.",
    )


AnyPart = Annotated[
    Ec2
    | Lightsail
    | Fargate
    | Rds
    | ElastiCache
    | S3
    | CloudFront
    | CloudFrontUse
    | Alb
    | Nat
    | Ipv4
    | Zone
    | Egress
    | Secret
    | Logs
    | Ses
    | Storj
    | Akash
    | Fixed,
    Field(discriminator="what"),
]
