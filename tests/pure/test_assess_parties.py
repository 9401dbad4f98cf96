"""Who a workload stands on, before and after: single points of failure, and what homework changes."""

from __future__ import annotations

from typing import Any

import pytest

from components.assess.assessment import View
from components.assess.layers import LAYERS
from components.assess.level import Grade, Level, nearly
from components.assess.situation import Course, planned, today
from components.assess.views import uptime
from components.config.models import Mode

from .assess_samples import BOT, DOCS, FORUM, LETTER, NODE, ON, VALIDATOR, assess, inventory
from .assess_samples import planned as wish


def views(workload: dict[str, Any], dao: dict[str, Any] | None = None) -> tuple[View, View]:
    one = assess(dao, one=workload).of("one")
    return one.before, one.after


def because(rating: Any) -> str:
    return "\n".join(f"{one.points:+g} {one.because}" for one in rating.reasons + rating.impact_reasons)


def test_who_alone_can_stop_it_is_named_layer_by_layer_before_and_after():
    before, after = views(DOCS)
    assert [(one.layer.key, one.party.company) for one in before.dependence.residuals] == [
        ("registrar", "namecheap"),
        ("dns", "aws"),
        ("edge", "aws"),
        ("compute", "aws"),
    ]
    assert [(one.layer.key, one.party.key) for one in after.dependence.residuals] == [
        ("registrar", "namecheap"),
        ("dns", "route53"),
        ("images", "docker-hub"),
        ("rental", "akash-console"),
        ("state", "aws"),
    ]
    assert (before.dependence.stoppers(), after.dependence.stoppers()) == (("namecheap", "aws"), ("namecheap", "aws"))
    assert (before.dependence.score.value, after.dependence.score.value) == (0, round(100 * 7 / 16))


def test_our_own_tools_are_on_the_list():
    _, after = views(DOCS)
    ours = {one.layer.key for one in after.dependence.residuals if one.layer.ours}
    assert ours == {"rental", "state"}
    assert {key for key, layer in LAYERS.items() if layer.ours} == {"certificates", "rental", "state"}


def test_own_keys_take_the_console_off_the_list():
    _, after = views(DOCS, {"tools": {"rental": "own"}})
    assert "rental" not in {one.layer.key for one in after.dependence.residuals}


def test_a_database_and_its_files_get_a_second_home():
    _, after = views({**FORUM, "parties": {**FORUM["parties"], "storage": "aws"}})
    lone = {one.layer.key for one in after.dependence.residuals}
    assert not lone & {"compute", "database", "storage"}


def test_moving_wholly_leaves_the_old_company_behind():
    _, after = views({**FORUM, "plan": wish("decentralized", "akash", "akash")})
    companies = {party.company for parties in after.situation.layers.values() for party in parties}
    assert companies & {"aws"} == {"aws"}  # Route 53, the state and a store are still theirs
    assert {party.company for party in after.situation.layers["database"]} == {"Akash operator 1", "Akash operator 2"}


def test_flux_ends_tls_for_everyone():
    _, after = views({**DOCS, "plan": wish("active-standby", "flux")})
    assert [party.key for party in after.situation.layers["edge"]] == ["cloudfront", "flux-fdm"]
    _, whole = views({**DOCS, "plan": wish("decentralized", "flux")})
    assert [party.key for party in whole.situation.layers["edge"]] == ["flux-fdm"]


def test_what_is_not_on_a_network_is_itself():
    what = inventory(one=DOCS)
    one = what.workloads["one"]
    moved = planned(one, Course(Mode.DECENTRALIZED, ("hetzner",)), what.dao, {}, ON)
    assert [host.company for host in moved.hosts] == ["hetzner"]
    assert moved.networks() == frozenset()
    assert today(one, {}).networks() == frozenset()


def test_what_signs_is_rated_alike_before_and_after():
    before, after = views(VALIDATOR)
    assert before == after


@pytest.mark.parametrize("workload", [NODE, LETTER, FORUM])
def test_homework_alone_lowers_the_points_of_what_stays(workload: dict[str, Any]):
    one = assess(one={**workload, "plan": wish("centralized")}).of("one")
    assert one.after == one.stay
    assert one.stay.availability.points == one.before.availability.points - 20
    assert one.stay.exposure == one.before.exposure
    assert one.stay.downtime == one.before.downtime


def test_a_restore_drill_counts_for_staying_as_for_moving():
    """The forum's impact falls by a level once a restore is proved, with a move and without."""
    one = assess(one=FORUM).of("one")
    assert one.before.availability.impact.rank == one.stay.availability.impact.rank + 1
    assert one.stay.availability.impact is one.after.availability.impact


@pytest.mark.parametrize(
    ("points", "impact", "near"),
    [
        (29, Level.HIGH, (30, Grade.MEDIUM)),
        (30, Level.HIGH, (30, Grade.LOW)),
        (26.9, Level.HIGH, None),
        (29, Level.LOW, None),  # on both sides of the bound the grade is Low
    ],
)
def test_a_bound_that_decides_a_grade_is_shown(points: float, impact: Level, near: tuple[float, Grade] | None):
    assert nearly(points, impact) == near


def test_a_hot_wallet_of_any_class_is_custody():
    before, _ = views({**BOT, "secrets": [{"name": "faucet hot wallet", "class": "scoped"}]})
    assert "+40 its environment holds custody of funds, names or accounts: faucet hot wallet" in because(
        before.exposure
    )
    assert before.exposure.impact is Level.VERY_HIGH


def test_uptime_is_the_rest_of_the_year():
    before, _ = views(BOT)
    assert before.uptime == (uptime(before.downtime.high.value), uptime(before.downtime.low.value))
    assert (uptime(0), uptime(8.766), uptime(10_000)) == (100, 99.9, 0)
