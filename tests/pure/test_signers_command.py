"""Two of three signers approve with a wallet and an SSH key, and an update is refused with one."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import click
import pulumi
import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import cli
from components.config.signers import Signers
from components.errors import ConfigError, PlanError
from components.plan.canonical import plan_hash
from components.plan.stack import from_file
from components.project import builtin
from components.review import record, state
from components.review.approval import Approved
from tests.signing import Ssh, Wallet

FILE = Path("stacks/Pulumi.prod.yaml")
APPROVALS = Path("stacks/approvals.prod.yaml")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {"alice": Ssh(folder), "bob": Wallet(), "carol": Wallet(), "mallory": Wallet()}


def write(people, quorum: int = 2, names=("alice", "bob", "carol"), **docs) -> None:
    workload = {
        "kind": "static",
        "mode": "centralized",
        "host": "docs.dao.example",
        "backup": {"stores": ["aws"]},
        **docs,
    }
    made = {
        "unmoor:zone": "dao.example",
        "unmoor:stores": {"aws": {"vendor": "aws", "bucket": "dao-aws", "public_url": "https://s3.example/dao"}},
        "unmoor:workloads": {"docs": workload},
        "unmoor:require_approval": True,
        "unmoor:signers": {"quorum": quorum, "keys": {name: people[name].key for name in names}},
    }
    FILE.write_text(yaml.safe_dump({"config": made}, sort_keys=False))


@pytest.fixture
def project(tmp_path, monkeypatch, people):
    monkeypatch.chdir(tmp_path)
    for name in ("UNMOOR_SIGNER", "UNMOOR_SSH_KEY", "UNMOOR_GPG_KEY"):
        monkeypatch.delenv(name, raising=False)
    Path("stacks").mkdir()
    Path("Pulumi.yaml").write_text("name: unmoor\n")
    write(people)
    return tmp_path


def topology():
    return from_file(FILE, builtin(), built=False)


def approve(*words: str, given: str | None = None):
    result = CliRunner().invoke(cli, ["approve", *words, "--stack", "prod"], input=given, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def with_wallet(wallet: Wallet, name: str, *more: str):
    """Sign as a wallet does: print the sentence, sign it, run the printed command with the signature."""
    printed = approve(plan_hash(topology())[:12], "--signer", name, *more)
    command = shlex.split(next(line for line in printed.stderr.splitlines() if "./unmoor approve" in line))
    expires = command[command.index("--expires") + 1]
    return approve(
        plan_hash(topology()),
        "--signer",
        name,
        "--expires",
        expires,
        "--signature",
        "-",
        *more,
        given=wallet.sign(printed.stdout),
    )


@pytest.fixture
def up(monkeypatch):
    """Run what the program runs of approvals, and keep its outputs as the engine does."""
    kept: dict = {}
    monkeypatch.setattr(state, "outputs", lambda: dict(kept))
    monkeypatch.setattr(pulumi, "get_project", lambda: "unmoor")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "prod")
    monkeypatch.setattr(pulumi.log, "info", lambda *_: None)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)

    def run() -> dict:
        found = state.demand(topology(), dict(kept))
        kept.clear()
        kept.update(found)
        return kept

    return run


def test_two_of_three_approve_and_one_does_not(project, people, up) -> None:
    with pytest.raises(PlanError, match="0 of 2 needed approve it, of the signers that it names itself"):
        up()
    first = with_wallet(people["bob"], "bob")
    assert "1 of 2 needed; missing: 1 more of alice, carol" in first.stdout
    with pytest.raises(PlanError, match="1 of 2 needed"):
        up()
    second = approve(plan_hash(topology())[:16], "--signer", "alice", "--ssh-key", str(people["alice"].file))
    assert "2 of 2 needed; commit stacks/approvals.prod.yaml" in second.stdout
    kept = up()["approved"]
    assert (kept["number"], kept["plan"], kept["quorum"]) == (1, plan_hash(topology()), 2)
    assert up()["approved"] == kept


def test_a_pull_request_that_names_its_own_judges_is_refused(project, people, up) -> None:
    with_wallet(people["bob"], "bob")
    with_wallet(people["carol"], "carol")
    up()
    write(people, 1, ["mallory"], options={"budget_usd_month": 900})
    with pytest.raises(ConfigError, match="'mallory' is not a signer of the last approved plan"):
        with_wallet(people["mallory"], "mallory")
    APPROVALS.unlink()  # a chain of its own does not help: the state knows the last approved plan
    with_wallet(people["mallory"], "mallory")
    with pytest.raises(PlanError, match="0 of 2 needed approve it, of the signers of the last approved plan"):
        up()


def test_signers_change_by_those_who_sign_now(project, people, up) -> None:
    with_wallet(people["bob"], "bob")
    with_wallet(people["carol"], "carol")
    up()
    write(people, 1, ["mallory"])
    with_wallet(people["bob"], "bob")
    with_wallet(people["carol"], "carol")
    assert up()["approved"]["number"] == 2
    write(people, 1, ["mallory"], mode="decentralized")
    with_wallet(people["mallory"], "mallory")
    assert up()["approved"]["number"] == 3


def test_a_preview_warns_and_changes_nothing_that_is_remembered(project, people, up, monkeypatch) -> None:
    with_wallet(people["bob"], "bob")
    with_wallet(people["carol"], "carol")
    kept = dict(up())
    write(people, mode="decentralized")
    said: list[str] = []
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    assert state.demand(topology(), kept) == kept
    assert "this plan is not approved" in said[0]


@pytest.mark.parametrize("digest", ["a" * 64, "main", "", "abc"])
def test_a_hash_that_is_not_the_plan_here_is_refused(project, people, digest) -> None:
    with pytest.raises(ConfigError, match="is not the plan of prod in this working tree, which is "):
        approve(digest, "--signer", "bob")
    assert not APPROVALS.exists()


def test_a_stack_that_is_not_there_and_a_missing_signer_are_sentences(project, people) -> None:
    with pytest.raises(ConfigError, match="no such stack file; choose from prod"):
        CliRunner().invoke(
            cli,
            ["approve", "a" * 64, "--stack", "prd", "--signer", "bob"],
            standalone_mode=False,
            catch_exceptions=False,
        )
    with pytest.raises(click.MissingParameter):
        approve("a" * 64)


def test_a_plan_of_another_stack_is_refused(project, people) -> None:
    old = plan_hash(topology())
    write(people, mode="active-standby")
    with pytest.raises(ConfigError, match="is not the plan of prod"):
        approve(old, "--signer", "bob")


def test_a_wrong_signature_is_not_written(project, people) -> None:
    digest = plan_hash(topology())
    for signature in (people["mallory"].sign("x"), "0x12", people["alice"].sign("x")):
        with pytest.raises(ConfigError, match=r"this signature is not bob's over this sentence: .*nothing was written"):
            approve(digest, "--signer", "bob", "--signature", signature)
    with pytest.raises(ConfigError, match="ssh-keygen did not sign"):
        approve(digest, "--signer", "alice", "--ssh-key", "nowhere")
    assert not APPROVALS.exists()


def test_an_unknown_signer_is_a_sentence(project, people) -> None:
    with pytest.raises(
        ConfigError, match="'allice' is not a signer of this plan; did you mean alice\\?; choose from alice, bob"
    ):
        approve(plan_hash(topology()), "--signer", "allice")


def test_the_sentence_alone_is_on_standard_output(project, people) -> None:
    printed = approve(plan_hash(topology()), "--signer", "bob")
    lines = printed.stdout.splitlines()
    assert lines[0] == "I approve this plan of my organisation's infrastructure for unmoor."
    assert lines[2:7] == [
        "Project: unmoor",
        "Stack: prod",
        "Approval: 1",
        f"Plan: {plan_hash(topology())}",
        "Replaces: nothing, it is the first",
    ]
    assert "AWS alone can still switch this off" in printed.stderr
    assert not APPROVALS.exists()


def test_an_approval_after_one_that_was_never_deployed_can_skip_it(project, people, up) -> None:
    for name in ("bob", "carol"):
        with_wallet(people[name], name)
    up()
    write(people, mode="active-standby")
    for name in ("bob", "carol"):
        with_wallet(people[name], name)
    write(people, mode="decentralized")
    for name in ("bob", "carol"):
        with_wallet(people[name], name, "--replaces", "1")
    assert up()["approved"]["number"] == 2
    with pytest.raises(ConfigError, match="there is no approval 7 with a quorum"):
        approve(plan_hash(topology()), "--signer", "bob", "--replaces", "7")


def test_the_review_judges_by_the_chain_of_the_base(project, people) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True, capture_output=True)

    def reviewed() -> str:
        return CliRunner().invoke(cli, ["review", "--base", "main"], standalone_mode=False).output

    git("init", "-q", "-b", "main")
    for name in ("bob", "carol"):
        with_wallet(people[name], name)
    git("add", "-A")
    git("commit", "-qm", "first")
    write(people, mode="active-standby")
    assert "Needs signatures: 2 more of alice, bob, carol." in reviewed()
    assert "`./unmoor approve " in reviewed()
    with_wallet(people["bob"], "bob")
    assert "Needs signatures: approved by bob; 1 more of alice, carol." in reviewed()
    with_wallet(people["carol"], "carol")
    assert "Approved by bob, carol." in reviewed()
    write(people, 1, ["mallory"])
    APPROVALS.unlink()
    with_wallet(people["mallory"], "mallory")
    assert "Needs signatures: 2 more of alice, bob, carol." in reviewed()


def test_what_the_state_remembers_is_read_back(people) -> None:
    approved = Approved(7, "a" * 64, Signers(quorum=1, keys={"bob": people["bob"].key}))
    assert state.parse({state.OUTPUT: state.plain(approved)}) == approved
    assert state.parse({}) is None
    for bad in ("x", {}, {"number": 1, "plan": "a", "quorum": 9, "signers": {"bob": people["bob"].key}}):
        with pytest.raises(ConfigError, match="is not what unmoor writes"):
            state.parse({state.OUTPUT: bad})
    assert record.file_for(FILE) == APPROVALS
