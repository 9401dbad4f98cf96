"""The figures that only a whole story has: failover, recovery, lost requests, and how long the demo takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1]
_REACH = {
    "failover_s": 45,
    "failback_s": None,
    "lost_lease_recovery_s": 30,
    "planned_flip_failed_requests": 0,
    "second_up_changes": 0,
    "open_deployments_at_end": 0,
    "aws_objects_at_end": 0,
    "total_s": 240,
}


def main() -> Iterator[dict[str, Any]]:
    """Run the demo once in a folder of its own and yield what it measured."""
    with tempfile.TemporaryDirectory() as root:
        state = Path(root) / "S"
        subprocess.run(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=REPOSITORY,
            env={**os.environ, "UNMOOR_SANDBOX": str(state)},
            stdout=sys.stderr,
            check=True,
        )
        figures = json.loads((state / "demo.json").read_text())
    for name, reach in _REACH.items():
        yield {
            "name": f"demo_{name}",
            "value": figures[name],
            "unit": "s" if name.endswith("_s") else "",
            "reach": reach,
        }
