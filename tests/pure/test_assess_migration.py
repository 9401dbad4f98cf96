"""Plans, hours, order and value: refused where they must be, honest where they cost more."""

from __future__ import annotations

from typing import Any

import pytest

from components.assess import courses, effort, migration, recipes, recommend
from components.assess.inventory import Work
from components.assess.residual import Dependence
from components.assess.value import reputation
from components.config import models as config
from components.config.models import Mode, Side
from components.errors import ConfigError

from ..settings import SETTINGS
from .assess_samples import BOT, DOCS, EVERYTHING, FORUM, LETTER, NODE, VALIDATOR, assess, inventory, planned

STATUS = {**BOT, "work": "status"}


@pytest.mark.parametrize(
    ("workload", "mode", "targets"),
    [
        (DOCS, Mode.ACTIVE_STANDBY, ("akash",)),
        (FORUM, Mode.ACTIVE_STANDBY, ("akash",)),
        (BOT, Mode.DECENTRALIZED, ("akash",)),
        (STATUS, Mode.DECENTRALIZED, ("flux",)),
        ({**NODE, "size": {"cpu": 1, "memory_gib": 1, "disk_gib": 100}}, Mode.ACTIVE_STANDBY, ("akash",)),
        (NODE, Mode.CENTRALIZED, ()),
        (VALIDATOR, Mode.CENTRALIZED, ()),
        (LETTER, Mode.CENTRALIZED, ()),
        ({**DOCS, "blockers": ["a database"]}, Mode.CENTRALIZED, ()),
    ],
)
def test_each_state_has_its_advice(workload: dict[str, Any], mode: Mode, targets: tuple[str, ...]):
    course = recommend.recommend(inventory(one=workload).workloads["one"])
    assert (course.mode, course.decentralized) == (mode, targets)
    assert course.why


@pytest.mark.parametrize("workload", [VALIDATOR, {**BOT, "work": "validator"}, NODE])
def test_validators_and_large_nodes_are_refused_not_warned(workload: dict[str, Any]):
    one = inventory(one=workload).workloads["one"]
    assert recommend.refusal(one)
    with pytest.raises(ConfigError) as caught:
        courses.proposed(inventory(one={**workload, "plan": planned("active-standby")}), EVERYTHING)
    (fault,) = caught.value.faults
    assert fault.path == "workloads.one.plan.mode"
    assert "active-standby is refused" in fault.message


def test_a_wish_beats_advice_and_names_its_owner():
    course = courses.proposed(
        inventory(one={**DOCS, "plan": planned("decentralized", "akash", "flux", why="we vote so")}), EVERYTHING
    )["one"]
    assert (course.mode, course.decentralized, course.why) == (Mode.DECENTRALIZED, ("akash", "flux"), "we vote so")
    assert course.origin == "inventory workloads.one.plan"
    assert str(course) == "decentralized on Akash and Flux"


def test_a_wish_to_stay_stays():
    course = courses.proposed(inventory(one={**DOCS, "plan": planned("centralized")}), EVERYTHING)["one"]
    assert (course.moves, course.decentralized, str(course)) == (False, (), "stays where it is")


def stack(**workloads: dict[str, Any]) -> config.StackConfig:
    base = SETTINGS["workloads"]["docs"]
    read, found = config.read({**SETTINGS, "workloads": {name: {**base, **one} for name, one in workloads.items()}})
    assert read is not None, found
    return read


def test_a_stack_is_the_plan_and_what_it_does_not_name_stays():
    what = inventory(docs=DOCS, forum=FORUM)
    found, only = courses.from_stack(
        what,
        stack(docs={"mode": "active-standby", "active": "decentralized"}, site={"host": "site.dao.example"}),
        "prod",
    )
    assert found["docs"].mode is Mode.ACTIVE_STANDBY
    assert (found["docs"].active, found["docs"].decentralized) == (Side.DECENTRALIZED, ("akash",))
    assert (found["forum"].moves, found["forum"].why) == (False, "it does not stand in the stack prod")
    assert only == ("site",)


def test_a_decentralized_stack_uses_every_target_and_a_centralized_one_none():
    both = {"placement": {"centralized": "aws", "decentralized": ["akash", "akash"]}}
    what = inventory(docs=DOCS)
    assert courses.from_stack(what, stack(docs={"mode": "decentralized", **both}), "x")[0]["docs"].decentralized == (
        "akash",
        "akash",
    )
    assert courses.from_stack(what, stack(docs={"mode": "active-standby", **both}), "x")[0]["docs"].decentralized == (
        "akash",
    )
    assert courses.from_stack(what, stack(docs={"mode": "centralized", **both}), "x")[0]["docs"].decentralized == ()


def test_a_plan_for_a_workload_that_is_not_in_the_stack_is_a_sentence():
    what = inventory(pages={**DOCS, "stack": "dosc"}, keys={**VALIDATOR, "stack": "docs"})
    with pytest.raises(ConfigError) as caught:
        courses.from_stack(what, stack(docs={"mode": "active-standby"}), "prod")
    assert {fault.path: fault.message for fault in caught.value.faults} == {
        "workloads.pages.stack": "the stack 'prod' has no workload 'dosc'; did you mean docs?",
        "workloads.keys": "the stack 'prod' has active-standby, which is refused: "
        "a standby with the same keys signs twice, and signing twice burns stake",
    }


@pytest.mark.parametrize(
    ("workload", "low", "high"),
    [
        (DOCS, 8, 12),
        ({**DOCS, "drivers": {"custom_blocks": 1135, "pages": 796}}, 32, 72),
        (
            {**DOCS, "drivers": {"custom_blocks": 1135, "imported": {"low_hours": 3, "high_hours": 7.5, "places": 40}}},
            11,
            19.5,
        ),
        ({**FORUM, "data": {"gb": 0}}, 54, 62),
        ({**FORUM, "data": {"gb": 0}, "drivers": {"plugins": 6}}, 57, 71),
        (STATUS, 6, 8),
        (BOT, 6, 12),
        (LETTER, 3, 6),
        (NODE, 2, 4),
        ({**NODE, "hosts": ["rpc.dao.example"]}, 14, 24),
        (VALIDATOR, 0, 0),
    ],
)
def test_hours_are_the_seeds_and_grow_with_their_drivers(workload: dict[str, Any], low: float, high: float):
    """The forum's sum, 54 to 62, is the reference's own; leaving a vendor adds 2 to 4, a gateway needs a name."""
    way = assess(one=workload).of("one").migration
    assert (way.hours.low.value, way.hours.high.value) == pytest.approx((low, high))


def test_every_step_has_its_check_and_the_way_back():
    assert set(recipes.TEMPLATES) == set(Work) - {
        Work.MAIL, Work.NODE, Work.VALIDATOR, Work.RPC, Work.STORAGE, Work.GOVERNANCE, Work.TREASURY, Work.WIKI,
    }  # fmt: skip
    for templates in recipes.TEMPLATES.values():
        for template in templates:
            assert template.does
            assert template.verify
            assert template.rollback


def test_a_single_plugin_is_one_plugin():
    way = assess(one={**FORUM, "drivers": {"plugins": 1}}).of("one").migration
    assert way.steps[0].driver == "1 plugin"


def test_copying_takes_the_time_the_line_takes():
    assert effort.copy_hours(450, 100) == pytest.approx(10)
    way = assess(
        {"uplink_mbit": 100}, one={**FORUM, "data": {"gb": 450}, "size": {"cpu": 1, "memory_gib": 1, "disk_gib": 450}}
    ).of("one")
    assert way.migration.waiting.value == pytest.approx(24 + 10)
    assert any("450 GB of data" in step.driver for step in way.migration.steps)


def test_prerequisites_name_what_is_there_and_nothing_else():
    docs = assess(one=DOCS).of("one").migration.prerequisites
    assert docs == (
        "escrow funded for 60 days, with an alarm at 14",
        "the zone of docs.dao.example at the DNS authority of the plan, TTL 60 two days before",
    )
    custody = {**BOT, "secrets": [{"name": "hot wallet", "class": "custody"}], "after": ["two"], "data": {"gb": 1}}
    bot = assess(one=custody, two=DOCS).of("one").migration.prerequisites
    assert any(text.startswith("a schedule that runs `pulumi up --refresh`") for text in bot)
    assert "hot wallet out of its environment: custody secrets never go to a lease" in bot
    assert "two has moved" in bot
    stays = assess(one={**DOCS, "blockers": ["Firestore"]}).of("one").migration
    assert (stays.prerequisites, stays.measure, stays.waiting.value) == (("Firestore",), (), 0)


def test_what_is_measured_fits_the_plan():
    assert (
        "seconds from breaking the primary to the first answer from the standby"
        in assess(one=DOCS).of("one").migration.measure
    )
    assert (
        "minutes from losing the lease to the first answer from the next one"
        in assess(one=BOT).of("one").migration.measure
    )
    two = {**DOCS, "plan": planned("decentralized", "akash", "akash")}
    assert (
        "seconds from breaking the primary to the first answer from the standby"
        in assess(one=two).of("one").migration.measure
    )


def test_moves_go_in_the_order_of_their_risk_and_wait_for_what_they_need():
    whole = assess(forum=FORUM, bot=BOT, docs={**DOCS, "after": ["bot"]}, status=STATUS, keys=VALIDATOR)
    assert whole.order == ("status", "bot", "docs", "forum")
    starts = [slot.starts for slot in whole.timeline]
    assert starts == sorted(starts)
    assert [slot.name for slot in whole.timeline] == ["once for the DAO", "status", "bot", "docs", "forum"]
    assert whole.timeline[1].starts == pytest.approx(migration.once().middle / 16, abs=0.01)


def test_payback_is_effort_over_saving_and_never_where_nothing_is_saved():
    dear = {**BOT, "cost": {"stated": {"usd_month": 100, "source": "invoice"}}}
    value = assess({"rate_usd_hour": 50}, one=dear).of("one").value
    saving = 100 - 0.89
    assert value.saving_month.value == pytest.approx(saving)
    assert value.saving_year.value == pytest.approx(12 * saving)
    assert value.payback_months is not None
    assert value.payback_months.value == pytest.approx(9 * 50 / saving, abs=0.05)
    assert assess(one=DOCS).of("one").value.payback_months is None
    assert assess(one=VALIDATOR).of("one").value.payback_months is None


def test_hours_saved_are_worth_what_was_stated_and_nothing_where_nothing_was():
    value = assess(one={**FORUM, "usd_hour_down": 10}).of("one").value
    assert value.loss_avoided is not None
    assert value.loss_avoided.value == pytest.approx(10 * value.hours_saved.value, abs=0.01)
    assert assess(one=FORUM).of("one").value.loss_avoided is None


def test_only_what_is_true_may_be_published():
    one = assess(one={**FORUM, "parties": {"compute": "gcp", "dns": "cloudflare"}}).of("one")
    today, after = reputation("Forum", one.before.dependence, one.after.dependence)
    assert today == "Today each of 2 companies alone can stop “Forum”: Cloudflare and Google."
    assert after == (
        "After the plan AWS alone can stop “Forum”. Cloudflare and Google no longer can. New among them: AWS."
    )
    same = reputation("Forum", one.after.dependence, one.after.dependence)
    assert same == ("Today AWS alone can stop “Forum”.", "After the plan the same is true.")
    free = Dependence((), one.after.dependence.score)
    assert reputation("X", one.after.dependence, free)[1] == (
        "After the plan no single company can stop “X”. AWS no longer can."
    )
    assert reputation("X", free, free)[0] == "Today no single company can stop “X”."


def test_notes_say_what_an_outage_can_lose():
    none = assess(one={**FORUM, "data": {"gb": 1}}).of("one").notes
    assert none[0] == "The inventory knows of no backup."
    one = assess(one=FORUM).of("one").notes
    assert one[0] == "A backup every 168 hours, kept with one company: so much can an outage lose."
    nowhere = assess(one={**FORUM, "data": {"gb": 1, "backup_hours": 24}}).of("one").notes
    assert nowhere[0] == "A backup every 24 hours, kept nowhere else: so much can an outage lose."
    enough = assess(one={**FORUM, "data": {"gb": 1, "backup_hours": 1, "copies": ["aws", "storj"]}}).of("one").notes
    assert enough == ()
    assert one[1] == "Personal data will lie with an operator that you do not know: the privacy notice must name that."
