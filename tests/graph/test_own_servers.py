"""The stack's own name servers: a deployment registers what the plan prints, in every mode."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from components import operator_key
from tests.graph.monitor import run
from tests.graph.test_actions import STATES, direct, names_of_the_manual, parts
from tests.pure.test_own_servers import DELEGATION, OWN, SERVERS
from tests.settings import settings, site_folder

KEY = "cd" * 32
AUTHORITIES = [("route53", "powerdns"), ("powerdns",)]


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    site_folder(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(operator_key.VARIABLE, KEY)
        found = {}
        for state, authorities in itertools.product(STATES, AUTHORITIES):
            made = settings(*state)
            names = DELEGATION if len(authorities) > 1 else DELEGATION | {"name_servers": list(OWN)}
            made["dns"] = {"authorities": list(authorities), "servers": SERVERS, "delegation": names}
            found[state, authorities] = run(made, root)
        return found


def given(graph, name):
    return json.loads(graph.named(name).inputs["stdin"])


@pytest.mark.parametrize("authorities", AUTHORITIES)
@pytest.mark.parametrize("state", STATES)
def test_every_printed_action_is_one_registered_resource_with_the_edges_of_the_plan(graphs, state, authorities):
    graph = graphs[state, authorities]
    assert sorted(direct(graph)) == sorted(action.name for action in graph.topology.actions)
    for action in graph.topology.actions:
        for urn in parts(graph, action.name):
            missing = [name for name in action.needs if not parts(graph, name) <= graph.behind(urn)]
            assert not missing, (urn, missing)


def test_the_manual_has_every_name_that_own_servers_add(graphs):
    added = {
        (one.name, one.type)
        for state in STATES
        for one in graphs[state, ("powerdns",)].resources.values()
        if re.match(r"powerdns:|ns($|-)", one.name)
    }
    short = {
        (re.sub(r"(?<=^ns-akash)-2(?=$|-)", "", name).replace("docs.dao.example", "HOST"), kind) for name, kind in added
    }
    short = {(re.sub(r"(docs-(aws|akash)|ns-akash)(-2)?(?=-host$)", "SITE", name), kind) for name, kind in short}
    short = {(re.sub(r"(?<=docs-aws-proof-).*", "HOST", name), kind) for name, kind in short}
    assert short == names_of_the_manual()[1]


@pytest.mark.parametrize("state", STATES)
def test_the_second_authority_renames_and_changes_nothing_of_the_first(graphs, state):
    both, alone = (graphs[state, each] for each in AUTHORITIES)
    assert alone.urns <= both.urns
    gone = {both.resources[urn].name for urn in both.urns - alone.urns if both.resources[urn].request.custom}
    assert not [name for name in gone if name.startswith(("powerdns:", "ns-akash-serves", "ns-akash-key"))]


@pytest.mark.parametrize("authorities", AUTHORITIES)
def test_a_flip_leaves_the_servers_and_their_names_as_they_are(graphs, authorities):
    seen = [graphs[state, authorities] for state in STATES]
    for one, other in itertools.combinations(seen, 2):
        for name in ("ns-akash", "ns-akash-2", "ns-akash-serves", "powerdns:ns-akash-host", "powerdns:records"):
            assert one.named(name).inputs == other.named(name).inputs, name


def test_a_server_gets_certificate_hash_signer_and_its_own_folders_and_no_secret(graphs):
    graph = graphs[STATES[0], AUTHORITIES[0]]
    sdl = graph.named("ns-akash").inputs["sdl"]
    web, dns = (dict(line.split("=", 1) for line in sdl["services"][name]["env"]) for name in ("web", "dns"))
    assert dns["SIGNER"].startswith("ssh-ed25519 AAAA")
    assert len(web["OPERATOR"]) == 64
    assert [folder.rpartition("/")[2] for folder in dns["STORES"].split()] == ["ns-akash", "ns-akash"]
    assert dns["SECRETS"] == "web:8181"
    assert web["UPSTREAM"] == "dns:8053"
    assert KEY not in json.dumps(sdl)


def test_an_entry_knows_where_its_site_is_only_from_the_site(graphs):
    graph = graphs[STATES[1], AUTHORITIES[1]]
    entry = given(graph, "powerdns:docs.dao.example/standby")["entry"]
    assert entry["members"][0]["site"] == "docs-akash"
    assert entry["at"]
    assert graph.named("docs-akash-drain").urn in graph.behind(graph.named("powerdns:docs.dao.example/standby").urn)
    assert graph.named("powerdns:docs.dao.example/standby").inputs["delete"].endswith("zone-entry --wait")


def test_a_proof_for_an_issuer_is_published_at_every_authority(graphs):
    graph = graphs[STATES[0], AUTHORITIES[0]]
    proofs = [r.name for r in graph.resources.values() if "proof" in r.name]
    assert [name for name in proofs if name.startswith("powerdns:")]
    assert [name for name in proofs if not name.startswith("powerdns:")]
