"""What a plan prints is what a deployment registers, for kinds of a user's own too."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pytest

from components.action import Action, Entry, Phase
from components.project import builtin
from tests.application import APPLICATION
from tests.graph.monitor import Graph, run
from tests.settings import settings, site_folder

STATES = [
    ("centralized", "centralized"),
    ("active-standby", "centralized"),
    ("active-standby", "decentralized"),
    ("decentralized", "centralized"),
]
OWN = builtin().with_(kinds=[APPLICATION])
NEWER = {"image": "registry.example/app@sha256:" + "bb" * 32}


def application(state, **options):
    made = settings(*state)
    made["workloads"] = {"app": {**made["workloads"]["docs"], "kind": "application", "options": options}}
    return made


def both(state):
    made = settings(*state)
    made["workloads"] |= application(state)["workloads"]
    made["workloads"]["app"]["host"] = "app.dao.example"
    return made


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


@pytest.fixture(scope="module")
def graphs(root):
    return {state: run(both(state), root, registry=OWN) for state in STATES}


@pytest.fixture(scope="module")
def applications(root):
    return {state: run(application(state), root, registry=OWN) for state in STATES}


def direct(graph: Graph) -> list[str]:
    """Return names of the resources directly below a Workload, and that of the account, which is the stack's."""
    workloads = {r.urn for r in graph.of_type("unmoor:index:Workload")}
    return [r.name for r in graph.resources.values() if r.parent in workloads or r.type == "unmoor:akash:Account"]


def parts(graph: Graph, name: str) -> set[str]:
    """Return what an action registered, components left out: they stand for all their children."""
    resource = graph.named(name)
    return {resource.urn} if resource.request.custom else graph.inside(resource.urn)


@pytest.mark.parametrize("state", STATES)
def test_every_printed_action_is_one_registered_resource_and_nothing_else_is(graphs, state):
    graph = graphs[state]
    assert sorted(direct(graph)) == sorted(action.name for action in graph.topology.actions)


@pytest.mark.parametrize("state", STATES)
def test_every_edge_that_the_plan_has_is_registered(graphs, state):
    graph = graphs[state]
    for action in graph.topology.actions:
        for urn in parts(graph, action.name):
            missing = [name for name in action.needs if not parts(graph, name) <= graph.behind(urn)]
            assert not missing, (urn, missing)


@pytest.mark.parametrize("state", STATES)
def test_actions_are_printed_in_an_order_that_their_edges_agree_with(graphs, state):
    done = set()
    for action in graphs[state].topology.actions:
        assert set(action.needs) <= done
        done.add(action.name)


@pytest.mark.parametrize("state", STATES)
def test_everything_inside_a_site_waits_for_what_its_kind_prepares(applications, state):
    """The author of the implementation passed nothing on but the parent."""
    graph = applications[state]
    prepared = graph.named("app-prepare").urn
    found = graph.of_type("tests:index:Part")
    assert found
    for part in found:
        assert prepared in graph.behind(part.urn), part.name


@pytest.mark.parametrize("state", STATES)
def test_a_new_image_is_probed_and_confirmed_at_every_site_in_every_mode(root, applications, state):
    old, new = applications[state], run(application(state, **NEWER), root, registry=OWN)
    assert old.urns == new.urns
    changed = {r.name for urn, r in new.resources.items() if r.inputs != old.resources[urn].inputs}
    sites = new.outputs["workloads"]["app"]["sites"]
    assert changed == {f"{site}-{part}" for site in sites for part in ("machine", "probe", "confirm")}


@pytest.mark.parametrize("state", STATES[1:3])
def test_one_by_one_the_second_site_changes_only_after_the_first_was_confirmed(applications, state):
    graph = applications[state]
    first, second = graph.outputs["workloads"]["app"]["sites"]
    assert graph.named(f"{first}-confirm").urn in graph.behind(graph.named(f"{second}-machine").urn)


@pytest.mark.parametrize("state", STATES[1:3])
def test_a_static_site_is_updated_at_both_sites_at_once(graphs, state):
    graph = graphs[state]
    (akash,) = graph.of_type("unmoor:akash:Deployment")
    assert graph.named("docs-aws-confirm").urn not in graph.behind(akash.urn)


@pytest.mark.parametrize("state", STATES)
def test_records_wait_for_the_check_and_the_drain_of_the_site_that_they_lead_to(applications, state):
    graph = applications[state]
    for site, role in graph.outputs["workloads"]["app"]["sites"].items():
        behind = graph.behind(graph.named(f"docs.dao.example/{role}").urn)
        for part in ("probe", "drain", "health", "host"):
            assert graph.named(f"{site}-{part}").urn in behind


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(STATES, 2)])
def test_a_flip_of_a_users_kind_renames_nothing_and_changes_no_site(applications, before, after):
    old, new = applications[before], applications[after]
    assert old.urns & new.urns == {
        urn for urn in new.urns if urn.rsplit("::", 1)[1] in {r.name for r in old.resources.values()}
    }
    kept = {urn for urn in old.urns & new.urns if "tests:index:Part" in urn}
    assert all(old.resources[urn].inputs == new.resources[urn].inputs for urn in kept)


class Note(pulumi.CustomResource):
    """A record of the second authority."""

    def __init__(self, name, what, opts):
        super().__init__("tests:index:Note", name, what, opts)


@dataclass(frozen=True)
class InMemory:
    """A second authority: it answers from memory, with one kind of entry."""

    name: str = "memory"
    company: str | None = None

    def refuses(self, plan, zone):
        return ()

    def notes(self, plan, zone):
        return ()

    def answer_ttl(self, exposure, ttl):
        return 300

    def detection_s(self):
        return 100

    def bill(self, plan, zone):
        return ()

    def current(self, handle, host):
        return []

    def actions(self, plan, zone):
        for site, role in plan.roles.items():
            yield Action(
                f"memory:{plan.host}/{role}",
                Phase.ROUTE,
                "route",
                plan.host,
                Entry("memory", {"host": plan.host, "to": site}),
                site=site,
            )

    def zone(self, zone, opts):
        return self

    @property
    def handle(self):
        return {"authority": "memory", "zone": "in memory"}

    def register(self, name, what, opts):
        return Note(name, what, opts)

    def prove(self, name, record, opts):
        return Note(name, {"name": record.name}, opts).id


@pytest.fixture(scope="module")
def second(root):
    registry = OWN.with_(authorities=[InMemory()])
    asked = {}
    for state in STATES:
        for authorities in (["route53"], ["route53", "memory"], ["memory"]):
            made = both(state) | {"dns": {"authorities": authorities}}
            asked[state, *authorities] = run(made, root, registry=registry)
    return asked


@pytest.mark.parametrize("state", STATES)
def test_a_second_authority_adds_its_own_entries_and_touches_nothing_else(second, state):
    alone, two = second[state, "route53"], second[state, "route53", "memory"]
    added = two.urns - alone.urns
    assert alone.urns <= two.urns
    assert added
    assert {two.resources[urn].type for urn in added} == {"tests:index:Note"}
    changed = {
        r.name for urn, r in two.resources.items() if urn in alone.urns and r.inputs != alone.resources[urn].inputs
    }
    assert all(name.endswith(("-probe", "-drain", "-valid")) for name in changed), changed


def test_a_drain_waits_for_the_longest_answer_of_any_authority(second):
    state = STATES[1]
    seconds = {
        name: second[state, *name].named("docs-akash-drain").inputs["stdin"]
        for name in (("route53",), ("route53", "memory"))
    }
    assert seconds == {("route53",): '{"ttl": 30}', ("route53", "memory"): '{"ttl": 300}'}


@pytest.mark.parametrize("state", STATES)
def test_another_authority_alone_registers_nothing_of_the_first(second, state):
    graph = second[state, "memory"]
    assert not [r.type for r in graph.resources.values() if "route53" in r.type]
    assert {r.name for r in graph.of_type("tests:index:Note")} >= {"memory:docs.dao.example/primary"}


@pytest.mark.parametrize("state", STATES)
def test_who_alone_can_switch_a_stack_off_follows_from_targets_and_authorities(second, state):
    central = {
        names: {str(control) for control in second[state, *names].topology.workloads[1].central}
        for names in (("route53",), ("route53", "memory"), ("memory",))
    }
    zone = "AWS alone can still switch this off: the zone"
    sites = {"AWS alone can still switch this off: every site"} if state[0] == "centralized" else set()
    assert central == {("route53",): {zone} | sites, ("route53", "memory"): sites, ("memory",): sites}


def test_a_zone_that_is_named_by_its_id_is_not_looked_up(root):
    made = settings("centralized") | {"dns": {"zone_id": "Z0ABC"}}
    graph = run(made, root)
    assert {r.inputs["zoneId"] for r in graph.of_type("aws:route53/record:Record")} == {"Z0ABC"}


def test_what_a_program_passes_reaches_every_workload(root):
    opts = pulumi.ResourceOptions(protect=True, aliases=[pulumi.Alias(name="older")])
    graph = run(settings("centralized"), root, opts=opts)
    (workload,) = graph.of_type("unmoor:index:Workload")
    assert workload.request.protect
    assert workload.request.aliases
    assert all(r.request.protect for r in graph.resources.values() if r.request.custom)


def test_tags_of_a_program_stay_next_to_ours(root):
    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if "tags" not in args.props:
            return None
        return pulumi.ResourceTransformationResult({**args.props, "tags": {"team": "docs"}}, args.opts)

    graph = run(settings("centralized"), root, opts=pulumi.ResourceOptions(transformations=[tag]))
    tags = graph.named("docs-aws-distribution").inputs["tags"]
    assert tags == {"team": "docs", "unmoor:stack": "unmoor/test", "unmoor:workload": "docs"}


def names_of_the_manual():
    """Return (name, type) of the page's two tables: resources of every stack, and those of own name servers."""
    page = (Path(__file__).parents[2] / "docs" / "library.md").read_text()
    found = []
    for table in page.partition("### What it registers")[2].partition("\n## ")[0].split("\nWith [name servers"):
        listed = set()
        for row in table.splitlines():
            cells = [cell.strip() for cell in row.split("|")]
            if len(cells) == 5 and cells[1].startswith("`"):
                names = [name.strip("`") for name in cells[1].split(", ")]
                stem = names[0].rpartition("-")[0]
                whole = [f"{stem}{name}" if name.startswith("-") else name for name in names]
                listed |= {(name, cells[2].strip("`").partition("/…")[0]) for name in whole}
        found.append(listed)
    return found


def test_every_name_that_is_registered_is_in_the_manual(root):
    listed = names_of_the_manual()[0]
    stood = [{"type": "CNAME", "ttl": 60, "values": ["dao.pages.example"]}]
    graph = run(settings("active-standby", adopt=stood), root)
    seen = set()
    for one in graph.resources.values():
        name = re.sub(r"^docs-(aws|akash)(?=-(host|caa|publish|probe|drain|confirm|health)$)", "SITE", one.name)
        name = re.sub(r"(?<=docs-aws-proof-).*", "HOST", name).replace("docs.dao.example", "HOST")
        found = [(known, kind) for known, kind in listed if known == name and one.type.startswith(kind)]
        assert found, f"{one.name} ({one.type}) is not in the table"
        seen.update(found)
    assert listed == seen
