"""A database's resources: the changes of a flip, the order of a move of the writer, and the rights of a machine."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from components import operator_key
from components.kinds.postgres import sites
from components.targets.aws import unit
from components.topology import Role
from tests.graph.monitor import Graph, run
from tests.pure.test_postgres_kind import AMI, OPTIONS, REGISTRY, stack

if TYPE_CHECKING:
    from pathlib import Path

STATES = [
    ("centralized", "centralized"),
    ("active-standby", "centralized"),
    ("active-standby", "decentralized"),
    ("decentralized", "centralized"),
]
#: The resources of the machine.
MACHINE = {
    f"forum-aws-{part}"
    for part in (
        "log",
        "visitors",
        "runs",
        "writes-logs",
        "profile",
        "machine",
        "data",
        "holds",
        "address",
        "addressed",
    )
}
WRITER, KEEP = "forum-writer", "forum-last-copy"


def made(root: Path, mode: str, active: str = "centralized", **options: Any) -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(operator_key.VARIABLE, "k" * 40)
        return run(stack(mode, active, **options), root, registry=REGISTRY)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Graph]:
    root = tmp_path_factory.mktemp("project")
    return {state: made(root, *state) for state in STATES}


@pytest.mark.parametrize("state", STATES)
def test_each_state_registers_what_its_sites_need_and_nothing_else(graphs, state):
    names = {each.name for each in graphs[state].resources.values()}
    aws, akash = "decentralized" != state[0], "centralized" != state[0]
    sites_ = {f"forum-{target}" for target, there in (("aws", aws), ("akash", akash)) if there}
    expected = {"forum", WRITER, KEEP} | sites_ | (MACHINE if aws else set())
    expected |= {f"{site}-{step}" for site in sites_ for step in ("secrets", "probe", "drain", "confirm", "health")}
    of_names = {name for name in names if "dao.example" in name or name.endswith(("-caa", "-host"))}
    assert names - of_names - {"akash-account"} == expected


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(STATES, 2)])
def test_a_flip_renames_nothing_and_changes_no_site(graphs, before, after):
    old, new = graphs[before], graphs[after]
    names = {r.name for r in old.resources.values()} & {r.name for r in new.resources.values()}
    assert {urn.rsplit("::", 1)[1] for urn in old.urns & new.urns} == names
    changed = {
        new.resources[urn].name for urn in old.urns & new.urns if old.resources[urn].inputs != new.resources[urn].inputs
    }
    looks = {f"forum-{target}-{look}" for target in ("aws", "akash") for look in ("probe", "confirm", "secrets")}
    members = {"forum.dao.example/primary", "forum.dao.example/standby", "forum.dao.example-exchange"}
    assert WRITER in changed
    assert changed <= {WRITER, *members, *looks, "akash-account"}


@pytest.mark.parametrize("state", STATES)
def test_the_writer_moves_after_its_site_stands_and_before_a_name_leads_there(graphs, state):
    graph = graphs[state]
    site = "forum-akash" if state[1] == "decentralized" or state[0] == "decentralized" else "forum-aws"
    moves = graph.named(WRITER).urn
    place = "-addressed" if site == "forum-aws" else ""  # an edge to a component is one to the resources in it
    stands = {graph.named(f"{site}{part}").urn for part in (place, "-secrets", "-probe")}
    assert stands <= graph.behind(moves)
    assert graph.named(f"{site}-secrets").urn in graph.behind(graph.named(f"{site}-probe").urn)
    for led in ("forum.dao.example/primary", f"{site}-confirm", f"{site}-health"):
        assert moves in graph.behind(graph.named(led).urn)
    if state[0] == "active-standby":
        other = "forum-aws" if site == "forum-akash" else "forum-akash"
        assert moves in graph.behind(graph.named(f"{other}-secrets").urn), "it gets the keys of a standby after that"
        assert moves in graph.behind(graph.named(f"{other}-probe").urn)


@pytest.mark.parametrize("state", STATES)
def test_everything_is_removed_after_the_last_copy_was_asked_about(graphs, state):
    """Pulumi removes a resource before those that it depends on."""
    graph = graphs[state]
    keep = graph.named(KEEP)
    ours = {each.urn for each in graph.resources.values() if each.request.custom and each.name != "akash-account"}
    assert ours - {keep.urn} <= graph.behind(keep.urn)
    assert "create" not in keep.inputs
    assert keep.inputs["delete"] == "unmoor step last-copy --wait"


def given(graph: Graph, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(graph.named(name).inputs["stdin"])
    return found


def test_a_site_gets_the_keys_of_its_own_and_of_its_role(graphs):
    centre, turned = graphs[STATES[1]], graphs[STATES[2]]
    assert given(centre, "forum-aws-secrets")["secrets"]["FIRST_KEY"] == "FIRST_KEY_AWS"
    assert given(centre, "forum-akash-secrets")["secrets"]["FIRST_KEY"] == "FIRST_KEY_AKASH_READ"
    assert given(turned, "forum-aws-secrets")["secrets"]["FIRST_KEY"] == "FIRST_KEY_AWS_READ"
    assert given(turned, "forum-akash-secrets")["secrets"]["FIRST_KEY"] == "FIRST_KEY_AKASH"
    for graph in (centre, turned):
        both = [given(graph, f"forum-{target}-secrets")["secrets"] for target in ("aws", "akash")]
        assert both[0]["RECORD_KEY"] == "RECORD_KEY_AWS"
        assert both[1]["RECORD_KEY"] == "RECORD_KEY_AKASH"
        assert both[0]["PGPASSWORD"] == both[1]["PGPASSWORD"] == "FORUM_PASSWORD"


def test_secrets_are_handed_over_at_the_machines_own_address_and_to_a_live_lease(graphs):
    graph = graphs[STATES[1]]
    assert given(graph, "forum-aws-secrets")["at"] == ["198.51.100.7"]
    assert "at" not in given(graph, "forum-akash-secrets")
    assert given(graph, "forum-akash-secrets")["dseq"] == "forum-akash-id"


def test_no_value_of_a_secret_is_registered(tmp_path, monkeypatch):
    for variable in sites.common(_options()).values():
        monkeypatch.setenv(variable, "the-value-itself")
    graph = made(tmp_path, "active-standby")
    text = str([each.inputs for each in graph.resources.values()])
    assert "the-value-itself" not in text
    assert "k" * 40 not in text
    runs = " ".join(map(str, unit.commands(graph.named("forum-aws-machine").inputs["userDataBase64"])))
    assert "the-value-itself" not in runs


def _options() -> Any:
    from components.kinds.postgres.options import PostgresOptions

    return PostgresOptions.model_validate(OPTIONS)


def test_a_machine_shows_two_ports_and_may_write_its_logs_alone(graphs):
    graph = graphs[STATES[0]]
    rules = graph.named("forum-aws-visitors").inputs["ingress"]
    assert [(rule["fromPort"], rule["toPort"], rule["cidrBlocks"]) for rule in rules] == [
        (80, 80, ["0.0.0.0/0"]),
        (443, 443, ["0.0.0.0/0"]),
    ]
    (statement,) = json.loads(graph.named("forum-aws-writes-logs").inputs["policy"])["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == "arn:aws:logs:us-east-1:1:log-group:forum-aws-log:*"
    machine = graph.named("forum-aws-machine").inputs
    assert machine["metadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    assert "keyName" not in machine
    assert machine["ami"] == "ami-1"
    assert AMI.endswith("/image_id")


def test_the_data_is_encrypted_and_leaves_a_snapshot(graphs):
    graph = graphs[STATES[0]]
    volume = graph.named("forum-aws-data").inputs
    assert (volume["encrypted"], volume["finalSnapshot"], volume["size"]) == (True, True, 20)
    held = graph.named("forum-aws-holds")
    assert held.inputs["stopInstanceBeforeDetaching"] is True
    assert held.request.deleteBeforeReplace


@pytest.mark.parametrize(("state", "first"), [(STATES[1], True), (STATES[2], False)])
def test_the_old_machine_ends_first_only_where_it_holds_the_writer(graphs, state, first):
    assert graphs[state].named("forum-aws-machine").request.deleteBeforeReplace is first


def test_both_sites_run_the_same_containers(graphs):
    graph = graphs[STATES[1]]
    sdl = graph.named("forum-akash").inputs["sdl"]
    runs = {words[words.index("--name") + 1]: words for words in unit.commands(_data(graph))}
    assert list(runs) == ["web", "app", "database"]
    assert set(sdl["services"]) == set(runs)
    for name, words in runs.items():
        assert sdl["services"][name]["image"] in words
    settings = [line for line in sdl["services"]["database"]["env"] if line.startswith("UNMOOR_SETTINGS=")]
    assert settings[0] in runs["database"]


def _data(graph: Graph) -> str:
    return str(graph.named("forum-aws-machine").inputs["userDataBase64"])


def test_a_release_changes_the_machine_in_place_and_keeps_the_lease(tmp_path):
    one, two = (made(tmp_path, "active-standby", env={"A": value}) for value in "12")
    assert one.named("forum-akash").inputs["name"] == two.named("forum-akash").inputs["name"]
    assert _data(one) != _data(two)
    assert one.named("forum-aws-machine").inputs["userDataReplaceOnChange"] is False


def test_a_preview_without_the_operators_key_changes_no_machine_and_no_lease(tmp_path, monkeypatch):
    monkeypatch.delenv(operator_key.VARIABLE, raising=False)
    graph = run(stack("active-standby"), tmp_path, preview=True, registry=REGISTRY)
    assert list(graph.named("forum-aws-machine").request.ignoreChanges) == ["userDataBase64"]
    assert list(graph.named("forum-akash").request.ignoreChanges) == ["sdl.services.web.env[0]"]


def test_roles_differ_in_keys_alone() -> None:
    options = _options()
    writer, standby = (sites.keys(options, "aws", role) for role in (Role.PRIMARY, Role.STANDBY))
    assert writer.keys() == standby.keys()
    assert {name for name in writer if writer[name] != standby[name]} == {
        "FIRST_KEY",
        "FIRST_SECRET",
        "SECOND_KEY",
        "SECOND_SECRET",
    }
