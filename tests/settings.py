"""A valid stack, small and whole, for tests to vary."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {
    "zone": "dao.example",
    "ttl": 30,
    "stores": {
        "aws": {"vendor": "aws", "bucket": "dao-aws", "public_url": "https://s3.us-east-1.amazonaws.com/dao-aws"},
        "storj": {
            "vendor": "storj",
            "bucket": "dao-storj",
            "endpoint": "https://gateway.storjshare.io",
            "public_url": "https://gateway.storjshare.io/dao-storj",
            "access_key": "STORJ_ACCESS_KEY",
            "secret_key": "STORJ_SECRET_KEY",
        },
    },
    "workloads": {
        "docs": {
            "kind": "static",
            "mode": "centralized",
            "host": "docs.dao.example",
            "placement": {"centralized": "aws", "decentralized": ["akash"]},
            "backup": {"stores": ["aws", "storj"], "retain": 3},
            "options": {"site": "site"},
        }
    },
}


def settings(
    mode: str = "centralized", active: str = "centralized", decentralized: tuple[str, ...] = ("akash",), **docs: Any
) -> dict[str, Any]:
    """Return the stack with its one workload in a mode."""
    made = copy.deepcopy(SETTINGS)
    made["workloads"]["docs"] |= {"mode": mode, "active": active, **docs}
    made["workloads"]["docs"]["placement"]["decentralized"] = list(decentralized)
    return made


def site_folder(root: Path) -> Path:
    """Make the smallest site there is."""
    folder = root / "site"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<h1>docs</h1>")
    return folder


def zone_stack(root: Path, *records: tuple[str, str, str]) -> Path:
    """Write a stack with two sites on Akash and a zone file of records (host, type, value); return the stack's file."""
    (root / "stacks").mkdir()
    made = settings("decentralized", decentralized=("akash", "akash"))
    path = root / "stacks" / "Pulumi.prod.yaml"
    path.write_text(yaml.safe_dump({"config": {f"unmoor:{name}": value for name, value in made.items()}}))
    kept = [{"host": host, "type": type_, "ttl": 300, "values": [value]} for host, type_, value in records]
    (path.parent / "zone.yaml").write_text(yaml.safe_dump({"zone": "dao.example", "records": kept}))
    return path
