"""Both sites serving, asked of the resource graph: which records stand, and what comes before what."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from components.dns.route53 import exchange
from sandbox.aws import record_rules
from sandbox.aws.plugin.types import records as records_api
from tests.graph.monitor import Graph, run
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from pathlib import Path

RECORD, CHECK = "aws:route53/record:Record", "aws:route53/healthCheck:HealthCheck"
HOST, SPLIT = "docs.dao.example", "_split.docs.dao.example"
MADE = {
    "failover": settings("active-standby"),
    "split": settings("active-standby", split={"decentralized": 10}),
    "turned": settings("active-standby", "decentralized", split={"decentralized": 90}),
    "balanced": settings("active-standby", balance=True),
}
#: Where a stack may come from or go to without any share.
OTHERS = {
    "turned round": settings("active-standby", "decentralized"),
    "centralized": settings("centralized"),
    "decentralized": settings("decentralized"),
}
SHARED = ("split", "turned", "balanced")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


@pytest.fixture(scope="module")
def graphs(root: Path) -> dict[str, Graph]:
    return {name: run(made, root) for name, made in (MADE | OTHERS).items()}


def records(graph: Graph, name: str) -> dict[str, dict]:
    return {each.name: each.inputs for each in graph.of_type(RECORD) if each.inputs["name"] == name}


@pytest.mark.parametrize(("name", "aws", "akash"), [("split", 90, 10), ("turned", 10, 90), ("balanced", 50, 50)])
def test_each_site_has_a_weight_and_its_own_health_check(graphs, name, aws, akash) -> None:
    found = records(graphs[name], SPLIT)
    assert {each: one["weightedRoutingPolicies"] for each, one in found.items()} == {
        f"{HOST}/split/docs-aws": [{"weight": aws}],
        f"{HOST}/split/docs-akash": [{"weight": akash}],
    }
    assert {one["healthCheckId"] for one in found.values()} == {"docs-aws-health-id", "docs-akash-health-id"}
    assert {one["setIdentifier"] for one in found.values()} == {"docs-aws", "docs-akash"}


@pytest.mark.parametrize("name", SHARED)
def test_the_failover_set_stays_and_its_primary_leads_to_the_shares(graphs, name) -> None:
    primary, standby = (records(graphs[name], HOST)[f"{HOST}/{role}"] for role in ("primary", "standby"))
    assert [each["failoverRoutingPolicies"][0]["type"] for each in (primary, standby)] == ["PRIMARY", "SECONDARY"]
    assert primary["aliases"] == [{"name": SPLIT, "zoneId": "Z1", "evaluateTargetHealth": True}]
    assert "healthCheckId" not in primary, "the check of one site would take both out"
    assert standby["healthCheckId"]


@pytest.mark.parametrize("name", SHARED)
def test_an_alias_of_a_vendor_is_reached_through_the_name_that_its_certificate_has(graphs, name) -> None:
    """A distribution answers to its alternate names alone, and `_split` is none of them."""
    found = records(graphs[name], SPLIT)
    alias = {"name": "docs-aws.dao.example", "zoneId": "Z1", "evaluateTargetHealth": False}
    assert found[f"{HOST}/split/docs-aws"]["aliases"] == [alias]
    assert found[f"{HOST}/split/docs-akash"]["records"] == ["203.0.113.7"]
    graph = graphs[name]
    behind = graph.behind(graph.named(f"{HOST}/split/docs-aws").urn)
    assert graph.named("docs-aws-host").urn in behind


@pytest.mark.parametrize("name", SHARED)
def test_a_share_waits_for_the_probe_of_its_site_and_the_name_for_a_share(graphs, name) -> None:
    graph = graphs[name]
    for site in ("docs-aws", "docs-akash"):
        behind = graph.behind(graph.named(f"{HOST}/split/{site}").urn)
        assert {graph.named(f"{site}-probe").urn, graph.named(f"{site}-drain").urn} <= behind
    primary = "docs-akash" if name == "turned" else "docs-aws"
    assert graph.named(f"{HOST}/split/{primary}").urn in graph.behind(graph.named(f"{HOST}/primary").urn)


@pytest.mark.parametrize(("before", "after"), [*itertools.combinations(MADE, 2)])
def test_sharing_renames_nothing_and_adds_only_shares(graphs, before, after) -> None:
    old, new = graphs[before].urns, graphs[after].urns
    apart = {urn.rsplit("::", 1)[1] for urn in old ^ new}
    shares = {f"{HOST}/split/docs-aws", f"{HOST}/split/docs-akash", f"{HOST}-exchange"}
    assert apart == (shares if "failover" in (before, after) else set())


def test_changing_shares_changes_two_records_and_no_probe(graphs) -> None:
    old, new = graphs["split"], graphs["balanced"]
    changed = {new.resources[u].name for u in new.urns if new.resources[u].inputs != old.resources[u].inputs}
    assert changed == {f"{HOST}/split/docs-aws", f"{HOST}/split/docs-akash"}


def test_every_public_name_is_shared(root) -> None:
    graph = run(settings("active-standby", balance=True, redirect_from=["www.dao.example"]), root)
    for host in (HOST, "www.dao.example"):
        assert len(records(graph, f"_split.{host}")) == 2


def test_a_set_of_names_is_shared_by_names(root) -> None:
    options = {"site": "site", "ingress": "shared"}
    found = records(run(settings("active-standby", balance=True, options=options), root), SPLIT)
    assert {one["type"] for one in found.values()} == {"CNAME"}
    assert all(one["records"] for one in found.values())


def shaped(graph: Graph) -> dict[str, dict]:
    """Return the records of a graph as Route 53 gets them, by name of the resource, in the order of registration."""
    return {
        each.name: records_api._to_api(each.inputs, each.inputs["name"])
        for each in graph.of_type(RECORD)
        if each.inputs["type"] in ("A", "CNAME") and not each.inputs["name"].startswith("_x.")
    }


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations((*MADE, *OTHERS), 2)])
def test_route_53_refuses_no_change_on_the_way_from_one_to_another(graphs, before, after) -> None:
    """Creates and updates run first, in the order of their edges; deletes last, against it.

    The exchange runs where the plan has it and Route 53 has a standby that leads to the new primary.
    """
    old, new = shaped(graphs[before]), shaped(graphs[after])
    checks = {each.name + "-id" for graph in graphs.values() for each in graph.of_type(CHECK)}
    standing = list(old.values())
    order = [action.name for action in graphs[after].topology.actions]
    assert {name for name in new if name not in order} == set()

    def change(action: str, *records: dict) -> None:
        nonlocal standing
        faults, standing = record_rules.refusals("dao.example", standing, [(action, one) for one in records], checks)
        assert faults == [], (before, after, action, records)

    ran = {each.name: each.inputs for each in graphs[before].resources.values()}
    for name in order:
        exchanged = name == f"{HOST}-exchange" and graphs[after].named(name).inputs != ran.get(name)
        if exchanged:
            at = json.loads(graphs[after].named(name).inputs["stdin"])["at"]
            if batch := exchange.swap([each for each in standing if each["Name"] == HOST], at):
                change("UPSERT", *batch)
        if name in new:
            change("UPSERT", new[name])
    for name in reversed([name for name in old if name not in new]):
        change("DELETE", next(each for each in standing if record_rules.key(each) == record_rules.key(old[name])))
    assert {record_rules.key(each) for each in standing} == {record_rules.key(each) for each in new.values()}
    assert sorted(map(str, standing)) == sorted(map(str, new.values()))
