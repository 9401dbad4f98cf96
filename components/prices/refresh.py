"""Read prices again from their sources: AWS's bulk price lists, Akash's bid script, Flux's own table."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from .book import PriceBook

    #: Yields the lines of a text at an address. Raises OSError.
    Fetch = Callable[[str], Iterator[str]]

AWS_LIST = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/{service}/current/{region}/index.csv"
AKASH_SCRIPT = "https://raw.githubusercontent.com/akash-network/helm-charts/main/charts/akash-provider/scripts/price_script_generic.sh"
FLUX_TABLE = "https://stats.runonflux.io/apps/getappspecsusdprice"
#: A price that is this many times another is taken for a misreading: a unit or a column has changed.
_TOO_FAR = 4.0


@dataclass(frozen=True, slots=True)
class Rule:
    """The place of a price in AWS's list: the offer, the usage type and operation of its row, and the unit's scale."""

    path: str
    offer: str
    usage: str
    operation: str = ""
    scale: float = 1.0


#: `*` stands for every size that the book has, or was asked to have.
RULES: tuple[Rule, ...] = (
    Rule("aws/ec2_linux_ondemand_hour/*", "AmazonEC2", "BoxUsage:*", "RunInstances"),
    Rule("aws/ebs_gp3_gb_month", "AmazonEC2", "EBS:VolumeUsage.gp3"),
    Rule("aws/nat_hour", "AmazonEC2", "NatGateway-Hours"),
    Rule("aws/nat_gb", "AmazonEC2", "NatGateway-Bytes"),
    Rule("aws/public_ipv4_hour", "AmazonVPC", "PublicIPv4:InUseAddress"),
    Rule("aws/fargate_hour/x86_vcpu", "AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    Rule("aws/fargate_hour/x86_gb", "AmazonECS", "Fargate-GB-Hours"),
    Rule("aws/fargate_hour/arm_vcpu", "AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    Rule("aws/fargate_hour/arm_gb", "AmazonECS", "Fargate-ARM-GB-Hours"),
    Rule("aws/rds_postgres_single_az_hour/*", "AmazonRDS", "InstanceUsage:*", "CreateDBInstance:0014"),
    Rule("aws/rds_gp3_gb_month", "AmazonRDS", "RDS:GP3-Storage", "CreateDBInstance:0014"),
    Rule("aws/rds_gp3_multi_az_gb_month", "AmazonRDS", "RDS:Multi-AZ-GP3-Storage", "CreateDBInstance:0014"),
    Rule("aws/elasticache_redis_hour/*", "AmazonElastiCache", "NodeUsage:*", "CreateCacheCluster:0002"),
    Rule("aws/s3_standard_gb_month", "AmazonS3", "TimedStorage-ByteHrs"),
    Rule("aws/s3_put_1k", "AmazonS3", "Requests-Tier1", scale=1000),
    Rule("aws/s3_get_1k", "AmazonS3", "Requests-Tier2", scale=1000),
    Rule("aws/alb_hour", "AWSELB", "LoadBalancerUsage", "LoadBalancing:Application"),
    Rule("aws/alb_lcu_hour", "AWSELB", "LCUUsage", "LoadBalancing:Application"),
    Rule("aws/egress_gb_first_10tb", "AWSDataTransfer", "DataTransfer-Out-Bytes"),
    Rule("aws/cloudwatch_logs_gb", "AmazonCloudWatch", "DataProcessing-Bytes"),
    Rule("aws/secrets_manager_secret_month", "AWSSecretsManager", "AWSSecretsManager-Secrets"),
    Rule("aws/ecr_gb_month", "AmazonECR", "TimedStorage-ByteHrs"),
    Rule("aws/efs_gb_month", "AmazonEFS", "TimedStorage-ByteHrs"),
)

#: Names in the Akash provider's bid script.
AKASH: Mapping[str, str] = {
    "TARGET_CPU": "akash/cpu_thread",
    "TARGET_MEMORY": "akash/memory_gib",
    "TARGET_HD_EPHEMERAL": "akash/storage_ephemeral_gib",
    "TARGET_HD_PERS_HDD": "akash/storage_beta1_gib",
    "TARGET_HD_PERS_SSD": "akash/storage_beta2_gib",
    "TARGET_HD_PERS_NVME": "akash/storage_beta3_gib",
    "TARGET_ENDPOINT": "akash/endpoint",
    "TARGET_IP": "akash/ip_lease",
}
#: Names in the table of Flux.
FLUX: Mapping[str, str] = {
    "cpu": "flux/cpu_tenth_core",
    "ram": "flux/ram_100mb",
    "hdd": "flux/hdd_gb",
    "port": "flux/enterprise_port",
    "scope": "flux/scope",
    "staticip": "flux/static_ip",
    "minUSDPrice": "flux/minimum_month",
}


@dataclass(slots=True)
class Refreshed:
    """The result of a refresh: prices by path with the key of their source, new sources, and what failed."""

    prices: dict[str, tuple[float, str]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def refresh(
    book: PriceBook, sizes: Iterable[str], on: date, fetch: Fetch, progress: Callable[[str], None]
) -> Refreshed:
    """Read every source again; one that does not answer is reported, and the others continue.

    `sizes` are paths that the book should have and has not, as `aws/ec2_linux_ondemand_hour/t3.xlarge`.
    """
    found = Refreshed()
    for offer, wanted in _wanted({*book.prices, *sizes}).items():
        read = partial(_aws, book, offer, wanted, on, fetch, found)
        _try(found, f"AWS price list of {offer}", progress, read)
    _try(found, "Akash bid script", progress, partial(_akash, on, fetch, found))
    _try(found, "Flux price table", progress, partial(_flux, on, fetch, found))
    for path, (usd, _) in list(found.prices.items()):
        old = book.prices.get(path)
        if usd <= 0 or (old and old.usd and not 1 / _TOO_FAR <= usd / old.usd <= _TOO_FAR):
            found.failures.append(f"{path}: read {usd:g}, was {old.usd if old else 0:g}; too far off, left as it was")
            del found.prices[path]
    return found


def _try(found: Refreshed, title: str, progress: Callable[[str], None], read: Callable[[], int]) -> None:
    try:
        count = read()
    except (OSError, ValueError, KeyError) as error:
        found.failures.append(f"{title}: {error}")
    else:
        progress(f"{title}: {count} prices")


def _wanted(paths: set[str]) -> dict[str, dict[tuple[str, str], tuple[str, float]]]:
    """Return, by offer, the rows that are wanted and the path and scale of each."""
    wanted: dict[str, dict[tuple[str, str], tuple[str, float]]] = defaultdict(dict)
    for rule in RULES:
        if not rule.path.endswith("*"):
            wanted[rule.offer][rule.usage, rule.operation] = (rule.path, rule.scale)
            continue
        stem = rule.path.removesuffix("*")
        for path in sorted(paths):
            if path.startswith(stem):
                size = path.removeprefix(stem)
                wanted[rule.offer][rule.usage.replace("*", size), rule.operation] = (path, rule.scale)
    return wanted


def _aws(
    book: PriceBook,
    offer: str,
    wanted: Mapping[tuple[str, str], tuple[str, float]],
    on: date,
    fetch: Fetch,
    found: Refreshed,
) -> int:
    """Read one offer's list line by line: the largest has hundreds of megabytes, and none of it is kept."""
    published = ""
    header: list[str] = []
    read: dict[str, float] = {}
    for row in csv.reader(fetch(AWS_LIST.format(service=offer, region=book.region))):
        if not header:
            if row and row[0] == "Publication Date":
                published = row[1][:10]
            if row and row[0] == "SKU":
                header = row
            continue
        one = dict(zip(header, row, strict=False))
        usage, operation = one.get("usageType", ""), one.get("operation", "")
        match = wanted.get((usage, operation)) or wanted.get((usage, ""))
        if match and _first_tier_on_demand(one):
            read.setdefault(match[0], round(float(one["PricePerUnit"]) * match[1], 6))
    if not header:
        raise ValueError("no list came back")
    key = f"AWS {offer}"
    found.sources[key] = {
        "title": f"AWS price list, {offer} {book.region}, published {published}",
        "date": on.isoformat(),
        "stale_after_days": 180,
    }
    found.prices |= {path: (usd, key) for path, usd in read.items()}
    missing = sorted({path for path, _ in wanted.values()} - set(read))
    if missing:
        found.failures.append(f"{key}: not in the list, left as they were: {', '.join(missing)}")
    return len(read)


def _first_tier_on_demand(one: Mapping[str, str]) -> bool:
    """Return whether a row is the ordinary price: on demand, first tier, in USD, and not of reserved capacity."""
    return (
        one.get("TermType") == "OnDemand"
        and one.get("StartingRange", "0") in {"", "0"}
        and one.get("CapacityStatus", "Used") in {"", "Used", "NA"}
        and one.get("Tenancy", "Shared") in {"", "Shared", "NA"}
        and float(one.get("PricePerUnit") or 0) > 0
    )


def _akash(on: date, fetch: Fetch, found: Refreshed) -> int:
    read = {}
    for line in fetch(AKASH_SCRIPT):
        match = re.match(r'\s*(TARGET_\w+)="?(?:\$\{\w+:-)?([0-9.]+)', line)
        if match and match[1] in AKASH:
            read[AKASH[match[1]]] = float(match[2])
    if not read:
        raise ValueError("no price was found in it")
    found.sources["HP"] = {
        "title": "akash-network/helm-charts charts/akash-provider/scripts/price_script_generic.sh, main",
        "date": on.isoformat(),
        "stale_after_days": 120,
    }
    found.prices |= {path: (usd, "HP") for path, usd in read.items()}
    return len(read)


def _flux(on: date, fetch: Fetch, found: Refreshed) -> int:
    answer = json.loads("".join(fetch(FLUX_TABLE)))
    table = answer["data"] if isinstance(answer, dict) and answer.get("status") == "success" else None
    if isinstance(table, list):  # the table by block height, the newest last
        table = table[-1]
    if not isinstance(table, dict):
        raise ValueError("it did not answer with a table")  # noqa: TRY004 the answer is wrong, not an argument's type
    read = {path: float(table[name]) for name, path in FLUX.items() if name in table}
    found.sources["FLX"] = {
        "title": "stats.runonflux.io/apps/getappspecsusdprice",
        "date": on.isoformat(),
        "stale_after_days": 120,
    }
    found.prices |= {path: (usd, "FLX") for path, usd in read.items()}
    return len(read)


def changes(book: PriceBook, found: Refreshed) -> list[str]:
    """Return what changes, a line each."""
    lines = []
    for path, (usd, _) in sorted(found.prices.items()):
        old = book.prices.get(path)
        if old is None:
            lines.append(f"+ {path}: {usd:g}")
        elif old.usd != usd:
            percent = f" ({(usd / old.usd - 1) * 100:+.1f} %)" if old.usd else ""
            lines.append(f"~ {path}: {old.usd:g} -> {usd:g}{percent}")
    return lines


def written(book: PriceBook, found: Refreshed, on: date) -> str:
    """Return the text of the new book: one price a line, in order, so that a diff of it can be read."""
    if not found.prices:
        raise ConfigError(
            "no source could be read; the price book stays as it is", [Fault("", text) for text in found.failures]
        )
    sources = {
        key: {
            "title": source.title,
            "date": source.read.isoformat() if source.read else None,
            "stale_after_days": source.stale_after_days,
        }
        for key, source in book.sources.items()
    } | found.sources
    rows: dict[str, list[object]] = {
        path: [_short(price.usd), price.source.key, *([price.note] if price.note else [])]
        for path, price in book.prices.items()
    }
    for path, (usd, key) in found.prices.items():
        old = book.prices.get(path)
        note = old.note if old is not None and old.source.key == key else ""
        rows[path] = [_short(usd), key, *([note] if note else [])]
    used = {str(row[1]) for row in rows.values()}
    head = {"compiled": on.isoformat(), "region": book.region, "currency": "USD"}
    lines = ["{", *(f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items())]
    lines += [' "sources": {', _rows({key: one for key, one in sources.items() if key in used}), " },"]
    lines += [' "prices": {', _rows(rows), " }", "}", ""]
    return "\n".join(lines)


def _rows(rows: Mapping[str, object]) -> str:
    return ",\n".join(f"  {json.dumps(key)}: {json.dumps(rows[key], ensure_ascii=False)}" for key in sorted(rows))


def _short(number: float) -> float:
    """Return 5 where 5.0 would do, so that a line changes only when its price does."""
    return int(number) if float(number).is_integer() else number
