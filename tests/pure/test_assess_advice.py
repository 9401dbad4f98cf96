"""The argument: three columns, benefit against homework, advice that looks at outcomes, and the page to vote on."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from components.assess import assessment, cost, courses, vote
from components.assess.effort import Duty
from components.assess.figure import Basis
from components.assess.inventory import Work
from components.assess.level import Grade
from components.assess.planned import Builds
from components.assess.recipes import ONCE, TEMPLATES
from components.assess.situation import Course
from components.assess.tariff import Coster, usage
from components.assess.weigh import Verdict
from components.config.models import Mode
from components.errors import ConfigError
from components.prices import book as prices

from .assess_samples import (
    BOT,
    DOCS,
    FORUM,
    LETTER,
    NODE,
    ON,
    PROJECT,
    VALIDATOR,
    advise,
    assess,
    example,
    inventory,
    planned,
)

BOOK = prices.read(prices.SHIPPED)
AT_GITBOOK = {
    **DOCS,
    "parties": {"registrar": "namecheap", "dns": "cloudflare", "edge": "gitbook", "compute": "gitbook"},
    "parts": [],
    "cost": {"stated": {"usd_month": 65, "source": "invoice 2026-10"}},
}
BEHIND = {**FORUM, "parties": {**FORUM["parties"], "dns": "cloudflare", "edge": "cloudflare"}}


# The example's findings


def test_both_highs_of_a_drill_count_for_staying_too():
    """Moving removes no High that a proved restore and a rehearsed exit do not remove."""
    whole = example()
    highs = [whole.grades(column)["availability"][Grade.HIGH] for column in ("before", "stay", "after")]
    assert highs[0] > highs[1]
    assert highs[1] == highs[2]


def test_the_benefit_is_the_plan_minus_homework():
    value = assess(one=FORUM).of("one").value
    middle, saved = value.hours_saved.inputs
    one = assess(one=FORUM).of("one")
    assert middle.value == pytest.approx(one.stay.downtime.middle, abs=1e-3)
    assert saved.value == pytest.approx(one.after.downtime.middle, abs=1e-3)
    assert value.saving_on_homework.value == pytest.approx(one.cost_stay.value - one.cost_after.value)
    assert value.independence.value == one.after.dependence.score.value - one.stay.dependence.score.value


def test_of_what_stays_the_plan_is_its_homework():
    for one in example().workloads:
        if not one.course.moves:
            assert one.after == one.stay
            assert one.cost_after == one.cost_stay
            assert one.migration.steps or one.workload.state == "keys"


def test_the_sums_of_the_plan_differ_from_homework_only_by_what_moves():
    whole = example()
    moved = sum(one.cost_after.value - one.cost_stay.value for one in whole.workloads if one.course.moves)
    shared = whole.shared.value - whole.shared_stay.value
    assert whole.cost_after.value - whole.cost_stay.value == pytest.approx(moved + shared)


# Advice


@pytest.mark.parametrize(
    ("workload", "verdict", "why"),
    [
        (AT_GITBOOK, Verdict.MOVE, ""),
        (BEHIND, Verdict.STAY, "moving raises the exposure to High"),
        ({**BOT, "secrets": [{"name": "faucet hot wallet", "class": "scoped"}]}, Verdict.STAY, "it holds faucet hot"),
        ({**BOT, "secrets": [{"name": "token", "class": "scoped"}]}, Verdict.STAY, "moving raises the exposure and"),
        ({**BOT, "work": "status", "parties": {"compute": "aws"}}, Verdict.STAY,
         "moving makes only the bill better"),
        ({**BOT, "cost": {"stated": {"usd_month": 0.5, "source": "invoice"}}}, Verdict.STAY,
         "moving makes nothing better"),
    ],
)  # fmt: skip
def test_advice_looks_at_what_it_advises(workload: dict[str, Any], verdict: Verdict, why: str):
    weighed = advise(one=workload).of("one").weighed
    assert weighed is not None
    assert weighed.verdict is verdict
    assert weighed.why.startswith(why)
    assert bool(weighed.change) is (verdict is Verdict.STAY)


def test_what_is_advised_against_stays_and_keeps_the_move_that_was_weighed():
    one = advise(one=BEHIND).of("one")
    assert not one.course.moves
    assert one.course.considered is not None
    assert str(one.course.considered) == "active-standby on AWS and Akash"
    assert one.weighed is not None
    assert one.weighed.trade == (
        "personal data, such as members' e-mail addresses, becomes readable to an operator that you do not know"
    )


def test_a_wish_stays_in_the_plan_and_its_trade_is_named():
    whole = advise(one={**FORUM, "plan": planned("active-standby")})
    assert whole.of("one").course.moves
    assert any("members' e-mail addresses" in text for text in vote.vote(whole).worse)


def test_no_move_in_the_advice_is_worse_on_the_scales_of_the_report():
    for one in (*example().workloads, *advise(a=AT_GITBOOK, b={**FORUM, "hosts": ["b.dao.example"]}, c=BOT).workloads):
        if one.course.moves:
            assert list(Grade).index(one.after.availability.grade) <= list(Grade).index(one.stay.availability.grade)
            assert one.weighed is not None
            assert one.weighed.better


@pytest.mark.parametrize("name", ["bots", "relay", "status"])
def test_what_a_service_could_run_stays_where_moving_is_no_better(name: str):
    one = example().of(name)
    assert not one.course.moves
    assert one.course.why
    assert "no kind" not in one.course.why


@pytest.mark.parametrize("name", ["forum", "explorer-api"])
def test_a_kind_that_does_not_exist_is_never_proposed_as_a_plan(name: str):
    one = example().of(name)
    assert not one.course.moves
    assert "this tool has no kind for it yet" in one.course.why
    assert one.weighed is not None


def test_a_wish_that_nothing_can_build_is_a_fault_with_its_path():
    what = inventory(
        one={**FORUM, "plan": planned("active-standby")}, two={**DOCS, "plan": planned("decentralized", "hetzner")}
    )
    with pytest.raises(ConfigError) as caught:
        courses.proposed(what, PROJECT)
    assert {fault.path: fault.message for fault in caught.value.faults} == {
        "workloads.one.plan.mode": "active-standby is refused: this tool has no kind for it yet (it would be forum); "
        "choose centralized",
        "workloads.two.plan.mode": "decentralized is refused: its kind static does not run on hetzner; it runs on "
        "akash, aws; choose centralized",
    }


def test_without_any_kind_nothing_moves():
    what = inventory(one=DOCS, two=BOT)
    assert [course.moves for course in courses.proposed(what, Builds()).values()] == [False, False]


# A vendor that no site is at is left


def test_a_vendor_that_cannot_be_a_half_is_left_and_its_bill_ends():
    one = assess(builds=PROJECT, one=AT_GITBOOK).of("one")
    assert "gitbook" not in {party.company for parties in one.after.situation.layers.values() for party in parties}
    assert one.cost_after.value < 65
    assert not any("today" in line.label for line in one.cost_after.inputs)
    last = one.migration.steps[-1]
    assert last.title == "Leave GitBook"
    assert "old addresses redirected" in last.does


def test_who_is_a_half_already_is_not_left():
    titles = [step.title for step in assess(one=DOCS).of("one").migration.steps]
    assert not any(title.startswith("Leave") for title in titles)


# Steps


@pytest.mark.parametrize("work", list(TEMPLATES))
def test_every_move_names_backups_dns_balancing_and_credentials(work: Work):
    duties = {template.duty for template in TEMPLATES[work]}
    assert duties >= {Duty.BACKUP, Duty.DNS, Duty.BALANCE, Duty.CREDENTIALS}
    assert all(template.verify and template.rollback and template.high > 0 for template in TEMPLATES[work]
               if template.more is None)  # fmt: skip


def test_the_block_once_for_the_dao_names_them_too_and_the_registry_lock():
    assert {step.duty for step in ONCE} >= {Duty.DNS, Duty.CREDENTIALS}
    assert "Registry lock" in [step.title for step in ONCE]
    (line,) = [line for line in assess(one=DOCS).shared.inputs if "registry lock" in line.label]
    assert line.value == 25


@pytest.mark.parametrize("work", ["indexer", "forum", "database-app", "docs", "bot"])
def test_data_is_in_its_new_place_before_a_name_changes(work: str):
    titles = [template.title for template in TEMPLATES[Work(work)]]
    duties = [template.duty for template in TEMPLATES[Work(work)]]
    assert duties.index(Duty.BACKUP) < duties.index(Duty.DNS)
    if work == "indexer":
        assert titles.index("Index the gap") < titles.index("Cut over")


def test_dumps_in_the_steps_are_those_of_the_bill():
    data = {**NODE, "work": "indexer", "data": {"gb": 100}, "size": {"cpu": 1, "memory_gib": 1, "disk_gib": 200}}
    one = assess(one={**data, "parties": {"compute": "aws"}}).of("one")
    (dump,) = [step for step in one.migration.steps if step.title == "Dump and restore"]
    assert dump.does.startswith("one full copy a month, as the bill has it")
    (traffic,) = [line for line in one.cost_after.inputs if line.label.startswith("traffic out of AWS")]
    assert traffic.value == pytest.approx(100 * 0.09)


@pytest.mark.parametrize(
    ("work", "verify"),
    [("mail", "one message goes out"), ("rpc", "the same block"), ("storage", "the same bytes"),
     ("governance", "a vote can be opened"), ("other", "does once what the first does")],
)  # fmt: skip
def test_the_check_of_an_export_fits_what_the_vendor_does(work: str, verify: str):
    (step,) = assess(one={**LETTER, "work": work}).of("one").migration.steps
    assert verify in step.verify


def test_a_gateway_needs_a_name_that_users_reach():
    assert not any("Gateway" in step.title for step in assess(one=NODE).of("one").migration.steps)
    named = assess(one={**NODE, "hosts": ["rpc.dao.example"]}).of("one")
    assert named.migration.steps[0].title == "Gateway in front of rpc.dao.example"


def test_nothing_that_signs_is_copied_or_rehearsed():
    one = assess(one=VALIDATOR).of("one")
    assert one.migration.steps == ()
    assert one.stay == one.before


def test_hours_and_weeks_add_up():
    whole = example()
    assert whole.timeline[0].name == "once for the DAO"
    for end in ("low", "high"):
        slots = sum(getattr(slot.hours, end).value for slot in whole.timeline)
        assert slots == pytest.approx(getattr(whole.work_moves, end).value + getattr(whole.work_rest, end).value)
    weeks = whole.timeline[-1].starts + whole.timeline[-1].weeks
    middle = whole.work_moves.middle + whole.work_rest.middle
    assert weeks == pytest.approx(middle / whole.inventory.dao.hours_week, abs=0.05)
    assert whole.value.effort == whole.work_moves


def test_a_second_authority_is_in_the_steps_only_where_the_plan_has_one():
    texts = " ".join(step.title + step.does for step in ONCE)
    assert "second authority" not in texts
    both = assess({"tools": {"dns": ["route53", "desec"]}}, one=DOCS).of("one")
    assert "dns" not in both.after.situation.alone
    assert "dns" in assess(one=DOCS).of("one").after.situation.alone


# Figures


def test_a_free_allowance_is_given_once_to_the_account():
    three = {f"w{n}": {**BOT, "cost": {}, "parts": [{"what": "egress", "gb": 100}]} for n in range(3)}
    whole = assess(**three)
    assert whole.cost_before.value == pytest.approx((300 - 100) * 0.09)
    assert [one.cost_before.value for one in whole.workloads] == pytest.approx([6, 6, 6])
    cdn = {f"w{n}": {**BOT, "cost": {}, "parts": [{"what": "cloudfront", "egress_gb": 1000}]} for n in range(3)}
    assert assess(**cdn).cost_before.value == pytest.approx((3000 - 1024) * 0.085)


def test_an_unknown_bill_is_unknown_and_in_no_total():
    unknown = {**BOT, "cost": {"unknown": "the treasurer"}}
    whole = assess(one=unknown, two={**DOCS, "plan": planned("centralized")})
    one = whole.of("one")
    assert one.cost_before.basis is Basis.UNKNOWN
    assert one.value.saving_month.basis is Basis.UNKNOWN
    assert one.value.payback_months is None
    for total in (whole.cost_before, whole.cost_stay, whole.cost_after):
        assert "one" not in {line.label for line in total.inputs}
    assert any("What Bot costs today is unknown" in text for text in whole.warnings)


def test_an_assumption_never_outranks_an_estimate():
    guess = {"stated": {"usd_month": 99, "source": "assumed: ask the treasurer"}}
    both = {**BOT, "cost": guess, "parts": [{"what": "ipv4"}]}
    one = assess(one=both).of("one")
    assert (one.cost_before.value, one.cost_before.basis) == (3.65, Basis.ESTIMATED)
    assert [(figure.value, figure.basis) for figure in one.cost_also_known] == [(99, Basis.ASSUMED)]
    alone = assess(one={**BOT, "cost": guess}).of("one").cost_before
    assert (alone.value, alone.basis, alone.label) == (99, Basis.ASSUMED, "today (assumed)")
    fixed = {"what": "fixed", "name": "server", "usd_month": 10, "source": "assumed: list price"}
    part = assess(one={**BOT, "cost": {}, "parts": [fixed, {"what": "ipv4"}]}).of("one").cost_before
    assert part.basis is Basis.ASSUMED


def test_stale_prices_name_the_figures_they_touch():
    whole = assess(one={**BOT, "cost": {}, "parts": [{"what": "lightsail", "plan": "2vcpu_4gb"}]})
    assert any("one (24.00 USD)" in text for text in whole.warnings)


def test_external_data_with_a_course_that_moves_is_no_crash():
    """The reading refuses it; a stack file may still name such a workload."""
    what = inventory(one={**LETTER, "data": {"gb": 0.1}})
    coster = Coster(BOOK, ON, usage(what.workloads.values()))
    figure = cost.costs_after(coster, "one", what.workloads["one"], Course(Mode.DECENTRALIZED, ("akash",)), what.dao)
    assert figure.value >= 0


def test_a_plan_that_stands_already_is_flipped_not_moved():
    """Hours and parties of a change between two plans are the plan's, not those of the vendor that was left."""
    course = Course(Mode.ACTIVE_STANDBY, ("akash",))
    dao = inventory(one=AT_GITBOOK).dao
    standing = dataclasses.replace(course, mode=Mode.CENTRALIZED, decentralized=()).plan(dao)
    flip = dataclasses.replace(course, planned=course.plan(dao), standing=standing)
    one = assessment.assess(inventory(one=AT_GITBOOK), {"one": flip}, BOOK, ON).of("one")
    assert {party.company for party in one.before.situation.layers["compute"]} == {"aws"}
    assert one.migration.hours.high.value < 2
    assert not any(step.title.startswith("Leave") for step in one.migration.steps)
