"""A valid stack, small and whole, for tests to vary."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

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
