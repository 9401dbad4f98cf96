"""Findings about an account, and how they become drafts of workloads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The workload of resources without a tag.
UNTAGGED = "aws-untagged"
#: Stands for a vendor that could not be found.
UNKNOWN = "unknown"
#: The names of targets that this tool adds to a workload's name for its sites.
_TARGETS = ("aws", "akash", "flux")


@dataclass(frozen=True, slots=True)
class Seen:
    """One resource: what it is, its id, its workload by tag, its part of the bill, and how it is reached."""

    kind: str
    id: str
    workload: str
    part: Mapping[str, Any]
    cpu: float = 0.0
    memory_gib: float = 0.0
    disk_gib: float = 0.0
    data_gb: float = 0.0
    #: names and addresses that lead to it
    endpoints: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """Everything that was found, and what could not be read."""

    seen: list[Seen] = field(default_factory=list)
    #: host name to where it points
    records: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    #: USD of the last whole month by the tag's value, or by service when nothing is tagged
    usd_by_tag: dict[str, float] = field(default_factory=dict)
    usd_by_service: dict[str, float] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)


def workload_name(text: str) -> str:
    """Return a workload's name made from a tag's value."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].rstrip("-")
    return name if name[:1].isalpha() else f"w-{name}"[:40].rstrip("-") if name else UNTAGGED


def site_of(host: str, workloads: Iterable[str]) -> str:
    """Return the workload that a host is a site of, by the names this tool gives sites: `docs-aws.dao.example`."""
    label = host.split(".", maxsplit=1)[0]
    return next((one for one in workloads for target in _TARGETS if re.fullmatch(rf"{one}-{target}(-\d+)?", label)), "")


#: This tool's comment on a distribution, and the form of Pulumi's name for the bucket of a site.
_OURS = (re.compile(r"unmoor (?P<name>.+)-aws"), re.compile(r"(?P<name>.+)-aws-bucket-[0-9a-f]{7}"))


def ours(text: str) -> str:
    """Return the workload of a resource that this tool made, by its comment or name; empty for all others."""
    return next((found["name"] for pattern in _OURS if (found := pattern.fullmatch(text))), "")


#: What a name suggests about the work; the first match counts.
_WORK = (
    (r"status|uptime", "status"),
    (r"vote|voting|snapshot|governance$", "governance"),
    (r"safe|treasury|multisig", "treasury"),
    (r"subgraph|graph", "indexer"),
    (r"ipfs|pin", "storage"),
    (r"wiki|notion|handbook", "wiki"),
    (r"blog", "blog"),
    (r"doc", "docs"),
    (r"forum|discourse|talk", "forum"),
    (r"bot|faucet", "bot"),
    (r"index", "indexer"),
    (r"valid|signer", "validator"),
    (r"rpc|node", "node"),
    (r"api", "api"),
    (r"dash|staking", "dashboard"),
    (r"mail|news", "mail"),
    (r"web|site|landing|www|explorer|app|gov", "frontend"),
)


def guess_work(name: str) -> str:
    """Guess the sort of work from a name; a person checks it."""
    return next((work for pattern, work in _WORK if re.search(pattern, name)), "other")


def drafts(findings: Findings, tag: str, month: str) -> dict[str, dict[str, Any]]:
    """Draft a workload for each tag value, in the order of their names, from everything that was seen."""
    groups: dict[str, list[Seen]] = {}
    for one in findings.seen:
        groups.setdefault(one.workload, []).append(one)
    reached = {end.rstrip(".").lower(): one.workload for one in findings.seen for end in one.endpoints}
    hosts: dict[str, list[str]] = {}
    for host, target in findings.records.items():
        if workload := reached.get(target.rstrip(".").lower()):
            hosts.setdefault(workload, []).append(host)
    names = sorted(groups, key=lambda name: (name == UNTAGGED, name))
    made = {name: _draft(name, groups[name], hosts.get(name, []), findings, tag, month) for name in names}
    for zone, zone_id in sorted(findings.zones.items()):
        owner = next((one for one in made.values() if any(_inside(host, zone) for host in one.get("hosts", ()))), None)
        if owner:
            owner["parts"].append({"what": "zone", "stays": True, "note": zone_id})
    return made


def _inside(host: str, zone: str) -> bool:
    return host == zone or host.endswith(f".{zone}")


def _draft(
    name: str, seen: Iterable[Seen], hosts: Iterable[str], findings: Findings, tag: str, month: str
) -> dict[str, Any]:
    seen = sorted(seen, key=lambda one: (one.kind, one.id))
    kinds = {one.kind for one in seen}
    names = sorted({*hosts, *(host for one in seen for host in one.hosts)})
    data_gb = round(sum(one.data_gb for one in seen), 2)
    disk = max(1.0, data_gb, round(sum(one.disk_gib for one in seen), 2))
    draft: dict[str, Any] = {
        "title": "AWS resources without a tag" if name == UNTAGGED else name.replace("-", " ").capitalize(),
        "work": guess_work(name),
        "state": "database" if "rds" in kinds else "cache" if "elasticache" in kinds else "none",
        "importance": "moderate",
    }
    if names:
        draft["hosts"] = names
    parts = [{key: value for key, value in {**one.part, "note": one.id}.items() if value is not None} for one in seen]
    draft["parts"] = parts
    draft["size"] = {
        "cpu": round(sum(one.cpu for one in seen), 2) or 0.1,
        "memory_gib": round(sum(one.memory_gib for one in seen), 2) or 0.25,
        "disk_gib": disk,
    }
    if "rds" in kinds:
        draft["data"] = {"gb": data_gb}
    parties = {"dns": "route53"} if any(host in findings.records for host in names) else {}
    if "cloudfront" in kinds:
        parties["edge"] = "cloudfront"
    draft["parties"] = {**parties, "compute": "aws", **({"database": "aws"} if "rds" in kinds else {})}
    if "s3" in kinds and kinds != {"s3", "cloudfront"}:
        draft["parties"]["storage"] = "aws"
    measured = findings.usd_by_tag.get(name)
    if name == UNTAGGED and findings.usd_by_service:
        measured = sum(findings.usd_by_service.values())
    if measured is not None:
        by = "all services" if name == UNTAGGED and findings.usd_by_service else f"tag {tag}"
        draft["cost"] = {"measured": {"usd_month": round(measured, 2), "source": f"Cost Explorer, {by}, {month}"}}
    return draft
