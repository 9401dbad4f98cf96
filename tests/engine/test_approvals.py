"""The real engine keeps the last approved plan in the stack's state, and an update asks it who judges the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.config import models as config
from components.plan.canonical import plan_hash
from components.plan.stack import topology
from components.project import builtin
from components.review import record
from components.review.approval import Scope, sentence, tip
from components.review.approval import Wanted as Plan
from components.review.record import Approval, Entry
from sandbox.drive import EngineFailed
from sandbox.state import REPOSITORY
from tests.signing import Ssh, Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.drive import Pulumi

#: What `__main__.py` does before it deploys, and its outputs after.
PROGRAM = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
import pulumi
from pulumi.runtime import config as runtime_config
from components.errors import UnmoorError
from components.plan.stack import from_pulumi
from components.project import builtin
from components.review import state

values = {{**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}}
try:
    approved = state.demand(from_pulumi(values, builtin(), Path.cwd()), state.outputs())
except UnmoorError as error:
    raise pulumi.RunError(str(error)) from None
for name, value in approved.items():
    pulumi.export(name, value)
"""
STACK = "approvals"
VERSION = "a" * 64


def settings(keys: dict[str, str], quorum: int = 2, mode: str = "centralized") -> dict[str, Any]:
    workload = {
        "kind": "static",
        "mode": mode,
        "host": "docs.dao.example",
        "backup": {"stores": ["aws"]},
        "options": {"version": VERSION},
    }
    return {
        "zone": "dao.example",
        "stores": {"aws": {"vendor": "aws", "bucket": "dao-aws", "public_url": "https://s3.example/dao"}},
        "workloads": {"docs": workload},
        "signers": {"quorum": quorum, "keys": keys},
        "require_approval": True,
    }


class Approving:
    """A stack whose file and approvals are written next to its program."""

    def __init__(self, runner: Pulumi) -> None:
        self.pulumi = runner
        self.stacks: Path = runner.project / "stacks"
        self.stacks.mkdir(exist_ok=True)
        project = yaml.safe_load((runner.project / "Pulumi.yaml").read_text())["name"]
        self.scope = Scope(project, STACK)

    def write(self, made: dict[str, Any]) -> None:
        """Write the stack file."""
        self.made = made
        kept = yaml.safe_load(self.pulumi.config_file.read_text()) or {}
        kept["config"] = {f"unmoor:{key}": value for key, value in made.items()}
        self.pulumi.config_file.write_text(yaml.safe_dump(kept))

    def approve(self, **signers: Any) -> None:
        """Sign the plan of the stack file, after the last one with a quorum in the file of approvals."""
        read, _ = config.read(self.made)
        assert read
        plan = plan_hash(topology(self.made, builtin(), None))
        want = Plan(plan, read.signers, required=True)
        path = record.file_for(self.stacks / f"Pulumi.{STACK}.yaml")
        entries = record.read(path)
        last = tip(self.scope, entries)
        number, after = (last.number + 1, last.plan) if last else (1, "")
        for name, signer in signers.items():
            text = sentence(self.scope, number, after, want, "2099-01-01")
            approval = Approval(signer=name, expires="2099-01-01", signature=signer.sign(text))
            entry = Entry(number=number, plan=plan, after=after, signers=read.signers)
            entries = record.add(entries, entry, approval)
        record.write(path, entries)

    def refused(self) -> str:
        """Update, which must fail; return what was printed."""
        with pytest.raises(EngineFailed) as failed:
            self.pulumi.up()
        assert "Traceback" not in str(failed.value)
        return str(failed.value)


@pytest.mark.timeout(300)
def test_an_update_is_refused_with_one_signer_and_taken_with_two_of_three(
    pulumi: Callable[..., Pulumi], tmp_path: Path
) -> None:
    alice, bob, mallory = Ssh(tmp_path), Wallet(), Wallet()
    keys = {"alice": alice.key, "bob": bob.key, "carol": Wallet().key}
    stack = Approving(pulumi({}, PROGRAM, STACK))
    stack.write(settings(keys))
    assert "0 of 2 needed approve it, of the signers that it names itself, as it is the first" in stack.refused()
    stack.approve(bob=bob)
    assert "1 of 2 needed approve it" in stack.refused()
    assert "this plan is not approved" in stack.pulumi.preview().output
    stack.approve(alice=alice)
    stack.pulumi.up()
    kept = stack.pulumi.outputs()["approved"]
    assert (kept["number"], kept["quorum"], sorted(kept["signers"])) == (1, 2, ["alice", "bob", "carol"])
    stack.pulumi.up("--expect-no-changes")
    # A pull request that appoints its own judge, with a chain of its own from the first plan on.
    record.file_for(stack.stacks / f"Pulumi.{STACK}.yaml").unlink()
    stack.write(settings({"mallory": mallory.key}, quorum=1, mode="decentralized"))
    stack.approve(mallory=mallory)
    assert "0 of 2 needed approve it, of the signers of the last approved plan" in stack.refused()
    # Nor does leaving approval out.
    bare = settings(keys)
    stack.write({key: value for key, value in bare.items() if key not in ("signers", "require_approval")})
    assert "of the signers of the last approved plan" in stack.refused()
    assert stack.pulumi.outputs()["approved"] == kept
