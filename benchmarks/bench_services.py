"""The first preview of a stack of ten workloads, and of a hand-written program with the same resources."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.drive import Pulumi
from sandbox.state import REPOSITORY, State

from .bench_engine import by_hand, compared, start

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many static sites and services there are, all of them active-standby.
SITES, SERVICES = 4, 6
IMAGE = "ghcr.io/dao-example/api:1.0@sha256:4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"


def main() -> Iterator[dict[str, Any]]:
    """Yield the seconds of both previews, and their ratio."""
    with tempfile.TemporaryDirectory() as root:
        state = State(Path(root) / "S")
        child, environment = start(state)
        try:
            yield from _previews(state, environment)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(60)


def _previews(state: State, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    file = state.root / "Pulumi.sandbox.yaml"
    file.write_text(yaml.safe_dump(_stack()), encoding="utf-8")
    ours = Pulumi(state, environment, "sandbox", file)
    ours.init()
    steps = json.loads(ours.preview("--json").output)["steps"]
    hand = by_hand(state, environment, [step["newState"] for step in steps])
    yield from compared("preview_ten", ours, hand, 10)


def _stack() -> dict[str, Any]:
    """Return a stack file of ten workloads, none of which is up."""
    made: dict[str, Any] = yaml.safe_load((REPOSITORY / "stacks/Pulumi.sandbox.yaml").read_text(encoding="utf-8"))
    config = made["config"]
    docs = config["unmoor:workloads"]["docs"] | {"mode": "active-standby"}
    docs.pop("adopt", None)
    api = {
        "kind": "service",
        "mode": "active-standby",
        "placement": {"centralized": "aws", "decentralized": ["akash"]},
        "options": {"image": IMAGE, "port": 8080},
    }
    sites = {f"docs{number}": docs | {"host": f"docs{number}.dao.example"} for number in range(SITES)}
    services = {f"api{number}": api | {"host": f"api{number}.dao.example"} for number in range(SERVICES)}
    config["unmoor:workloads"] = {**sites, **services}
    return made
