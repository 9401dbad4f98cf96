"""The one change of an adoption holds exactly the records that the deployment registers right after."""

from __future__ import annotations

import json

import pytest

from components.dns.route53 import adoption
from components.topology import Role
from sandbox.aws.plugin.types.records import _to_api
from tests.graph.monitor import run
from tests.settings import settings, site_folder

HOST = "docs.dao.example"
STOOD = [{"type": "CNAME", "ttl": 300, "values": ["dao-example.pages.example"]}]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


#: The mode and other settings of the workload, by name.
STACKS = {
    "centralized": ("centralized", {}),
    "active-standby": ("active-standby", {}),
    "split": ("active-standby", {"split": {"decentralized": 10}}),
}


@pytest.fixture(scope="module", params=STACKS)
def graphs(request, root):
    mode, more = STACKS[request.param]
    return run(settings(mode, **more), root), run(settings(mode, adopt=STOOD, **more), root)


def given(graph, name):
    return json.loads(graph.named(name).inputs["stdin"])


def test_the_batch_is_what_is_registered_field_by_field(graphs):
    """As pulumi_aws's inputs become a change in the stand-in of the plug-in."""
    _, graph = graphs
    wanted = adoption.wanted(given(graph, f"{HOST}-adopt"))
    registered = [graph.named(name).inputs for name in (f"{HOST}-caa", f"{HOST}/primary")]
    assert wanted == [_to_api(inputs, HOST) for inputs in registered]
    assert [inputs["allowOverwrite"] for inputs in registered] == [True, True]


def test_what_the_standby_gets_back_is_what_is_registered_field_by_field(graphs):
    """An update after `--undo` would otherwise not create the record, because the engine's state has it."""
    _, graph = graphs
    joins = [one.name for one in graph.resources.values() if one.name == f"{HOST}-join"]
    assert joins == [f"{HOST}-join"] * has_standby(graph)
    for name in joins:
        inputs = graph.named(f"{HOST}/standby").inputs
        assert adoption.member(given(graph, name), Role.STANDBY) == _to_api(inputs, HOST)
        assert inputs["allowOverwrite"] is True
        assert given(graph, name)["round"] == given(graph, f"{HOST}-adopt")["round"]
        assert graph.named(name).urn in graph.behind(graph.named(f"{HOST}/standby").urn)
        assert graph.named(f"{HOST}/primary").urn in graph.behind(graph.named(name).urn)


def has_standby(graph):
    return any(one.name == f"{HOST}/standby" for one in graph.resources.values())


def test_records_wait_for_the_change_and_the_change_for_the_probe(graphs):
    _, graph = graphs
    change = graph.named(f"{HOST}-adopt")
    assert graph.named("docs-aws-probe").urn in graph.behind(change.urn)
    for name in (f"{HOST}-caa", f"{HOST}/primary"):
        assert change.urn in graph.behind(graph.named(name).urn)


def test_on_removal_it_is_put_back_before_anything_else_goes(graphs):
    for graph in graphs:
        leave = graph.named(f"{HOST}-leave")
        assert leave.inputs["delete"] == "unmoor step leave --wait"
        assert "create" not in leave.inputs
        behind = [one.name for one in graph.resources.values() if leave.urn in one.dependencies]
        assert behind in ([], ["akash-account"]), "what compares an account with the plan removes nothing"
        apart = {leave.urn, *(one.urn for one in graph.resources.values() if one.name in behind)}
        everything = {one.urn for one in graph.resources.values() if one.request.custom} - apart
        assert everything <= graph.behind(leave.urn)
    bare, adopted = graphs
    assert (given(bare, f"{HOST}-leave")["records"], given(adopted, f"{HOST}-leave")["records"]) == ([], STOOD)


def test_a_kill_between_change_and_record_is_covered_by_the_change_itself(graphs):
    _, graph = graphs
    assert graph.named(f"{HOST}-adopt").inputs["delete"] == "unmoor step adopt --wait"


def test_adoption_changes_the_hosts_records_and_nothing_else(graphs):
    bare, adopted = graphs
    standby = has_standby(bare)
    more = {f"{HOST}-join"} if standby else set()
    assert {urn.rsplit("::", 1)[1] for urn in adopted.urns - bare.urns} == {f"{HOST}-adopt"} | more
    assert bare.urns <= adopted.urns
    changed = {adopted.resources[u].name for u in bare.urns if bare.resources[u].inputs != adopted.resources[u].inputs}
    assert changed == {f"{HOST}-leave"}
    caa = [graph.named(f"{HOST}-caa").request.retainOnDelete for graph in graphs]
    assert caa == [False, True], "what is given back may have a CAA record of its own"


def test_outputs_name_what_stood(graphs):
    bare, adopted = graphs
    assert "adopted" not in bare.outputs["workloads"]["docs"]
    stood = ["CNAME dao-example.pages.example, ttl 300 s"]
    assert adopted.outputs["workloads"]["docs"]["adopted"] == {"stood": stood, "round": 0}
