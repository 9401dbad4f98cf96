"""The real engine runs programs with our language host and our stand-ins, without a network or a warning.

It cannot prove that the official language host and plugins behave the same.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
import yaml

from sandbox.drive import EngineFailed
from sandbox.state import REPOSITORY
from tests.settings import site_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.drive import Pulumi

    from .conftest import Sandbox

TINY = """
import pulumi

class Thing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("tiny:index:Thing", name)
        self.register_outputs({})

config = pulumi.Config()
if config.require("mode") == "nowhere":
    raise pulumi.RunError("there is no such mode")
Thing("one")
pulumi.export("mode", config.require("mode"))
pulumi.export("word", config.require_secret("word"))
"""
CLOUDS = """
import pulumi
from pulumi_aws import route53, s3
from pulumi_command import local

zone = route53.Zone("zone", name="smoke.example")
bucket = s3.Bucket("bucket")
record = route53.Record(
    "record", zone_id=zone.zone_id, name="www.smoke.example", type="A", ttl=30, records=["203.0.113.9"]
)
step = local.Command("step", create="echo taken", opts=pulumi.ResourceOptions(depends_on=[record]))
pulumi.export("said", step.stdout)
pulumi.export("bucket", bucket.bucket)
"""
SLOW = """
import time
from pulumi_command import local

local.Command("quick", create="true").stdout.apply(lambda _: time.sleep(601))
"""


def test_a_second_up_changes_nothing(pulumi: Callable[..., Pulumi]) -> None:
    runner = pulumi({"tiny:mode": "centralized", "tiny:word": "x"}, TINY, "second")
    first, second = runner.up(), runner.up("--expect-no-changes")
    assert (first.changes(), second.changes()) == ({"tiny-second": "create", "one": "create"}, {})


def test_an_output_that_changes_shows_in_the_preview_and_nothing_else_does(pulumi: Callable[..., Pulumi]) -> None:
    pulumi({"tiny:mode": "centralized", "tiny:word": "x"}, TINY, "output").up()
    shown = pulumi_again(pulumi, {"tiny:mode": "active-standby", "tiny:word": "x"}).preview("--diff").output
    assert [line for line in shown.splitlines() if "=>" in line or "warning" in line] == [
        '  ~ mode: "centralized" => "active-standby"'
    ]


def pulumi_again(make: Callable[..., Pulumi], settings: dict[str, str]) -> Pulumi:
    """Return the stack `output` with other settings."""
    runner = make(settings, TINY, "other")
    runner.stack = "output"
    return runner


def test_a_mistake_of_the_operator_is_a_sentence(pulumi: Callable[..., Pulumi]) -> None:
    runner = pulumi({"tiny:mode": "nowhere", "tiny:word": "x"}, TINY, "mistake")
    with pytest.raises(EngineFailed) as caught:
        runner.preview()
    printed = str(caught.value)
    assert ("error: there is no such mode" in printed, "Traceback" in printed) == (True, False)


def test_a_secret_of_the_settings_is_not_shown(pulumi: Callable[..., Pulumi]) -> None:
    runner = pulumi({"tiny:mode": "centralized", "tiny:word": "abracadabra"}, TINY, "secret")
    assert ("abracadabra" in runner.up().output, "abracadabra" in runner.export()) == (False, False)


def test_the_clouds_take_what_the_engine_brings_and_give_it_back(pulumi: Callable[..., Pulumi]) -> None:
    runner = pulumi({"aws:region": "us-east-1"}, CLOUDS, "clouds")
    first, second, third = runner.up(), runner.up("--expect-no-changes"), runner.destroy()
    order = [name for operation, name in first.steps() if operation == "create"]
    assert (
        order.index("zone") < order.index("record") < order.index("step"),
        second.changes(),
        {"zone", "bucket", "record", "step"} <= {name for operation, name in third.steps() if operation == "delete"},
    ) == (True, {}, True)


def test_an_engine_killed_in_the_middle_leaves_no_process_behind(
    pulumi: Callable[..., Pulumi], sandbox: Sandbox
) -> None:
    """Processes that a command has started are excluded: they run on, as under the official plugin."""
    before = {process.pid for process in sandbox.processes()}
    child = pulumi({}, SLOW, "slow").start("up", "--yes", "--skip-preview")
    until = time.monotonic() + 60
    wanted = {"pulumi-language-python-exec", "sandbox.command"}
    started: list[psutil.Process] = []
    while time.monotonic() < until and not all(any(part in words(each) for each in started) for part in wanted):
        time.sleep(0.1)
        started = [each for each in sandbox.processes() if each.pid not in before]
    os.kill(child.pid, signal.SIGKILL)
    child.wait(60)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert (len(started) > 3, [words(each) for each in alive]) == (True, [])


def words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_the_doctor_finds_a_sandbox_ready_and_sees_each_thing_that_it_names(sandbox: Sandbox, tmp_path: Path) -> None:
    """Every look really asks: DNS by the sandbox's resolver, AWS, stores, the Console, the issuer, the engine."""
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    site_folder(tmp_path)
    for name in ("Pulumi.yaml", "project.py", ".venv", "components", "sdl"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())
    settings["config"]["unmoor:workloads"]["docs"]["mode"] = "active-standby"
    (stacks / "Pulumi.prod.yaml").write_text(yaml.safe_dump(settings))
    done = subprocess.run(
        [sys.executable, "-m", "components", "doctor", "--stack", "prod", "--json"], cwd=tmp_path,
        env={**os.environ, **sandbox.environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    shown = {each["name"]: each["state"] for each in found["checks"]}
    assert (done.returncode, found["ready"]) == (0, True), found
    assert {name for name, state in shown.items() if state == "ready"} == {
        "engine", "virtual environment", "plug-ins", "site", "issuer", "AWS identity", "AWS profile", "zone",
        "delegation", "records of docs.dao.example", "CAA of docs.dao.example", "Console account",
        "bidders for docs-akash", "claims in store aws", "claims in store storj", "room",
    }  # fmt: skip
    # The simulator does not know the sandbox's user, the account's own block has no address, an empty store no object.
    assert {name for name, state in shown.items() if state == "not seen"} == {
        "rights at Route 53", "rights of sites at AWS", "store aws", "store storj",
    }  # fmt: skip
    assert {name for name, state in shown.items() if state == "caution"} == {
        "state",
        "negative answers",
        "CloudFront of docs-aws",
    }
