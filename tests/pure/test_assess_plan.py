"""One model of a workload: what `plan` prints and what `assess` reports of a stack file agree to the cent."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from components.assess import adapter, assessment, courses
from components.config import models as config
from components.plan.stack import topology
from components.prices import book as prices
from components.project import builtin
from components.review.review import review
from components.topology import Topology

from ..settings import SETTINGS
from .assess_samples import DOCS, ON, PROJECT, assess, inventory, planned

REGISTRY = builtin()
MODES = [
    ("centralized", "centralized", ["akash"]),
    ("active-standby", "centralized", ["akash"]),
    ("active-standby", "decentralized", ["akash"]),
    ("decentralized", "centralized", ["akash"]),
    ("decentralized", "centralized", ["akash", "akash"]),
]
AT_GITBOOK = {**DOCS, "parties": {"registrar": "namecheap", "dns": "cloudflare", "compute": "gitbook"}}


def settings(mode: str, active: str, decentralized: list[str], **options: Any) -> dict[str, Any]:
    made = copy.deepcopy(SETTINGS)
    docs = made["workloads"]["docs"]
    docs |= {"mode": mode, "active": active, "options": {"version": "0" * 64, **options}}
    docs["placement"]["decentralized"] = decentralized
    return made


def both(
    mode: str, active: str, decentralized: list[str], base: dict[str, Any] | None = None, **options: Any
) -> tuple[Topology, assessment.Assessed]:
    """Return a stack as it is planned, and its workload as it is assessed."""
    chosen = settings(mode, active, decentralized, **options)
    plan = topology(chosen, REGISTRY, None)
    stack, found = config.read(chosen)
    assert stack is not None, found
    what = inventory(docs=AT_GITBOOK)
    old = adapter.planned(topology(base, REGISTRY, None), REGISTRY) if base else None
    course, _ = courses.from_stack(what, stack, "prod", adapter.planned(plan, REGISTRY), old)
    return plan, assessment.assess(what, course, prices.book(), ON).of("docs")


@pytest.mark.parametrize("ingress", ["dedicated", "shared"])
@pytest.mark.parametrize(("mode", "active", "decentralized"), MODES)
def test_plan_and_assess_agree_to_the_cent_in_every_mode(
    mode: str, active: str, decentralized: list[str], ingress: str
):
    plan, assessed = both(mode, active, decentralized, ingress=ingress)
    assert round(assessed.cost_after.value, 2) == plan.workloads[0].usd_month
    assert [line.label for line in assessed.cost_after.inputs] == [line.what for line in plan.workloads[0].bill]
    assert [line.value for line in assessed.cost_after.inputs] == [line.usd_month for line in plan.workloads[0].bill]


@pytest.mark.parametrize(("mode", "active", "decentralized"), MODES)
def test_sites_and_parties_are_the_plan_s(mode: str, active: str, decentralized: list[str]):
    plan, assessed = both(mode, active, decentralized)
    layers = assessed.after.situation.layers
    assert [party.key for party in layers["compute"]] == [site.target for site in plan.workloads[0].sites]
    assert {party.key for party in layers["dns"]} == set(plan.zone.authorities)
    assert {party.company for party in layers["storage"]} if "storage" in layers else True
    assert not {"gitbook", "cloudflare"} & {party.company for parties in layers.values() for party in parties}


@pytest.mark.parametrize(("mode", "active", "decentralized"), MODES)
def test_a_base_is_what_stands_today(mode: str, active: str, decentralized: list[str]):
    """Compared with a base, nothing of the vendor that was left is in either column."""
    base = settings("centralized", "centralized", ["akash"])
    plan, assessed = both(mode, active, decentralized, base)
    standing = topology(base, REGISTRY, None).workloads[0]
    assert round(assessed.cost_before.value, 2) == standing.usd_month
    assert [party.key for party in assessed.before.situation.layers["compute"]] == ["aws"]
    assert assessed.course.moves is (plan.workloads[0].bill != standing.bill)


@pytest.mark.parametrize(
    ("wish", "mode"),
    [
        (planned("active-standby"), MODES[1]),
        (planned("decentralized"), MODES[3]),
        (planned("decentralized", "akash", "akash"), MODES[4]),
    ],
)
def test_a_proposal_without_a_stack_file_costs_what_its_plan_will_cost(wish: dict[str, Any], mode: Any):
    proposed = assess(builds=PROJECT, docs={**AT_GITBOOK, "plan": wish}).of("docs")
    assert round(proposed.cost_after.value, 2) == topology(settings(*mode), REGISTRY, None).workloads[0].usd_month


def test_rent_is_what_the_rented_targets_bill():
    plan, assessed = both(*MODES[4])
    rented = [line.usd_month for line in plan.workloads[0].bill if line.payee == "akash"]
    assert len(rented) == 2
    assert assessed.rent.value == pytest.approx(sum(rented))


def test_the_health_checks_of_the_plan_cost_what_the_price_book_computes():
    plan, _ = both(*MODES[1])
    checks = [line.usd_month for line in plan.workloads[0].bill if "health check" in line.what]
    assert checks == [prices.health_check(aws_endpoint=one).usd_month for one in (True, False)]


@pytest.mark.parametrize(("mode", "active", "decentralized"), MODES)
def test_a_workload_that_the_inventory_has_in_its_stack_stands_by_its_plan(
    mode: str, active: str, decentralized: list[str]
):
    """Nothing of the vendor that was left is in any column, and nothing moves any more."""
    chosen = settings(mode, active, decentralized)
    plan = topology(chosen, REGISTRY, None)
    stack, _ = config.read(chosen)
    assert stack is not None
    what = inventory(docs={**AT_GITBOOK, "stack": "docs", "data": {"gb": 0.3}})
    course, _ = courses.from_stack(what, stack, "prod", adapter.planned(plan, REGISTRY))
    one = assessment.assess(what, course, prices.book(), ON).of("docs")
    assert not one.course.moves
    for bill in (one.cost_before, one.cost_stay, one.cost_after):
        assert round(bill.value, 2) == plan.workloads[0].usd_month
    for view in (one.before, one.stay, one.after):
        parties = {party.company for layer in view.situation.layers.values() for party in layer}
        assert not {"gitbook", "cloudflare"} & parties


def test_without_its_stack_file_a_workload_that_stands_there_is_no_proposal():
    what = inventory(docs={**AT_GITBOOK, "stack": "docs"})
    course = courses.proposed(what, PROJECT)["docs"]
    assert not course.moves
    assert "--stack NAME" in course.why


@pytest.mark.parametrize(("mode", "active", "decentralized"), MODES)
def test_a_review_has_the_bill_of_plan_and_assess(mode: str, active: str, decentralized: list[str]):
    plan, assessed = both(mode, active, decentralized)
    found = review("prod", "main", (None, plan), REGISTRY)
    assert found.usd_month[1] == plan.workloads[0].usd_month == round(assessed.cost_after.value, 2)
