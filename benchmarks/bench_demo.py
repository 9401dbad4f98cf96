"""The figures that only a whole story has: failover, recovery, lost requests, and how long it takes."""

from __future__ import annotations

import json
import os
import signal
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
    "content_update_failed_requests": 0,
    "second_up_changes": 0,
    "open_deployments_at_end": 0,
    "aws_objects_at_end": 0,
    "total_s": 240,
}


def main() -> Iterator[dict[str, Any]]:
    """Run the demo, and yield what it measured."""
    with tempfile.TemporaryDirectory() as folder:
        told = _story(REPOSITORY, Path(folder) / "S")
        for name, reach in _REACH.items():
            yield {
                "name": f"demo_{name}",
                "value": told[name],
                "unit": "s" if name.endswith("_s") else "",
                "reach": reach,
            }


def _story(tree: Path, state: Path) -> dict[str, Any]:
    """Run the demo of a tree with a state folder of its own; return its figures."""
    child = subprocess.Popen(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=tree,
        env={**os.environ, "UNMOOR_SANDBOX": str(state)},
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        if code := child.wait():
            raise SystemExit(f"the demo ended with {code}")
    finally:
        # The sandbox gets one signal, from us alone, and has the time that it needs to end.
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            child.wait()
    figures: dict[str, Any] = json.loads((state / "demo.json").read_text())
    return figures
