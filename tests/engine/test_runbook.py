"""The runbooks of every mode, carried out by their own command, with the real engine, against a sandbox.

The workload goes once round the ring: centralized, active-standby, swapped, decentralized, and back. Wherever it is,
every chapter is carried out that holds a check not seen to work before; what has to be broken first is broken here. The
legs are one journey: a leg needs those before it.

They cannot prove that a chapter is enough when the real AWS or the real Akash fails in a way the sandbox does not know.
One number differs from the library's: aliases are waited out for as long as this sandbox answers them, not 60 s.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.config import models as config
from components.project import builtin
from components.runbook.case import case
from components.runbook.table import chapters
from sandbox.akash import inventory
from sandbox.state import REPOSITORY, VARIABLE
from tests.settings import site_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from components.runbook.case import Case
    from components.runbook.chapter import Check

    from .conftest import Sandbox

STACK, WORKLOAD = "sandbox", "docs"
#: Where the workload goes, and by which chapter it leaves.
JOURNEY = ("active-standby", "swap", "decentralized", "active-standby", "swap", "centralized", "decommission")
#: Chapters that lead elsewhere: executed where the journey has them.
GOING = frozenset(JOURNEY)
#: How long something that happens by itself may take, in seconds.
PATIENCE = 120


#: The project's own registry: the authority's aliases are kept for 10 s.
REGISTRY = """
from components.dns.route53 import Route53
from components.project import builtin
REGISTRY = builtin().with_(authorities=[Route53(alias_ttl=10)])
"""


@dataclass
class Operator:
    """An operator in a repository of their own, with a sandbox's variables in the shell."""

    root: Path
    sandbox: Sandbox
    proven: set[tuple[Any, ...]] = field(default_factory=set)
    wanted: dict[tuple[Any, ...], str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.root / "stacks" / f"Pulumi.{STACK}.yaml"

    @property
    def environment(self) -> dict[str, str]:
        signer = {"UNMOOR_SIGNER": "alice", "UNMOOR_SSH_KEY": str(self.root / "signer")}
        return {**os.environ, **self.sandbox.environment, **signer, "TMPDIR": str(self.root)}

    def case(self, workload: str = WORKLOAD) -> Case:
        document = config.load_document(self.file)
        read, faults = config.read(config.settings_of(document, str(self.file)))
        assert read, faults
        others = config.settings_of_others(document["config"])
        return case(STACK, read, workload, builtin(), self.root, others)

    def type(self, *words: str) -> str:
        done = subprocess.run(
            words,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def carry_out(self, name: str, workload: str = WORKLOAD) -> bool:
        """Execute a chapter, unless every check in it has been seen to work; return whether it was executed."""
        chapter = next(each for each in chapters(self.case(workload)) if each.name == name)
        checks = {key(name, check) for step in chapter.steps for check in (step.do, step.verify)}
        self.wanted |= dict.fromkeys(checks, name)
        if checks <= self.proven and name not in GOING:
            return False
        with self.trouble(name):
            said = self.type(
                "./unmoor", "runbook", workload, "--stack", STACK, "--chapter", name,
                "--execute", "--yes", "--approved-by", "a test", "--json",
            )  # fmt: skip
        report = json.loads(said)
        for step in report["chapters"][0]["steps"]:
            print(f"{step['seconds']:6.1f} s  {name}-{step['step']}")  # noqa: T201 shown when a test fails
        assert [step["state"] for step in report["chapters"][0]["steps"]] == ["done"] * len(chapter.steps)
        self.proven |= checks
        return True

    @contextmanager
    def trouble(self, chapter: str) -> Iterator[None]:
        """Break what a chapter is for, and mend it afterwards."""
        fault = FAULTS.get(chapter)
        if chapter == "lease-lost":
            (owner,) = {each["leases"][-1]["id"]["provider"] for each in inventory.open_deployments()}
            fault = f"provider-gone-{owner}"
        if chapter == "interrupted":
            self.kill_an_update()
        if fault:
            self.sandbox.state.start_fault(fault)
        if chapter == "lease-lost":
            until(lambda: all(each["leases"][-1]["state"] != "active" for each in inventory.open_deployments()))
        try:
            yield
        finally:
            if fault:
                self.sandbox.state.end_fault(fault)

    def kill_an_update(self) -> None:
        """Leave the stack's lock behind, as a machine does that dies."""
        locks = self.sandbox.state.root / "state" / ".pulumi" / "locks"
        child = subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "--stack", STACK], cwd=self.root, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0,
        )  # fmt: skip
        try:
            until(lambda: any(locks.rglob("*.json")))
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


FAULTS = {
    "aws-gone": "aws-down",
    "account-closed": "aws-account-closed",
    "chain-halted": "chain-halted",
    "dns-gone": "dns-control-plane-down",
    "store-gone-aws": "store-gone-aws",
    "store-gone-storj": "store-gone-storj",
}


#: Chapters that break something themselves, in `Operator.trouble`.
BREAKING = frozenset(FAULTS) | {"lease-lost", "interrupted"}


def key(chapter: str, check: Check) -> tuple[Any, ...]:
    """Return the key of equal checks: the check and the faults of its run, without its time."""
    return chapter if chapter in BREAKING else "", check.command, check.shows, check.fails


def until(seen: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < end, f"not seen within {PATIENCE} s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def operator(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Yield a repository with its own stack file and site, where commands are typed as in the real one."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("sdl", ".venv", "unmoor", "__main__.py", "Pulumi.yaml"):
        (root / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "components", root / "components", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "project.py").write_text(REGISTRY)
    # The real one would complete the environment, which is another checkout's here.
    (root / "setup.sh").write_text("#!/bin/sh\n")
    (root / "setup.sh").chmod(0o755)
    site_folder(root)
    (root / "stacks").mkdir()
    stack = yaml.safe_load((REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml").read_text())
    key = root / "signer"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers = {"quorum": 1, "keys": {"alice": key.with_suffix(".pub").read_text().strip()}}
    stack["config"] |= {"unmoor:ttl": 5, "unmoor:require_approval": True, "unmoor:signers": signers}
    ours = Operator(root, sandbox)
    ours.file.write_text(yaml.safe_dump(stack, sort_keys=False))
    (root / ".gitignore").write_text("components\nproject.py\nsigner*\nsetup.sh\nsite\n")
    for words in (
        ("init", "--quiet"), ("config", "user.email", "signer@dao.example"), ("config", "user.name", "A signer"),
        ("add", "stacks", ".gitignore"), ("commit", "--quiet", "--message", "The stack"),
    ):  # fmt: skip
        ours.type("git", *words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))
        yield ours


@pytest.mark.timeout(900)
@pytest.mark.parametrize("leg", range(len(JOURNEY)), ids=[f"{at}-then-{name}" for at, name in enumerate(JOURNEY)])
def test_every_chapter_can_be_carried_out(operator: Operator, leg: int) -> None:
    """The commands of a chapter are run, and show what it expects; then the workload moves on."""
    if leg == 1:  # the first leg was signed; a stack without approvals has another runbook
        stack = yaml.safe_load(operator.file.read_text())
        stack["config"]["unmoor:require_approval"] = False
        operator.file.write_text(yaml.safe_dump(stack, sort_keys=False))
        plan = json.loads(operator.type("./unmoor", "review", "--base", "HEAD", "--json", STACK))["hash"]
        operator.type("./unmoor", "approve", plan, "--stack", STACK)  # the last plan's signers let approval end
    for name in [chapter.name for chapter in chapters(operator.case()) if chapter.name not in GOING]:
        if operator.carry_out(name) and name == "roll-back":
            operator.carry_out("roll-forward")
    operator.carry_out(JOURNEY[leg])


@pytest.mark.timeout(300)
def test_one_workload_of_several_can_be_ended(operator: Operator) -> None:
    stack = yaml.safe_load(operator.file.read_text())
    stack["config"]["unmoor:workloads"]["handbook"] = {
        **stack["config"]["unmoor:workloads"][WORKLOAD], "mode": "decentralized", "host": "handbook.dao.example",
    }  # fmt: skip
    stack["config"]["unmoor:workloads"][WORKLOAD]["mode"] = "decentralized"
    operator.file.write_text(yaml.safe_dump(stack, sort_keys=False))
    operator.type("pulumi", "up", "--yes", "--skip-preview", "--stack", STACK)
    operator.carry_out("decommission", "handbook")
    operator.carry_out("decommission")
    assert inventory.open_deployments() == []


def test_no_mode_has_a_command_or_a_verify_that_was_not_carried_out(operator: Operator) -> None:
    """Every check of every chapter that applied anywhere on the journey was seen to work."""
    assert {name: check for check, name in operator.wanted.items() if check not in operator.proven} == {}
