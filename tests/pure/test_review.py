"""A change of a stack file is said in words, and what must not be merged is refused."""

from __future__ import annotations

import copy
import dataclasses
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.__main__ import cli
from components.errors import ConfigError, PlanError
from components.kind import State
from components.kinds.static.kind import Static
from components.plan.canonical import plan_hash
from components.plan.stack import topology
from components.project import builtin
from components.release import Release
from components.review import approval
from components.review.comment import markdown
from components.review.review import review
from tests.settings import settings


class Writer(Static):
    """A static site that has a writer, which there is not: what a review makes of state."""

    state = State.WRITER


def reviewed(old: dict | None, new: dict, *, stateful: bool = False):
    registry = builtin().with_(kinds=[Writer() if stateful else Static()])
    plans = tuple(topology(one, registry, None) if one else None for one in (old, new))
    return review("prod", "main", plans, (None, None), registry)


def test_a_flip_is_said_in_the_headline() -> None:
    text = markdown(reviewed(settings("centralized"), settings("active-standby")))
    assert text.startswith("## prod: docs goes from centralized to active-standby (active: centralized)\n")
    assert "| failover | none | **by itself, within 90 s** |" in text


def test_nothing_changed_is_said_too() -> None:
    assert markdown(reviewed(settings(), settings())).startswith("## prod: no change of plan\n")


def test_a_workload_with_state_does_not_skip_active_standby() -> None:
    found = reviewed(settings("centralized"), settings("decentralized"), stateful=True)
    assert found.refused
    assert "go through active-standby" in markdown(found)


def test_a_workload_without_state_may_jump_and_is_warned() -> None:
    found = reviewed(settings("centralized"), settings("decentralized"))
    assert not found.refused
    assert "active-standby is skipped" in markdown(found)


def test_changing_every_store_at_once_is_refused() -> None:
    new = copy.deepcopy(settings())
    new["workloads"]["docs"]["backup"]["stores"] = ["storj"]
    old = copy.deepcopy(settings())
    old["workloads"]["docs"]["backup"]["stores"] = ["aws"]
    assert reviewed(old, new).refused


@pytest.mark.parametrize("kinds", [("dedicated", "shared"), ("shared", "dedicated")])
def test_records_that_would_change_their_type_are_refused(kinds) -> None:
    """No CNAME may stand with another type, so such an update fails at the first record."""
    old, new = (settings("active-standby", options={"site": "site", "ingress": kind}) for kind in kinds)
    ((sentence,),) = [one.refused for one in reviewed(old, new).workloads]
    assert sentence.startswith("the records of docs.dao.example would turn between addresses and names")
    assert not reviewed(old, settings("centralized", options=old["workloads"]["docs"]["options"])).refused


def test_removing_a_workload_with_state_is_refused() -> None:
    old = copy.deepcopy(settings())
    old["workloads"]["blog"] = {**old["workloads"]["docs"], "host": "blog.dao.example"}
    found = reviewed(old, settings(), stateful=True)
    assert [one.name for one in found.workloads if one.refused] == ["blog"]
    assert not reviewed(old, settings()).refused


def test_losing_the_standby_is_said() -> None:
    assert "there is no standby any more" in markdown(reviewed(settings("active-standby"), settings("decentralized")))


def test_stores_at_one_vendor_are_said() -> None:
    new = copy.deepcopy(settings("active-standby"))
    new["stores"]["storj"]["vendor"] = "aws"
    assert "all stores are at one vendor" in markdown(reviewed(settings(), new))


def test_a_new_stack_has_no_before() -> None:
    text = markdown(reviewed(None, settings()))
    assert text.startswith("## prod: docs is new (centralized)\n")


def test_markdown_from_outside_stays_text() -> None:
    found = dataclasses.replace(reviewed(None, settings()), stack="a|b<script>", base="`x`")
    assert "<script>" not in markdown(found)
    assert "a\\|b" in markdown(found)


def test_a_plan_hash_ignores_prices_and_content_and_nothing_else() -> None:
    def hashed(made: dict, version: str = "0" * 64) -> str:
        class Built(Static):
            def release(self, options, root):
                return Release(version, "site", pinned=False)

        return plan_hash(topology(made, builtin().with_(kinds=[Built()]), Path()))

    base = hashed(settings())
    assert hashed(settings(), "1" * 64) == base
    for change in (
        settings("active-standby"),
        settings(host="www.dao.example"),
        settings(options={"site": "site", "version": "a" * 64}),
        settings(options={"site": "site", "budget_usd_month": 99}),
        settings(backup={"stores": ["aws"], "retain": 3}),
        {**settings(), "zone": "dao.example", "ttl": 10, "acme": {"directory": "https://other.example/"}},
    ):
        assert hashed(change) != base


def test_an_update_that_nobody_approved_is_refused(tmp_path: Path) -> None:
    plan = topology({**settings(), "require_approval": True}, builtin(), None)
    path = tmp_path / "approvals.prod.yaml"
    with pytest.raises(PlanError, match="has not been approved"):
        approval.demand(plan, approval.read(path), "prod")
    made = approval.Approval(plan_hash(plan), "a@dao.example", "2026-11-23")
    assert approval.record(path, made)
    assert not approval.record(path, made)
    approval.demand(plan, approval.read(path), "prod")


def test_a_hash_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a plan hash"):
        approval.record(tmp_path / "x.yaml", approval.Approval("main", "a", "2026-11-23"))


def test_a_file_that_is_no_list_of_approvals_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "approvals.prod.yaml"
    path.write_text("plan: x\n")
    with pytest.raises(ConfigError, match="is not a list of approvals"):
        approval.read(path)


STACK = """config:
  unmoor:zone: dao.example
  unmoor:stores:
    aws: {vendor: aws, bucket: dao-aws, public_url: "https://s3.example/dao"}
  unmoor:workloads:
    docs: {kind: static, mode: MODE, host: docs.dao.example, backup: {stores: [aws]}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a stack file committed on main."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.prod.yaml").write_text(STACK.replace("MODE", "centralized"))
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@dao.example", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *arguments], check=True)
    return tmp_path


def test_the_command_compares_with_a_commit(project: Path) -> None:
    (project / "stacks/Pulumi.prod.yaml").write_text(STACK.replace("MODE", "active-standby"))
    result = CliRunner().invoke(cli, ["review", "--base", "main"], standalone_mode=False)
    assert result.exception is None
    assert result.return_value == 0
    assert "docs goes from centralized to active-standby" in result.output


def test_the_command_speaks_json(project: Path) -> None:
    result = CliRunner().invoke(cli, ["review", "--base", "main", "--json", "prod"], standalone_mode=False)
    assert [one["stack"] for one in json.loads(result.output)] == ["prod"]


def test_a_base_that_does_not_exist_is_a_sentence(project: Path) -> None:
    result = CliRunner().invoke(cli, ["review", "--base", "nowhere"], standalone_mode=False)
    assert isinstance(result.exception, ConfigError)
    assert "no such branch, tag or commit" in str(result.exception)


def test_a_stack_file_that_does_not_parse_at_the_base_is_a_sentence(project: Path) -> None:
    path = project / "stacks/Pulumi.prod.yaml"
    good = path.read_text()
    path.write_text("config: [\n")
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@dao.example", "commit", "-qam", "bad"], check=True)
    path.write_text(good)
    result = CliRunner().invoke(cli, ["review", "--base", "main"], standalone_mode=False)
    assert isinstance(result.exception, ConfigError)
    assert "Pulumi.prod.yaml at main:2: not YAML" in str(result.exception)
