"""A mode becomes sites, records, steps and a bill; what cannot be built is refused with every fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import models as config
from components.errors import Fault, PlanError
from components.kind import Kind, OnTarget, Survey
from components.plan.planner import plan
from components.plan.topology import Form, Line, RecordType, Role, Topology
from tests.settings import settings


class Options(config.Setting):
    """What a made-up kind needs."""

    site: str = "site"
    front: str = "ip"


def _nothing(name, site, opts):
    raise AssertionError("planning realizes nothing")


def kind(faults: tuple[Fault, ...] = ()) -> Kind:
    def bill(_: Options) -> tuple[Line, ...]:
        return (Line("it", 1.0, "stated"),)

    return Kind(
        name="docs",
        options=Options,
        stateful=False,
        survey=lambda options, root: Survey("ab" * 32, options.site, faults),
        on={
            "aws": OnTarget(lambda o: Form.ALIAS, bill, _nothing),
            "akash": OnTarget(lambda o: Form.ADDRESS if o.front == "ip" else Form.HOST, bill, _nothing),
            "flux": OnTarget(lambda o: Form.HOST, bill, _nothing),
        },
    )


def planned(made: dict) -> Topology:
    stack, found = config.read(made)
    assert found == []
    return plan(stack, {"docs": kind()}, Path())


def refused(made: dict, **kinds: Kind) -> list[str]:
    stack, found = config.read(made)
    assert found == []
    with pytest.raises(PlanError) as caught:
        plan(stack, kinds or {"docs": kind()}, Path())
    return [str(fault) for fault in caught.value.faults]


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
    assert {str(r.role): r.site for r in workload.records} == sites
    assert workload.primary.name == sites["primary"]


def test_an_alias_keeps_its_answer_for_sixty_seconds_whatever_the_ttl() -> None:
    (workload,) = planned(settings("active-standby")).workloads
    assert {r.role: r.ttl for r in workload.records} == {Role.PRIMARY: 60, Role.STANDBY: 30}


def test_a_set_with_a_name_in_it_is_of_type_cname_in_every_mode() -> None:
    for mode in ("centralized", "active-standby", "decentralized"):
        (workload,) = planned(settings(mode, options={"front": "ingress"})).workloads
        assert {r.type for r in workload.records} == {RecordType.CNAME}
        assert {r.ttl for r in workload.records} == {30}


def test_no_cname_stands_at_the_apex() -> None:
    (said,) = refused(settings("centralized", host="dao.example", options={"front": "ingress"}))
    assert said.startswith("workloads.docs.host: dao.example is the zone's apex")


def test_an_apex_with_addresses_is_fine() -> None:
    (workload,) = planned(settings("active-standby", host="dao.example")).workloads
    assert {r.type for r in workload.records} == {RecordType.A}


def test_an_address_and_a_name_make_no_set() -> None:
    (said,) = refused(settings("decentralized", decentralized=("akash", "flux")))
    assert "share one record type" in said


def test_every_fault_of_a_plan_is_said_at_once() -> None:
    made = settings("centralized", host="docs.other.example", backup={"stores": ["aws", "stroj"]})
    made["workloads"]["docs"]["placement"] = {"centralized": "aws", "decentralized": ["fluks"]}
    made["workloads"]["docs"]["options"] = {"sight": "x"}
    made["workloads"]["forum"] = {**made["workloads"]["docs"], "kind": "form", "host": "forum.dao.example"}
    undeclared = "no store named 'stroj'; did you mean storj?; declare it under stores or choose from aws, storj"
    assert refused(made) == [
        "workloads.docs.host: docs.other.example is outside the zone; choose a name that ends in .dao.example",
        f"workloads.docs.backup.stores[1]: {undeclared}",
        "workloads.docs.placement.decentralized[0]: docs does not run on 'fluks'; choose from akash, aws, flux",
        "workloads.docs.options.sight: no such setting; did you mean site?",
        f"workloads.forum.backup.stores[1]: {undeclared}",
        "workloads.forum.kind: no kind 'form'; choose from docs",
    ]


def test_two_sides_on_one_target_are_refused() -> None:
    (said,) = refused(settings(decentralized=("aws",)))
    assert said.startswith("workloads.docs.placement: both sides are on 'aws'")


def test_what_a_kind_finds_missing_is_a_fault_under_its_options() -> None:
    found = refused(settings(), docs=kind((Fault("site", "no such folder"),)))
    assert found == ["workloads.docs.options.site: no such folder"]


def test_two_workloads_do_not_share_a_host_or_a_direct_name() -> None:
    made = settings()
    made["workloads"]["blog"] = {**made["workloads"]["docs"]}
    made["workloads"]["wiki"] = {**made["workloads"]["docs"], "host": "docs-akash.dao.example"}
    found = refused(made)
    assert [fault.split(":")[0] for fault in found] == ["workloads.blog.host", "workloads.wiki.host"]


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


def test_where_nobody_asks_for_certificates_no_challenge_is_passed_on() -> None:
    """Amazon's names are proved by records, and behind a shared ingress there is no certificate at all."""
    for mode in ("centralized", "active-standby", "decentralized"):
        for decentralized in (("akash",), ("akash", "akash")):
            made = settings(mode, decentralized=decentralized, options={"front": "ingress"})
            assert {site.peer for site in planned(made).workloads[0].sites} == {""}


@pytest.mark.parametrize(
    ("mode", "active", "front", "url"),
    [
        ("active-standby", "centralized", "ingress", "https://docs.dao.example/"),
        ("active-standby", "decentralized", "ingress", "http://docs.dao.example/"),
        ("decentralized", "centralized", "ingress", "http://docs.dao.example/"),
        ("decentralized", "centralized", "ip", "https://docs.dao.example/"),
    ],
)
def test_the_published_address_has_the_scheme_of_the_site_that_answers(mode, active, front, url) -> None:
    (workload,) = planned(settings(mode, active, options={"front": front})).workloads
    assert workload.url == url


def test_a_site_without_a_certificate_for_the_host_is_a_note_and_is_probed_over_http() -> None:
    (workload,) = planned(settings("active-standby", options={"front": "ingress"})).workloads
    (note,) = workload.notes
    assert note.startswith("docs-akash is reached by a name at akash, where nobody has a certificate for docs.dao")
    probes = {step.subject: step.detail.split("/healthz")[0] for step in workload.steps if step.verb == "probe"}
    assert probes == {"docs-aws": "https://docs.dao.example", "docs-akash": "http://docs.dao.example"}


def test_at_the_apex_the_authorities_are_a_note() -> None:
    (workload,) = planned(settings("centralized", host="dao.example")).workloads
    assert workload.authorities == ()
    assert workload.notes[0].endswith("they must allow amazon.com and letsencrypt.org")


def test_the_bill_has_a_health_check_for_every_site() -> None:
    (workload,) = planned(settings("active-standby")).workloads
    assert sum("health check" in line.what for line in workload.bill) == 2
    assert workload.usd_month == round(sum(line.usd_month for line in workload.bill), 2)


def test_the_canonical_plan_does_not_depend_on_the_order_of_keys() -> None:
    made = settings("active-standby")
    turned = {key: made[key] for key in reversed(made)}
    assert planned(made).canonical() == planned(turned).canonical()
