"""Two stacks side by side in one zone, bucket and account share no name outside their states."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.graph.monitor import run
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Inputs by which a cloud or a person knows a thing; what has none is named by AWS after the resource, at random.
_NAMES = ("name", "namePrefix", "bucket", "family", "comment", "description", "fqdn", "aliases", "domainName")
#: Named by AWS after the resource (Pulumi's auto-naming).
_NAMED_AFTER = ("aws:s3/bucket:Bucket", "aws:cloudfront/function:Function")


def names(graph: Any, stack: str) -> Iterator[str]:
    for one in graph.resources.values():
        for key in _NAMES:
            value = one.inputs.get(key)
            yield from [
                f"{one.type} {each}"
                for each in (value if isinstance(value, list) else [value])
                if isinstance(each, str)
            ]
        if one.type.startswith("aws:"):
            yield f"{one.type} named {one.name}" if one.type in _NAMED_AFTER else f"{one.type} {stack} {one.name}"
        if one.type == "command:local:Command":
            given = json.loads(one.inputs["stdin"])
            yield from (f"name {name}" for name in given.get("names", ()))
            yield from [f"key {given['workload']}"] if "workload" in given else []


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


@pytest.mark.parametrize("mode", ["centralized", "active-standby", "decentralized"])
def test_two_stacks_share_no_name(root, mode):
    prod = run(settings(mode), root, stack="prod")
    staging = run(settings(mode, host="beta.dao.example") | {"label": "staging"}, root, stack="staging")
    both = set(names(prod, "prod")) & set(names(staging, "staging"))
    assert both == set()
    assert {"docs-aws-staging.dao.example", "docs-akash-staging.dao.example"} <= set(
        json.loads(staging.named("docs-claim").inputs["stdin"])["names"]
    )


def test_without_a_name_a_stack_keeps_the_names_that_it_had(root):
    graph = run(settings("active-standby"), root)
    assert graph.named("docs-aws-distribution").inputs["comment"] == "unmoor docs-aws"
    assert graph.named("docs-aws-host").inputs["name"] == "docs-aws.dao.example"
    assert json.loads(graph.named("docs-keep").inputs["stdin"])["workload"] == "docs"
    assert graph.named("docs-aws-bucket").name == "docs-aws-bucket"


def test_names_are_claimed_before_anything_is_written_and_given_back_after_all(root):
    graph = run(settings("centralized", redirect_from=["www.dao.example"]), root)
    claim = graph.named("docs-claim")
    given = json.loads(claim.inputs["stdin"])
    hosts = ["docs-akash.dao.example", "docs-aws.dao.example", "docs.dao.example", "www.dao.example"]
    assert (given["stack"], given["names"]) == ("unmoor/test", ["docs", *hosts])
    assert claim.inputs["triggers"] == given["names"], "other names are claimed before the old ones are given back"
    assert claim.inputs["delete"] == "unmoor step claim --wait"
    steps = [one for one in graph.resources.values() if one.request.custom and one.urn != claim.urn]
    assert [one.name for one in steps if claim.urn not in graph.behind(one.urn)] == []
    assert "SECRET" not in str({key: value for key, value in given.items() if key != "stores"})


def test_the_claim_is_the_same_in_every_mode(root):
    seen = {str(run(settings(mode), root).named("docs-claim").inputs) for mode in ("centralized", "decentralized")}
    assert len(seen) == 1


def test_everything_at_aws_that_takes_tags_bears_stack_and_workload(root):
    graph = run(settings("active-standby") | {"label": "staging"}, root, stack="staging")
    tags = {one.name: one.inputs["tags"] for one in graph.resources.values() if "tags" in one.inputs}
    assert {"docs-aws-staging-bucket", "docs-aws-staging-distribution", "docs-akash-health"} <= set(tags)
    ours = {"unmoor:stack": "unmoor/staging", "unmoor:workload": "docs"}
    assert all(ours.items() <= each.items() for each in tags.values())
    assert tags["docs-akash-health"]["Name"] == "docs-akash-staging.dao.example"
