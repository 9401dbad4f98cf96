"""Every flip of the docs workload through the real engine: what happens, in which order, and that it then rests.

The order is that of the engine's own events. That no visitor notices is not claimed here: the demo measures it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from .docs_stack import AKASH, HOST, PRIMARY, STANDBY, Docs, finished, started

if TYPE_CHECKING:
    from sandbox.drive import Run

pytestmark = pytest.mark.timeout(900)

SITES = ("docs-akash-2", "docs-akash", "docs-aws")
TWO = {"centralized": "aws", "decentralized": ["akash", "akash"]}


@dataclass(frozen=True)
class Flip:
    """What is written into the stack file, which sites the roles then stand for, and which sites come and go."""

    lines: dict[str, Any]
    roles: dict[str, str]
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


#: In this order, each from where the one before it ended.
FLIPS = {
    "centralized": Flip({}, {PRIMARY: "docs-aws"}, new=("docs-aws",)),
    "to standby": Flip({"mode": "active-standby"}, {PRIMARY: "docs-aws", STANDBY: "docs-akash"}, new=("docs-akash",)),
    "turned round": Flip({"active": "decentralized"}, {PRIMARY: "docs-akash", STANDBY: "docs-aws"}),
    "to decentralized": Flip({"mode": "decentralized"}, {PRIMARY: "docs-akash"}, gone=("docs-aws",)),
    "back to standby": Flip(
        {"mode": "active-standby", "active": None}, {PRIMARY: "docs-aws", STANDBY: "docs-akash"}, new=("docs-aws",)
    ),
    "back to centralized": Flip({"mode": "centralized"}, {PRIMARY: "docs-aws"}, gone=("docs-akash",)),
    "straight to two leases": Flip(
        {"mode": "decentralized", "placement": TWO},
        {PRIMARY: "docs-akash", STANDBY: "docs-akash-2"},
        new=("docs-akash", "docs-akash-2"),
        gone=("docs-aws",),
    ),
    "straight back": Flip(
        {"mode": "centralized"}, {PRIMARY: "docs-aws"}, new=("docs-aws",), gone=("docs-akash", "docs-akash-2")
    ),
}
#: Flips with a preview before them.
PREVIEWED = ("to standby", "to decentralized")


@dataclass(frozen=True)
class Seen:
    """What a flip did: the update, the second one after it, the preview before it, and what then stood."""

    run: Run
    again: Run
    preview: Run | None
    records: dict[str, str]
    leases: dict[str, str]
    shown: dict[str, str]
    outputs: dict[str, Any]


@pytest.fixture(scope="module")
def story(docs: Docs) -> dict[str, Seen]:
    seen = {}
    for name, flip in FLIPS.items():
        docs.write(**flip.lines)
        preview = docs.pulumi.preview("--diff") if name in PREVIEWED else None
        run, again = docs.pulumi.up(), docs.again()
        outputs = docs.pulumi.outputs()["workloads"]["docs"]
        seen[name] = Seen(run, again, preview, docs.records(), docs.leases(), docs.shown(), outputs)
    return seen


every_flip = pytest.mark.parametrize("name", FLIPS)


@every_flip
def test_a_second_up_changes_nothing(name: str, story: dict[str, Seen]) -> None:
    assert story[name].again.changes() == {}


@every_flip
def test_nothing_is_replaced(name: str, story: dict[str, Seen]) -> None:
    """What stands in the stores as claimed is renewed with the names: the new claim is made before the old one ends."""
    others = {op for op, resource in story[name].run.steps() if resource != "docs-claim"}
    assert others <= {"same", "create", "update", "delete"}


@every_flip
def test_only_sites_that_come_or_go_are_created_or_deleted(name: str, story: dict[str, Seen]) -> None:
    """Roles are another matter: a failover set has a standby only while two sites stand."""
    done = {(op, site) for op, resource in story[name].run.steps() if (site := site_of(resource))}
    flip = FLIPS[name]
    assert {each for each in done if each[0] not in ("same", "update")} == {
        *(("create", site) for site in flip.new),
        *(("delete", site) for site in flip.gone),
    }


@every_flip
def test_a_site_stands_and_was_probed_before_a_record_points_at_it(name: str, story: dict[str, Seen]) -> None:
    run, roles = story[name].run, FLIPS[name].roles
    before = FLIPS[previous(name)].roles if name != "centralized" else {}
    moved = {record for record, op in run.changes().items() if record in (PRIMARY, STANDBY) and op != "delete"}
    assert moved == {record for record, site in roles.items() if before.get(record) != site}
    for record in moved:
        site = roles[record]
        assert run.changes()[f"{site}-probe"] in ("create", "update"), "the site is probed anew"
        assert finished(run, site) < started(run, f"{site}-probe")
        assert finished(run, f"{site}-probe") < started(run, record)


def test_swapping_the_roles_probes_both_sites_and_changes_two_records_in_place(story: dict[str, Seen]) -> None:
    looks = (f"docs-{target}-{look}" for target in ("aws", "akash") for look in ("probe", "confirm"))
    changed = (*looks, f"{HOST}-exchange", PRIMARY, STANDBY)
    assert story["turned round"].run.changes() == dict.fromkeys(changed, "update")


@every_flip
def test_every_create_and_update_is_done_before_the_first_delete_begins(name: str, story: dict[str, Seen]) -> None:
    run = story[name].run
    changes = run.changes()
    made = [finished(run, each) for each, op in changes.items() if op != "delete"]
    # A plug-in's own resource, of which several have the name `default`, goes with the last that used it.
    deleted = {each: started(run, each) for each, op in changes.items() if op == "delete" and each != "default"}
    early = {each: place for each, place in deleted.items() if place < max(made, default=-1)}
    assert early == {}


@pytest.mark.parametrize(("name", "site"), [(name, site) for name, flip in FLIPS.items() for site in flip.gone])
def test_the_record_goes_then_old_answers_drain_then_the_site(name: str, site: str, story: dict[str, Seen]) -> None:
    """No record of the set points at a site while it is taken down, and no resolver remembers it."""
    run = story[name].run
    drain = f"{site}-drain"
    records = [finished(run, record) for record in (PRIMARY, STANDBY) if record in run.changes()]
    assert records
    assert max(records) < started(run, drain)
    # The health check belongs to the record, and goes with it.
    looks = (f"{site}-probe", f"{site}-confirm", f"{site}-health")
    rest = [n for op, n in run.steps() if op == "delete" and site_of(n) == site and n not in (drain, *looks)]
    assert len(rest) > 2
    assert finished(run, drain) < min(started(run, each) for each in rest)


@every_flip
def test_the_failover_set_is_what_the_mode_means(name: str, story: dict[str, Seen]) -> None:
    seen, flip = story[name], FLIPS[name]
    ours = {record: value for record, value in seen.records.items() if record.startswith(f"{HOST}/")}
    # Each role's record has the value of its site's own name; the second role is SECONDARY to Route 53.
    told = {PRIMARY: f"{HOST}/primary", STANDBY: f"{HOST}/secondary"}
    assert ours == {told[role]: seen.records[f"{site}.dao.example"] for role, site in flip.roles.items()}
    assert seen.outputs["sites"] == {site: role.rsplit("/")[1] for role, site in flip.roles.items()}


@every_flip
def test_every_site_has_a_valid_certificate_for_both_its_names(name: str, story: dict[str, Seen]) -> None:
    """The public host's at the standby too, before it is needed. The versions are those of the folder."""
    assert story[name].shown == dict.fromkeys(FLIPS[name].roles.values(), "valid for both names")


@every_flip
def test_one_deployment_is_open_for_each_site_on_akash(name: str, story: dict[str, Seen]) -> None:
    sites = [site for site in FLIPS[name].roles.values() if "akash" in site]
    assert (len(story[name].leases), all(story[name].leases.values())) == (len(sites), True)


def test_two_sites_on_akash_are_with_two_providers(story: dict[str, Seen]) -> None:
    seen = story["straight to two leases"]
    addresses = {seen.records[f"{HOST}/primary"], seen.records[f"{HOST}/secondary"]}
    assert (len(set(seen.leases.values())), len(addresses)) == (2, 2)
    assert all(address.startswith(AKASH) for address in addresses)


def test_a_lease_outlives_every_flip_that_keeps_its_site(story: dict[str, Seen]) -> None:
    kept = ("to standby", "turned round", "to decentralized", "back to standby")
    assert len({tuple(story[name].leases.items()) for name in kept}) == 1


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("to standby", '~ mode     : "centralized" => "active-standby"'),
        ("to decentralized", '~ mode     : "active-standby" => "decentralized"'),
    ],
)
def test_the_preview_is_a_migration_diff_with_money_in_it(name: str, mode: str, story: dict[str, Seen]) -> None:
    preview = story[name].preview
    assert preview
    before, after = (story[each].outputs["usd_month"] for each in (previous(name), name))
    assert mode in preview.output
    assert f"~ usd_month: {before} => {after}" in preview.output


@pytest.mark.parametrize("name", PREVIEWED)
def test_the_preview_shows_exactly_what_the_update_then_does(name: str, story: dict[str, Seen]) -> None:
    preview = story[name].preview
    assert preview
    assert preview.changes() == story[name].run.changes()


def test_destroy_leaves_nothing_in_aws_in_dns_or_on_akash(docs: Docs, story: dict[str, Seen]) -> None:
    from sandbox.aws import inventory

    assert story
    docs.pulumi.destroy()
    assert (inventory.objects(), docs.leases()) == ([], {})


def test_every_call_to_aws_is_one_that_the_operators_policy_allows(docs: Docs, story: dict[str, Seen]) -> None:
    from components.doctor import rights, run, stores
    from components.plan.stack import from_file
    from components.project import builtin
    from sandbox.aws import calls
    from sandbox.aws.simulation import decision

    assert story
    plan = from_file(docs.pulumi.config_file, builtin(), built=False)
    policy = rights.policy(rights.chosen("operator", run.grants(plan, builtin()), stores.grants(plan)))
    seen = list(calls.read(docs.state.root / calls.FILE))
    assert {"route53:ChangeResourceRecordSets", "cloudfront:CreateDistribution", "s3:PutObject"} <= {
        call.action for call in seen
    }
    # Who one is may be asked without a right (AWS STS API reference, GetCallerIdentity).
    asked = [call for call in seen if call.action != "sts:GetCallerIdentity"]
    assert sorted({str(call) for call in asked if decision([policy], *call) != "allowed"}) == []


def previous(name: str) -> str:
    return next(before for before, after in itertools.pairwise(FLIPS) if after == name)


def site_of(resource: str) -> str:
    """Name the site that a resource is part of; nothing if it is of none of them."""
    return next((site for site in SITES if resource == site or resource.startswith(f"{site}-")), "")
