"""Two stacks in one zone, one bucket and one account: both stand, and the end of one leaves the other as it was.

The tests run in order, each from where the one before it ended.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.aws import inventory

from .docs_stack import HOST, Docs

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

BETA = "beta.dao.example"


@pytest.fixture(scope="module")
def beta(docs: Docs, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Docs:
    """Return a second stack of the same project, which names nothing of its own yet but its folder."""
    folder: Path = tmp_path_factory.mktemp("beta")
    runner = replace(docs.pulumi, stack="beta", config_file=folder / "Pulumi.beta.yaml", children=[])
    made = Docs(runner, docs.state, folder / "site", copy.deepcopy(docs.settings))
    made.page("the beta page")
    made.workload["options"]["site"] = str(made.site)
    made.write()
    runner.init()
    return made


def test_a_stack_that_would_use_the_names_of_another_is_refused_before_anything_is_built(
    docs: Docs, beta: Docs
) -> None:
    docs.up()
    before = inventory.objects()
    output = " ".join(beta.fails().output.split())
    for name in ("docs", HOST, "docs-aws.dao.example"):
        assert f"{name} belongs to stack unmoor/docs" in output
    assert "and this is stack unmoor/beta; give this stack `unmoor:label`" in output
    assert inventory.objects() == before


def test_with_a_name_and_a_host_of_its_own_it_stands_next_to_the_other(docs: Docs, beta: Docs) -> None:
    beta.settings["unmoor:label"] = "beta"
    beta.up(host=BETA)
    assert beta.again().changes() == {}
    assert docs.again().changes() == {}
    assert (docs.served(), beta.served(BETA)) == (docs.version(), beta.version())
    assert docs.version() != beta.version()
    hosts = {name.partition("/")[0] for name in docs.records()}
    assert hosts == {HOST, "docs-aws.dao.example", BETA, "docs-aws-beta.dao.example"}
    assert keys(docs) == {"docs", "docs.beta"}
    listed = docs.unmoor("restore", "docs", "--list")
    assert docs.version() in listed
    assert beta.version() not in listed


def test_the_end_of_one_leaves_the_other_as_it_was(docs: Docs, beta: Docs) -> None:
    beta.pulumi.destroy()
    assert docs.served() == docs.version()
    assert docs.pulumi.preview("--refresh", "--expect-no-changes").changes() == {}
    assert {name.partition("/")[0] for name in docs.records()} == {HOST, "docs-aws.dao.example"}
    assert not [name for name in claims() if "beta" in name]
    assert {"docs", HOST, "docs-aws.dao.example", "docs-akash.dao.example"} == set(claims())


def test_a_name_that_was_given_back_is_free(docs: Docs, beta: Docs) -> None:
    docs.pulumi.destroy()
    assert claims() == []
    assert [each for each in inventory.objects() if not each.startswith("bucket dao-example")] == []


def listed() -> list[str]:
    found = inventory.client("s3").list_objects_v2(Bucket="dao-example-aws")["Contents"]
    return [item["Key"] for item in found]


def keys(docs: Docs) -> set[str]:
    """Return how the keys of versions begin in the shared bucket."""
    return {key.partition("/")[0] for key in listed() if key.endswith(".tar")}


def claims() -> list[str]:
    return sorted(key.removeprefix(".claims/") for key in listed() if key.startswith(".claims/"))
