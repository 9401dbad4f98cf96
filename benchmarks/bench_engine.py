"""The engine against the sandbox: what a preview costs, what a hand-written program costs, and the sandbox itself."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from sandbox.drive import Pulumi
from sandbox.state import REPOSITORY, State

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 3

#: The same resources written out by hand: what the library's previews are compared with.
_BY_HAND = """
import json, sys
import pulumi, pulumi_aws as aws, pulumi_command as command

made = {}

class Akash(pulumi.CustomResource):
    def __init__(self, name, props):
        super().__init__("unmoor:akash:Deployment", name, props)

class Any_(pulumi.CustomResource):
    def __init__(self, type_, name, props):
        version = "7.51.1" if type_.startswith("aws:") else None
        super().__init__(type_, name, props, pulumi.ResourceOptions(version=version))

for one in json.load(open("resources.json")):
    if one["type"] == "unmoor:akash:Deployment":
        Akash(one["name"], one["inputs"])
    else:
        Any_(one["type"], one["name"], one["inputs"])
"""


def main() -> Iterator[dict[str, Any]]:
    """Yield start-up, memory and preview figures."""
    with tempfile.TemporaryDirectory() as root:
        state = State(Path(root) / "S")
        began = time.perf_counter()
        child, environment = start(state)
        try:
            yield {"name": "sandbox_start_s", "value": round(time.perf_counter() - began, 2), "unit": "s", "reach": 5}
            yield from _previews(state, environment)
            yield {"name": "sandbox_resident_mb", "value": round(_resident(child.pid)), "unit": "MB", "reach": 600}
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(60)


def start(state: State) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start a sandbox; return its process and the environment of those who use it."""
    variables = {**os.environ, "UNMOOR_SANDBOX": str(state.root)}
    command = [sys.executable, "-m", "sandbox"]
    child = subprocess.Popen(
        [*command, "up"], cwd=REPOSITORY, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    if not child.stdout.readline():
        raise SystemExit("the sandbox did not start")
    given = subprocess.run(
        [*command, "env", "--json"], cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=True
    )
    return child, json.loads(given.stdout)


def _resident(pid: int) -> float:
    """Add up what the sandbox's processes hold in memory, in MB; shared pages once, where the system can tell."""
    total = 0.0
    for each in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a container that has just ended
            memory = each.memory_full_info()
            total += getattr(memory, "pss", memory.rss) / 1e6
    return total


def _previews(state: State, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    file = state.root / "Pulumi.sandbox.yaml"
    text = (REPOSITORY / "stacks/Pulumi.sandbox.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("mode: centralized", "mode: active-standby"), encoding="utf-8")
    ours = Pulumi(state, environment, "sandbox", file)
    ours.init()
    ours.up()
    hand = by_hand(state, environment, json.loads(ours.export())["deployment"]["resources"])
    yield from compared("preview", ours, hand, 6)


def compared(name: str, ours: Pulumi, hand: Pulumi, reach: float) -> Iterator[dict[str, Any]]:
    """Yield the seconds of both previews, and their ratio."""
    took: dict[str, list[float]] = {"ours": [], "hand": []}
    for _ in range(RUNS):  # in turns, so that noise falls on both
        took["ours"].append(ours.preview().seconds)
        took["hand"].append(hand.preview().seconds)
    middle = {side: sorted(values)[RUNS // 2] for side, values in took.items()}
    yield {"name": f"{name}_s", "value": round(middle["ours"], 2), "unit": "s", "reach": reach}
    yield {"name": f"{name}_by_hand_s", "value": round(middle["hand"], 2), "unit": "s", "reach": None}
    ratio = round(middle["ours"] / middle["hand"], 2)
    yield {"name": f"{name}_ratio_to_hand_written", "value": ratio, "unit": "x", "reach": 1.5}


def by_hand(state: State, environment: dict[str, str], resources: list[dict[str, Any]]) -> Pulumi:
    """Write a program with the same custom resources and the inputs they have, as a stack that is not yet up."""
    project = state.root / "by-hand"
    project.mkdir()
    custom = [
        {"type": r["type"], "name": r["urn"].rsplit("::", 1)[1], "inputs": _plain(r["inputs"])}
        for r in resources
        if r.get("custom") and not r["type"].startswith("pulumi:")
    ]
    (project / "resources.json").write_text(json.dumps(custom))
    (project / "__main__.py").write_text(_BY_HAND)
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    plugin = {"providers": [{"name": "unmoor", "path": str(REPOSITORY / "components/provider/bin")}]}
    (project / "Pulumi.yaml").write_text(json.dumps({"name": "byhand", "runtime": runtime, "plugins": plugin}))
    (project / "venv").symlink_to(sys.prefix)
    file = project / "Pulumi.hand.yaml"
    file.write_text(json.dumps({"config": {"aws:region": "us-east-1"}}))
    made = Pulumi(state, environment, "hand", file, project)
    made.init()
    salt = re.search(r"^encryptionsalt: .*$", file.read_text(), re.MULTILINE)
    if salt is None:
        committed = (REPOSITORY / "stacks/Pulumi.sandbox.yaml").read_text(encoding="utf-8")
        salt = re.search(r"^encryptionsalt: .*$", committed, re.MULTILINE)
        assert salt is not None
        file.write_text(f"{salt.group(0)}\nconfig:\n  aws:region: us-east-1\n")
    return made


def _plain(inputs: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the engine adds to inputs."""
    return {key: value for key, value in inputs.items() if not key.startswith("__")}
