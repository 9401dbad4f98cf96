"""Small inventories, which the tests of the assessment vary."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

from components.assess import adapter, assessment, courses, reading
from components.assess.inventory import Inventory
from components.assess.planned import Builds, Kind, place
from components.prices import book as prices
from components.project import builtin

ROOT = Path(__file__).parent.parent.parent

ON = date(2026, 11, 22)

DOCS: dict[str, Any] = {
    "title": "Documentation",
    "work": "docs",
    "state": "none",
    "importance": "moderate",
    "hosts": ["docs.dao.example"],
    "parts": [{"what": "cloudfront-plan", "plan": "free"}, {"what": "s3", "gb": 1}],
    "size": {"cpu": 0.1, "memory_gib": 0.25, "disk_gib": 1},
    "parties": {"registrar": "namecheap", "dns": "route53", "edge": "cloudfront", "compute": "aws"},
}
FORUM: dict[str, Any] = {
    "title": "Forum",
    "work": "forum",
    "state": "database",
    "importance": "high",
    "hosts": ["talk.dao.example"],
    "parts": [
        {"what": "ec2", "type": "t3.medium", "disk_gib": 0},
        {"what": "rds", "type": "db.t4g.small", "disk_gib": 10},
    ],
    "size": {"cpu": 3.25, "memory_gib": 6.5, "disk_gib": 40},
    "data": {"gb": 20, "confidentiality": "personal", "backup_hours": 168, "copies": ["aws"]},
    "secrets": [{"name": "database password", "class": "scoped"}],
    "parties": {"registrar": "namecheap", "dns": "route53", "compute": "aws", "database": "aws", "mail": "ses"},
}
VALIDATOR: dict[str, Any] = {
    "title": "Validator",
    "work": "validator",
    "state": "keys",
    "importance": "very-high",
    "parts": [{"what": "fixed", "name": "server", "usd_month": 80, "source": "invoice"}],
    "secrets": [{"name": "BLS key", "class": "custody"}],
    "parties": {"compute": "hetzner"},
}
NODE: dict[str, Any] = {
    "title": "RPC node",
    "work": "node",
    "state": "rebuildable",
    "importance": "high",
    "parts": [{"what": "fixed", "name": "server", "usd_month": 600, "source": "invoice"}],
    "size": {"cpu": 8, "memory_gib": 32, "disk_gib": 6144},
    "parties": {"compute": "hetzner"},
}
BOT: dict[str, Any] = {
    "title": "Bot",
    "work": "bot",
    "state": "singleton",
    "importance": "low",
    "cost": {"stated": {"usd_month": 6, "source": "invoice 2026-10"}},
    "size": {"cpu": 0.25, "memory_gib": 0.5},
    "parties": {"compute": "forge"},
}
LETTER: dict[str, Any] = {
    "title": "Newsletter",
    "work": "mail",
    "state": "external",
    "importance": "low",
    "cost": {"stated": {"usd_month": 45, "source": "invoice"}},
    "parties": {"compute": "mailchimp", "mail": "mailchimp"},
}


_BUILT = ("static", "service", "forum", "postgres", "indexer")
#: An installation that can build everything everywhere, and prices by size.
EVERYTHING = Builds(
    {name: Kind(name, dict.fromkeys(("aws", "akash", "flux"))) for name in _BUILT},
    {name: place(name) for name in ("aws", "akash", "flux")},
)
#: This project: what its own kinds can build, with their own bills.
PROJECT = adapter.builds(builtin())


def inventory(dao: dict[str, Any] | None = None, /, **workloads: dict[str, Any]) -> Inventory:
    """Make an inventory of the given workloads."""
    return Inventory.model_validate({
        "dao": {"name": "Example", **(dao or {})},
        "as_of": "2026-11-01",
        "workloads": copy.deepcopy(workloads),
    })  # fmt: skip


def assess(
    dao: dict[str, Any] | None = None, /, builds: Builds = EVERYTHING, **workloads: dict[str, Any]
) -> assessment.Assessment:
    """Assess the given workloads as if every move that suits them were made, with the shipped prices."""
    what = inventory(dao, **workloads)
    return assessment.assess(what, courses.proposed(what, builds), prices.read(prices.SHIPPED), ON)


def advise(
    dao: dict[str, Any] | None = None, /, builds: Builds = EVERYTHING, **workloads: dict[str, Any]
) -> assessment.Assessment:
    """Assess the given workloads by the advice, which leaves out what is not worth it."""
    what = inventory(dao, **workloads)
    book = prices.read(prices.SHIPPED)
    plan = assessment.advised(what, courses.proposed(what, builds), book, ON)
    return assessment.assess(what, plan, book, ON)


def example() -> assessment.Assessment:
    """Assess the example inventory as `unmoor assess` does."""
    what = reading.load(ROOT / "stacks" / "inventory.yaml", ON)
    book = prices.read(prices.SHIPPED)
    return assessment.assess(what, assessment.advised(what, courses.proposed(what, PROJECT), book, ON), book, ON)


def planned(mode: str, *targets: str, **more: Any) -> dict[str, Any]:
    """Return a wish of the inventory."""
    return {"mode": mode, **({"decentralized": list(targets)} if targets else {}), **more}
