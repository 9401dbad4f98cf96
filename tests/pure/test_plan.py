"""A mode becomes sites, records, steps and a bill; what cannot be built is refused with every fault."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from components import dns
from components.action import Entry
from components.config import models as config
from components.errors import ConfigError, Fault, PlanError
from components.exposure import Exposure, Proof, Reach
from components.kind import Implementation, Kind, State
from components.plan.canonical import canonical
from components.plan.planner import plan
from components.plan.stack import topology
from components.project import builtin
from components.release import Release
from components.target import Target
from components.targets.akash import ingress
from components.targets.akash.ingress import Ingress
from components.topology import Line, Topology
from tests.settings import settings


class Options(config.Setting):
    """What a made-up kind needs."""

    site: str = "site"
    ingress: Ingress = Ingress.DEDICATED


class On(Implementation[Options]):
    """A made-up implementation: `reach` decides how it is reached."""

    def __init__(self, reach: Reach | None = None) -> None:
        self.reach = reach

    def exposure(self, options, acme):
        if self.reach is Reach.ALIAS:
            return Exposure(Reach.ALIAS, "amazon.com", Proof.DNS)
        return Exposure(self.reach) if self.reach else ingress.exposure(options.ingress, acme)

    def bill(self, options, release):
        return (Line("it", 1.0, "stated"),)

    def losses(self, options):
        return (ingress.SHARED_LOSS,) if self.reach is None and options.ingress is Ingress.SHARED else ()

    def deploy(self, site, context):
        raise AssertionError("planning deploys nothing")


class Made(Kind[Options]):
    """A made-up kind on three targets."""

    name = "static"
    options = Options
    state = State.REBUILDABLE
    on = {"aws": On(Reach.ALIAS), "akash": On(), "flux": On(Reach.NAME)}

    def release(self, options, root):
        raise AssertionError("planning reads no disk")


FLUX = Target("flux", company=None)
REGISTRY = builtin().with_(kinds=[Made()], targets=[FLUX])


def planned(made: dict) -> Topology:
    stack, found = config.read(made)
    assert found == []
    return plan(stack, REGISTRY, dict.fromkeys(stack.workloads, Release("ab" * 32)))


def refused(made: dict) -> list[str]:
    with pytest.raises(PlanError) as caught:
        planned(made)
    return [str(fault) for fault in caught.value.faults]


def members(topology: Topology) -> dict[str, dict]:
    """Return what the authority is asked to publish for the public name, by role."""
    entries = [action.does.what for action in topology.actions if isinstance(action.does, Entry)]
    return {entry["role"]: entry for entry in entries if entry["entry"] == "member"}


@pytest.mark.parametrize(
    ("mode", "active", "decentralized", "sites"),
    [
        ("centralized", "centralized", ("akash",), {"primary": "docs-aws"}),
        ("active-standby", "centralized", ("akash",), {"primary": "docs-aws", "standby": "docs-akash"}),
        ("active-standby", "decentralized", ("akash",), {"primary": "docs-akash", "standby": "docs-aws"}),
        ("decentralized", "centralized", ("akash",), {"primary": "docs-akash"}),
        ("decentralized", "centralized", ("akash", "akash"), {"primary": "docs-akash", "standby": "docs-akash-2"}),
        ("active-standby", "centralized", ("akash", "akash"), {"primary": "docs-aws", "standby": "docs-akash"}),
        ("centralized", "decentralized", ("akash",), {"primary": "docs-aws"}),
    ],
)
def test_a_mode_means_these_sites(mode, active, decentralized, sites) -> None:
    (workload,) = planned(settings(mode, active, decentralized)).workloads
    assert {str(role): site for site, role in workload.roles.items()} == sites
    assert {str(m.role): m.site for name in workload.names for m in name.members} == sites
    assert workload.primary.name == sites["primary"]


def test_an_alias_keeps_its_answer_for_sixty_seconds_at_any_ttl() -> None:
    made = planned(settings("active-standby"))
    assert {role: entry["ttl"] for role, entry in members(made).items()} == {"primary": 60, "standby": 30}
    assert made.workloads[0].kept_s == {"docs-aws": 60, "docs-akash": 30}


def test_a_set_with_a_name_in_it_is_of_type_cname_in_every_mode() -> None:
    for mode in ("centralized", "active-standby", "decentralized"):
        found = members(planned(settings(mode, options={"ingress": "shared"}))).values()
        assert {(entry["type"], entry["alias"], entry["ttl"]) for entry in found} == {("CNAME", False, 30)}


def test_no_cname_stands_at_the_apex() -> None:
    (output,) = refused(settings("centralized", host="dao.example", options={"ingress": "shared"}))
    assert output.startswith("workloads.docs.host: dao.example is the zone's apex")


def test_an_apex_with_addresses_is_fine() -> None:
    found = members(planned(settings("active-standby", host="dao.example")))
    assert {(role, entry["type"]) for role, entry in found.items()} == {("primary", "A"), ("standby", "A")}


def test_an_address_and_a_name_make_no_set() -> None:
    (output,) = refused(settings("decentralized", decentralized=("akash", "flux")))
    assert "share one record type" in output


def test_every_fault_of_a_plan_is_reported_at_once() -> None:
    made = settings("centralized", host="docs.other.example", backup={"stores": ["aws", "stroj"]})
    made["workloads"]["docs"]["placement"] = {"centralized": "aws", "decentralized": ["fluks"]}
    made["workloads"]["docs"]["options"] = {"sight": "x"}
    made["workloads"]["forum"] = {**made["workloads"]["docs"], "kind": "form", "host": "forum.dao.example"}
    undeclared = "no store named 'stroj'; did you mean storj?; declare it under stores or choose from aws, storj"
    targets = "choose from akash, aws, flux"
    written = ", ".join(sorted(name for name, kind in REGISTRY.kinds.items() if kind.written))
    assert refused(made) == [
        "workloads.docs.host: docs.other.example is outside the zone; choose a name that ends in .dao.example",
        f"workloads.docs.backup.stores[1]: {undeclared}",
        f"workloads.docs.placement.decentralized[0]: static does not run on 'fluks'; did you mean flux?; {targets}",
        "workloads.docs.options.sight: no such setting; did you mean site?",
        f"workloads.forum.backup.stores[1]: {undeclared}",
        f"workloads.forum.kind: no kind 'form'; choose from {written}",
    ]


@pytest.mark.parametrize("setting", ["backup", "host"])
def test_what_a_kind_cannot_do_without_is_required(setting) -> None:
    made = settings()
    made["workloads"]["docs"][setting] = None
    (fault,) = refused(made)
    assert fault.startswith(f"workloads.docs.{setting}: is required; ")


def test_two_sides_on_one_target_are_refused() -> None:
    (output,) = refused(settings(decentralized=("aws",)))
    assert output.startswith("workloads.docs.placement: both sides are on 'aws'")


def test_what_a_kind_finds_missing_is_a_fault_under_its_options_with_all_others() -> None:
    class Missing(Made):
        def release(self, options, root):
            raise ConfigError("it cannot be served", [Fault("site", "no such folder")])

    made = settings(host="docs.other.example")
    with pytest.raises(PlanError) as caught:
        topology(made, REGISTRY.with_(kinds=[Missing()]), Path())
    found = [fault.path for fault in caught.value.faults]
    assert found == ["workloads.docs.options.site", "workloads.docs.host"]


def test_two_workloads_do_not_share_a_host_or_a_site_host() -> None:
    made = settings()
    made["workloads"]["blog"] = {**made["workloads"]["docs"]}
    made["workloads"]["wiki"] = {**made["workloads"]["docs"], "host": "docs-akash.dao.example"}
    found = refused(made)
    assert [fault.split(":")[0] for fault in found] == ["workloads.blog.host", "workloads.wiki.host"]


@pytest.mark.parametrize("more", [{}, {"mode": "decentralized"}, {"backup": None}])
def test_a_workload_does_not_have_the_name_of_its_own_site_as_its_host(more) -> None:
    made = settings(host="docs-aws.dao.example")
    made["workloads"]["docs"] |= more
    why = "docs-aws.dao.example is the site host of docs-aws already; choose another host or another workload name"
    assert f"workloads.docs.host: {why}" in refused(made)


def test_names_are_compared_with_those_of_workloads_that_have_other_faults() -> None:
    made = settings()
    made["workloads"]["blog"] = {**made["workloads"]["docs"], "options": {"sight": "x"}}
    made["workloads"]["wiki"] = {**made["workloads"]["docs"], "host": "blog-akash.dao.example"}
    found = [fault.split(":")[0] for fault in refused(made)]
    assert found == ["workloads.blog.options.sight", "workloads.blog.host", "workloads.wiki.host"]


def test_a_site_host_is_no_longer_than_a_name_may_be() -> None:
    zone = ".".join(["a" * 60, "a" * 60, "a" * 60, "a" * 59, "a"])
    made = settings(host=f"x.{zone}") | {"zone": zone}
    why = (
        "the site host of docs-akash has 255 characters, and 253 are the most; choose a shorter name, or a zone with a"
    )
    assert refused(made) == [f"workloads.docs: {why} shorter one"]
    made["workloads"] = {"d": made["workloads"]["docs"]}
    assert planned(made)


def test_two_sites_do_not_share_a_name() -> None:
    made = settings(decentralized=("akash", "akash"))
    made["workloads"]["docs-akash"] = {**made["workloads"]["docs"], "host": "x.dao.example"}
    made["workloads"]["docs-akash"]["placement"] = {"centralized": "2", "decentralized": ["flux"]}
    stack, found = config.read(made)
    assert found == []
    made_up = Made()
    made_up.on = {**Made.on, "2": On(Reach.ALIAS)}
    registry = REGISTRY.with_(kinds=[made_up], targets=[Target("2", company=None)])
    with pytest.raises(PlanError) as caught:
        plan(stack, registry, dict.fromkeys(stack.workloads, Release("ab" * 32)))
    (fault,) = caught.value.faults
    assert str(fault).startswith("workloads.docs-akash: docs-akash-2.dao.example is the site host of docs-akash-2 alre")


@pytest.mark.parametrize(
    ("decentralized", "peers"),
    [
        (("akash",), {"docs-aws": "docs-akash", "docs-akash": "docs-aws"}),
        (("akash", "akash"), {"docs-aws": "docs-akash", "docs-akash": "docs-akash-2", "docs-akash-2": "docs-akash"}),
    ],
)
def test_a_question_for_a_challenge_comes_to_every_site_that_may_have_asked_for_it(decentralized, peers) -> None:
    """Peers do not depend on who stands. AWS proves its names by DNS, so no question has to come to it."""
    found = {
        site.name: site.peer
        for mode in ("active-standby", "decentralized")
        for site in planned(settings(mode, decentralized=decentralized)).workloads[0].sites
    }
    assert found == {site: f"{peer}.dao.example" for site, peer in peers.items()}


def test_without_certificates_over_acme_no_challenge_is_passed_on() -> None:
    """Amazon's names are proved by records, and behind a shared ingress there is no certificate at all."""
    for mode in ("centralized", "active-standby", "decentralized"):
        for decentralized in (("akash",), ("akash", "akash")):
            made = settings(mode, decentralized=decentralized, options={"ingress": "shared"})
            assert {site.peer for site in planned(made).workloads[0].sites} == {""}


@pytest.mark.parametrize(
    ("mode", "active", "kind", "url"),
    [
        ("active-standby", "centralized", "shared", "https://docs.dao.example/"),
        ("active-standby", "decentralized", "shared", "http://docs.dao.example/"),
        ("decentralized", "centralized", "shared", "http://docs.dao.example/"),
        ("decentralized", "centralized", "dedicated", "https://docs.dao.example/"),
    ],
)
def test_the_published_address_has_the_scheme_of_the_site_that_answers(mode, active, kind, url) -> None:
    (workload,) = planned(settings(mode, active, options={"ingress": kind})).workloads
    assert workload.url == url


def test_a_site_without_a_certificate_for_the_host_is_a_note_and_is_probed_over_http() -> None:
    made = planned(settings("active-standby", options={"ingress": "shared"}))
    (loss,) = made.workloads[0].losses
    assert loss.startswith("docs-akash: it is reached by a name of the provider, where no certificate")
    probes = {action.subject: action.detail.split("/healthz")[0] for action in made.actions if action.verb == "probe"}
    assert probes == {"docs-aws": "https://docs.dao.example", "docs-akash": "http://docs.dao.example"}


def test_at_the_apex_the_issuers_are_a_note() -> None:
    made = planned(settings("centralized", host="dao.example"))
    assert "dao.example" not in {action.subject for action in made.actions if action.verb == "allow"}
    assert made.workloads[0].losses[0].endswith("they must allow amazon.com and letsencrypt.org")


def test_the_bill_has_a_health_check_for_every_site() -> None:
    (workload,) = planned(settings("active-standby")).workloads
    assert sum("health check" in line.what for line in workload.bill) == 2
    assert workload.usd_month == round(sum(line.usd_month for line in workload.bill), 2)


def test_the_canonical_plan_does_not_depend_on_the_order_of_keys() -> None:
    made = settings("active-standby")
    turned = {key: made[key] for key in reversed(made)}
    assert canonical(planned(made), signed_only=False) == canonical(planned(turned), signed_only=False)


def test_an_authority_is_named_once() -> None:
    made = settings("active-standby") | {"dns": {"authorities": ["route53", "route53"]}}
    assert refused(made) == ["dns.authorities[1]: route53 is named twice; take it out, or name another one"]


def test_an_authority_that_is_added_does_not_become_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [SimpleNamespace(AUTHORITY=SimpleNamespace(name=name)) for name in ("alpha", "zulu")]
    folders.insert(1, SimpleNamespace(AUTHORITY=SimpleNamespace(name="route53"), DEFAULT=True))
    monkeypatch.setattr(dns, "_folders", lambda: folders)
    assert next(iter(dns.authorities())) == "route53"
