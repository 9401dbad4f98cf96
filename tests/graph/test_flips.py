"""What a flip may change, asked of the resource graph for every mode and every ordered pair of modes.

The monitor answers as a cloud would and checks nothing: these tests prove names, parents and dependencies,
not that AWS or Akash accept a property.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.graph.monitor import Graph, run
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from pathlib import Path

#: Every state a workload can be in: mode and active side.
STATES = [
    ("centralized", "centralized"),
    ("active-standby", "centralized"),
    ("active-standby", "decentralized"),
    ("decentralized", "centralized"),
]
PAIRS = list(itertools.permutations(STATES, 2))
RECORD = "aws:route53/record:Record"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


@pytest.fixture(scope="module")
def graphs(root: Path) -> dict[tuple[str, str], Graph]:
    return {state: run(settings(*state), root) for state in STATES}


@pytest.fixture(scope="module")
def behind_ingress(root: Path) -> dict[tuple[str, str], Graph]:
    options = {"site": "site", "ingress": "shared"}
    return {state: run(settings(*state, options=options), root) for state in STATES}


def test_centralized_is_a_part_of_active_standby(graphs) -> None:
    assert graphs[STATES[0]].urns <= graphs[STATES[1]].urns


def test_decentralized_is_a_part_of_active_standby(graphs) -> None:
    assert graphs[STATES[3]].urns <= graphs[STATES[1]].urns


def test_swapping_roles_registers_the_same_resources(graphs) -> None:
    assert graphs[STATES[1]].urns == graphs[STATES[2]].urns


def test_a_second_decentralized_site_adds_only_itself(root, graphs) -> None:
    """With two targets, decentralized mode is not a part of active-standby: what it adds is named after the second."""
    two = run(settings("decentralized", decentralized=("akash", "akash")), root)
    added = two.urns - graphs[STATES[1]].urns
    parts = ("", "-caa", "-confirm", "-drain", "-health", "-host", "-probe")
    assert {urn.rsplit("::", 1)[1] for urn in added} == {f"docs-akash-2{part}" for part in parts}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_flip_renames_nothing(graphs, before, after) -> None:
    """A resource that stands in both states has the same type, parent and name in both."""
    old, new = graphs[before], graphs[after]
    shape = {(r.type, r.name): r.parent for r in old.resources.values()}
    for resource in new.resources.values():
        assert shape.get((resource.type, resource.name), resource.parent) == resource.parent
    names = {r.name for r in old.resources.values()} & {r.name for r in new.resources.values()}
    kept = {urn.rsplit("::", 1)[1] for urn in old.urns & new.urns}
    assert kept == names


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_flip_changes_no_site(graphs, before, after) -> None:
    """What stands on a target is not touched by a flip: only records, probes and their order are."""
    old, new = graphs[before], graphs[after]
    changed = {
        new.resources[urn].name for urn in old.urns & new.urns if old.resources[urn].inputs != new.resources[urn].inputs
    }
    steps = {f"docs-{target}-{step}" for target in ("aws", "akash") for step in ("probe", "confirm")}
    names = ("docs.dao.example/primary", "docs.dao.example/standby", "docs.dao.example-exchange")
    leased = [len(each.of_type("unmoor:akash:Deployment")) for each in (old, new)]
    assert changed <= {*names, *steps} | ({"akash-account"} if leased[0] != leased[1] else set())


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_site_is_probed_again_whenever_its_role_changes(graphs, before, after) -> None:
    old, new = graphs[before], graphs[after]
    for role in ("primary", "standby"):
        urns = [urn for urn in new.urns & old.urns if urn.endswith(f"::docs.dao.example/{role}")]
        for urn in urns:
            if answer(old, urn) == answer(new, urn):
                continue
            probes = [p for p in new.behind(urn) if p.endswith("-probe")]
            assert probes
            for probe in probes:
                assert probe not in old.urns or old.resources[probe].inputs != new.resources[probe].inputs


def answer(graph: Graph, urn: str) -> object:
    inputs = graph.resources[urn].inputs
    return inputs.get("aliases") or inputs.get("records")


@pytest.mark.parametrize("state", STATES)
def test_every_failover_record_waits_for_the_probe_of_its_own_site(graphs, state) -> None:
    graph = graphs[state]
    for record in [r for r in graph.of_type(RECORD) if "/" in r.name]:
        on_aws = "aliases" in record.inputs
        site = "docs-aws" if on_aws else "docs-akash"
        assert graph.named(f"{site}-probe").urn in graph.behind(record.urn)
        assert graph.named(f"{site}-drain").urn in graph.behind(record.urn)


@pytest.mark.parametrize("state", [STATES[1], STATES[2]])
def test_the_standby_is_deleted_before_what_its_record_may_lead_to_after_an_exchange(graphs, state) -> None:
    """The engine orders deletions by direct dependencies between what is deleted."""
    graph = graphs[state]
    primary = "docs-aws" if state[1] == "centralized" else "docs-akash"
    direct = graph.named("docs.dao.example/standby").dependencies
    assert {graph.named(f"{primary}-health").urn, graph.named(f"{primary}-drain").urn} <= direct


@pytest.mark.parametrize("state", STATES)
def test_every_name_goes_before_the_site_it_points_to(graphs, state) -> None:
    """Deletion runs against the dependencies, so a record that depends on a site is gone before it."""
    graph = graphs[state]
    for site in graph.outputs["workloads"]["docs"]["sites"]:
        top = graph.named(site)
        inside = {top.urn} if top.request.custom else graph.inside(top.urn)
        assert inside
        for name in (f"{site}-host", f"{site}-health", f"{site}-drain"):
            assert inside <= graph.behind(graph.named(name).urn)


@pytest.mark.parametrize("state", STATES)
def test_the_set_is_a_failover_set_in_every_mode(graphs, state) -> None:
    members = [r for r in graphs[state].of_type(RECORD) if "/" in r.name]
    roles = sorted(r.inputs["failoverRoutingPolicies"][0]["type"] for r in members)
    assert roles == (["PRIMARY", "SECONDARY"] if state[0] == "active-standby" else ["PRIMARY"])
    assert {r.inputs["type"] for r in members} == {"A"}
    assert all(r.inputs["healthCheckId"] for r in members)
    assert {r.inputs["name"] for r in members} == {"docs.dao.example"}


def test_no_value_of_a_credential_reaches_an_input(root, monkeypatch) -> None:
    monkeypatch.setenv("STORJ_SECRET_KEY", "hunter2-hunter2")
    graph = run(settings("active-standby"), root)
    assert "hunter2" not in "".join(str(r.inputs) for r in graph.resources.values())


def test_outputs_name_mode_sites_hosts_and_cost(root) -> None:
    graph = run(settings("active-standby", "decentralized"), root)
    assert graph.outputs["workloads"]["docs"] | {"usd_month": 0, "release": ""} == {
        "mode": "active-standby",
        "active": "decentralized",
        "url": "https://docs.dao.example/",
        "hosts": ["docs.dao.example", "docs-akash.dao.example", "docs-aws.dao.example"],
        "sites": {"docs-akash": "primary", "docs-aws": "standby"},
        "release": "",
        "usd_month": 0,
    }


@pytest.mark.parametrize("state", [STATES[1], STATES[2]])
def test_the_standby_is_probed_once_the_primary_is_seen_to_be_served(graphs, state) -> None:
    """So the second site is probed while a site answers the host."""
    primary, standby = ("docs-aws", "docs-akash") if state[1] == "centralized" else ("docs-akash", "docs-aws")
    behind = graphs[state].behind(graphs[state].named(f"{standby}-probe").urn)
    assert graphs[state].named(f"{primary}-confirm").urn in behind
    assert graphs[state].named("docs.dao.example/primary").urn in behind


@pytest.mark.parametrize("state", STATES)
def test_who_may_sign_is_named_only_at_our_own_names(graphs, state) -> None:
    """A record at the zone's apex would speak for every name of the zone, and clash with the one that may be there."""
    found = {r.inputs["name"]: r.inputs["records"] for r in graphs[state].of_type(RECORD) if r.inputs["type"] == "CAA"}
    ours = {
        "docs.dao.example": ['0 issue "amazon.com"', '0 issue "letsencrypt.org; validationmethods=http-01"'],
        "docs-aws.dao.example": ['0 issue "amazon.com"'],
        "docs-akash.dao.example": ['0 issue "letsencrypt.org; validationmethods=http-01"'],
    }
    stands = {
        "docs.dao.example",
        *(f"{site}.dao.example" for site in graphs[state].outputs["workloads"]["docs"]["sites"]),
    }
    assert found == {name: [*values, '0 issuewild ";"'] for name, values in ours.items() if name in stands}


def test_at_the_apex_no_record_covers_the_whole_zone(root) -> None:
    graph = run(settings("active-standby", host="dao.example"), root)
    named = {r.inputs["name"] for r in graph.of_type(RECORD) if r.inputs["type"] == "CAA"}
    assert named == {"docs-aws.dao.example", "docs-akash.dao.example"}


def test_behind_the_shared_ingress_a_site_has_a_name_and_plain_http(behind_ingress) -> None:
    graph = behind_ingress[STATES[1]]
    records = {r.name: r.inputs for r in graph.of_type(RECORD)}
    assert {records[name]["type"] for name in records if "proof" not in name} == {"CNAME"}
    assert records["docs.dao.example/standby"]["records"] == ["abc.ingress.host.example"]
    check = graph.named("docs-akash-health").inputs
    assert (check["type"], check["port"]) == ("HTTP_STR_MATCH", 80)
    (deployment,) = graph.of_type("unmoor:akash:Deployment")
    (expose,) = deployment.inputs["sdl"]["services"]["web"]["expose"]
    assert (expose["as"], expose["accept"]) == (80, ["docs.dao.example", "docs-akash.dao.example"])


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_flip_behind_the_shared_ingress_renames_nothing_and_changes_no_site(behind_ingress, before, after) -> None:
    test_a_flip_renames_nothing(behind_ingress, before, after)
    test_a_flip_changes_no_site(behind_ingress, before, after)


@pytest.mark.parametrize("state", STATES[:3])
def test_the_aws_half_passes_challenges_on_if_a_site_needs_them(graphs, behind_ingress, state) -> None:
    """In a set of CNAMEs no site does, so the lease's name is no origin there."""
    seen = []
    for made in (graphs, behind_ingress):
        inputs = made[state].named("docs-aws-distribution").inputs
        origins = [each["domainName"] for each in inputs["origins"] if each["originId"] != "content"]
        paths = [each["pathPattern"] for each in inputs["orderedCacheBehaviors"]]
        seen.append((origins, paths))
    challenges = "/.well-known/acme-challenge/*"
    assert seen == [(["docs-akash.dao.example"], ["/healthz", challenges]), ([], ["/healthz"])]


def test_the_stack_publishes_plain_http_while_the_lease_behind_the_ingress_answers(behind_ingress) -> None:
    urls = [behind_ingress[state].outputs["workloads"]["docs"]["url"] for state in STATES]
    assert urls == [f"{scheme}://docs.dao.example/" for scheme in ("https", "https", "http", "http")]
