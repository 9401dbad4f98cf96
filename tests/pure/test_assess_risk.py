"""Risk, downtime and residual parties: deterministic, by the same rules for every target, with reasons and cures."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from components.assess import downtime as hours
from components.assess import history
from components.assess.assessment import View
from components.assess.level import GRADES, MATRIX, Grade, Level, likelihood, risk
from components.assess.situation import Course, planned
from components.config.models import Mode, Side

from .assess_samples import BOT, DOCS, EVERYTHING, FORUM, ON, VALIDATOR, assess, inventory
from .assess_samples import planned as wish


def views(workload: dict[str, Any], dao: dict[str, Any] | None = None) -> tuple[View, View]:
    one = assess(dao, one=workload).of("one")
    return one.before, one.after


def because(rating: Any) -> str:
    return "\n".join(f"{one.points:+g} {one.because}" for one in rating.reasons + rating.impact_reasons)


def test_the_matrix_is_nists():
    """SP 800-30 table I-2, spot-checked in its corners and its middle; monotone everywhere."""
    assert risk(Level.VERY_HIGH, Level.VERY_HIGH) is Level.VERY_HIGH
    assert risk(Level.MODERATE, Level.VERY_HIGH) is Level.HIGH
    assert risk(Level.LOW, Level.VERY_HIGH) is Level.MODERATE
    assert risk(Level.VERY_LOW, Level.VERY_HIGH) is Level.LOW
    assert risk(Level.VERY_HIGH, Level.VERY_LOW) is Level.VERY_LOW
    for row in MATRIX.values():
        assert [one.rank for one in row] == sorted(one.rank for one in row)
    for column in range(5):
        ranks = [MATRIX[level][column].rank for level in Level]
        assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("points", "level"),
    [(0, Level.VERY_LOW), (15, Level.LOW), (30, Level.MODERATE), (50, Level.HIGH), (75, Level.VERY_HIGH)],
)
def test_points_become_levels_at_the_bounds(points: float, level: Level):
    assert likelihood(points) is level
    assert likelihood(points - 0.1).rank <= level.rank


def test_a_level_is_never_raised_beyond_the_scale():
    assert Level.VERY_HIGH.raised(2) is Level.VERY_HIGH
    assert Level.LOW.raised() is Level.MODERATE
    assert Level.VERY_LOW.raised(-1) is Level.VERY_LOW


def test_the_same_input_gives_the_same_rating():
    assert views(FORUM) == views(FORUM)


def test_a_forum_that_was_never_restored_is_at_high_risk_and_a_standby_lowers_it():
    before, after = views({**FORUM, "importance": "high"})
    assert (before.availability.grade, after.availability.grade) == (Grade.HIGH, Grade.MEDIUM)
    assert "no restore was ever proved" in because(before.availability)
    assert "a restore drill at least every 180 days" in before.availability.lowers()


def test_personal_data_at_an_unknown_host_is_rated_higher_than_at_a_company():
    before, after = views(FORUM)
    assert (before.exposure.grade, after.exposure.grade) == (Grade.LOW, Grade.HIGH)
    assert "+15 personal data lies with an operator that you do not know" in because(after.exposure)


def test_public_docs_are_exposed_to_nothing_worse_than_low():
    assert [view.exposure.grade for view in views(DOCS)] == [Grade.LOW, Grade.LOW]


def test_custody_secrets_make_exposure_as_bad_as_it_gets():
    before, _ = views(VALIDATOR)
    assert before.exposure.impact is Level.VERY_HIGH
    assert "+40 its environment holds custody of funds, names or accounts: BLS key" in because(before.exposure)


@pytest.mark.parametrize(
    ("kind", "points"), [("custody", 40), ("scoped", 12), ("sealed", 6), ("enclave", 2)]
)  # fmt: skip
def test_each_class_of_secret_has_its_points(kind: str, points: int):
    with_secret, _ = views({**BOT, "secrets": [{"name": "x", "class": kind}]})
    without, _ = views(BOT)
    assert with_secret.exposure.points - without.exposure.points == points


def test_the_same_secret_in_two_places_is_two_risks():
    _, after = views(FORUM)
    assert "+5 the same secrets stand in 2 places" in because(after.exposure)


def test_scoped_secrets_next_to_public_data_are_at_least_a_moderate_loss():
    before, _ = views({**BOT, "secrets": [{"name": "token", "class": "scoped"}]})
    assert before.exposure.impact is Level.MODERATE


def test_secret_data_is_the_gravest():
    before, after = views({**FORUM, "data": {"gb": 1, "confidentiality": "secret"}})
    assert before.exposure.impact is Level.VERY_HIGH
    assert "+30 secret data lies with an operator that you do not know" in because(after.exposure)


def test_one_registry_for_images_is_a_reason_of_its_own():
    before, _ = views({**BOT, "parties": {"compute": "aws", "images": "docker-hub"}})
    assert "+4 images come from one registry" in because(before.exposure)


def test_ones_own_hands_are_no_party():
    before, _ = views({**BOT, "parties": {"compute": "own", "edge": "own"}})
    assert before.dependence.residuals == ()
    assert because(before.exposure).startswith("+0 its data is public")
    assert before.downtime.high.value == pytest.approx(8.8)


@pytest.mark.parametrize(
    ("parties", "reason"),
    [
        ({"compute": "hetzner"}, "+20 Hetzner gave 0 days of notice in a past case"),
        ({"compute": "aws"}, "+15 AWS gave 1 day of notice in a past case"),
        ({"compute": "storj"}, "+8 Storj gave 30 days of notice in a past case"),
        (
            {"compute": "forge"},
            "+5 no case of notice is on record for the companies that stand alone, which proves little",
        ),
    ],
)
def test_the_shortest_notice_on_record_counts(parties: dict[str, str], reason: str):
    before, _ = views({**BOT, "parties": parties})
    assert reason in because(before.availability)


def test_notice_in_a_contract_counts_like_a_case():
    what = inventory(one={**BOT, "parties": {"compute": "forge"}}).model_dump(mode="json", by_alias=True)
    what["vendors"] = {"forge": {"name": "Forge", "company": "forge-inc", "notice_days": 5, "substitutability": 2}}
    from components.assess import assessment, courses
    from components.assess.inventory import Inventory
    from components.prices import book as prices

    read = Inventory.model_validate(what)
    one = assessment.assess(read, courses.proposed(read, EVERYTHING), prices.read(prices.SHIPPED), ON).of("one")
    assert "+15 Forge Inc gave 5 days of notice" in because(one.before.availability)
    assert "+15 Forge is hard to replace: 2 of 10" in because(one.before.availability)


@pytest.mark.parametrize(
    ("parties", "reason"),
    [
        ({"compute": "forge"}, "+6 1 company alone can stop it: Forge"),
        ({"compute": "forge", "dns": "desec"}, "+12 2 companies can each alone stop it: Desec, Forge"),
        ({"compute": "forge", "ci": "github-actions"}, "+6 1 company alone can stop it: Forge"),
    ],
)
def test_each_company_that_alone_can_stop_it_counts_once(parties: dict[str, str], reason: str):
    before, _ = views({**BOT, "parties": parties})
    assert reason in because(before.availability)


@pytest.mark.parametrize(
    ("parties", "points"),
    [
        ({"compute": "forge"}, 20),  # 1.8 to 8.8 hours: our prior
        ({"compute": "aws"}, 12),  # 2.1 to 5.0 hours: counted
        ({"compute": ["aws", "hetzner"], "dns": "desec"}, 5),  # the names alone: up to 0.9 hours, and a little
        ({"compute": ["aws", "hetzner"]}, 0),
    ],
)
def test_expected_hours_count_by_their_bounds(parties: dict[str, Any], points: int):
    before, _ = views({**DOCS, "parties": parties})
    said = [one.points for one in before.availability.reasons if "hours without it are expected" in one.because]
    assert said == ([points] if points else [])


def test_a_company_that_runs_it_can_read_its_memory():
    before, _ = views(BOT)
    assert "+8 forge can read memory, under a contract" in because(before.exposure)


@pytest.mark.parametrize(
    ("party", "reason"),
    [
        ("firebase", "+15 Firebase and Firestore is hard to replace: 2 of 10"),
        ("gitbook", "+8 GitBook is hard to replace: 4 of 10"),
        ("nobody-knows", "+8 nobody-knows is hard to replace: 5 of 10 (nothing is known about it: assumed)"),
    ],
)
def test_what_is_hard_to_replace_is_riskier(party: str, reason: str):
    before, _ = views({**BOT, "parties": {"compute": party}})
    assert reason in because(before.availability)


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        (None, "+10 leaving was never rehearsed"),
        (date(2024, 1, 1), "+10 leaving was last rehearsed 1056 days ago"),
        (date(2026, 11, 1), "-10 leaving was rehearsed 21 days ago"),
    ],
)
def test_a_rehearsal_helps_while_it_is_fresh(when: date | None, reason: str):
    before, _ = views({**DOCS, "exit_rehearsed": when})
    assert reason in because(before.availability)


@pytest.mark.parametrize(
    ("proved", "copies", "raised", "reason"),
    [
        (None, [], True, "no restore was ever proved"),
        (date(2026, 1, 1), ["aws", "storj"], True, "the last proved restore is 325 days old"),
        (date(2026, 11, 1), ["aws"], True, "fewer than two companies hold a copy of the data"),
        (date(2026, 11, 1), ["aws", "storj"], False, ""),
    ],
)
def test_data_that_may_be_lost_raises_the_impact_by_a_level(
    proved: date | None, copies: list[str], raised: bool, reason: str
):
    before, _ = views({**FORUM, "data": {"gb": 20, "restore_proved": proved, "copies": copies}})
    assert before.availability.impact is (Level.VERY_HIGH if raised else Level.HIGH)
    assert reason in because(before.availability)


@pytest.mark.parametrize(("days", "points"), [(10, 20), (13, 20), (14, 8), (20, 8), (29, 8), (30, 0), (60, 0)])
def test_a_short_runway_counts_only_on_a_network(days: int, points: int):
    moved = {**DOCS, "plan": wish("decentralized", "akash")}
    before, after = views(moved, {"runway_days": days})
    said = because(after.availability)
    assert (f"+{points} rent is paid for {days} days only" in said) is bool(points)
    assert "rent is paid" not in because(before.availability)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        (
            ["akash", "akash"],
            "+15 every site is on akash, one network that can move or stop (Akash leaves its own chain)",
        ),
        (["flux"], "+15 every site is on flux, one network that can move or stop (one team's front door)"),
        (["akash", "flux"], "+3 one side is on akash and flux, which can move or stop"),
    ],
)
def test_the_other_side_is_rated_by_the_same_rules(targets: list[str], reason: str):
    _, after = views({**DOCS, "plan": wish("decentralized", *targets)})
    assert reason in because(after.availability)


def test_every_network_risk_names_its_evidence_source_and_cure():
    found = history.network_risks()
    assert {one.network for one in found} == {"akash", "flux"}
    assert all(one.evidence and one.source and one.lowers for one in found)
    graded = {one.id: one.grade for one in found}
    assert (graded["chain-upgrade"], graded["chain-move"], graded["block-list"]) == (
        Grade.LOW,
        Grade.MEDIUM,
        Grade.MEDIUM,
    )
    assert GRADES[Level.VERY_HIGH] is Grade.HIGH


def test_the_outage_seeds_are_those_of_the_counted_events():
    """us-east-1: 5 events in 6.9 years, 9.8 hours each; Cloudflare's edge: 4, 2.5 hours each."""
    aws, cloudflare = history.outages("aws", "AWS"), history.outages("cloudflare", "Cloudflare")
    assert (round(aws.events_year.value, 2), round(aws.hours_each.low.value, 1)) == (0.73, 9.8)
    assert (round(cloudflare.events_year.value, 2), round(cloudflare.hours_each.low.value, 1)) == (0.58, 2.5)
    span = aws.hours_year()
    assert (round(span.low.value, 1), round(span.high.value, 1)) == (2.1, 5.0)
    assert not history.outages("", "Somebody").counted


def test_a_failover_costs_no_more_than_the_time_to_be_elsewhere():
    """Sum of rate x min(length, switch) x share, both sides at once, and the names: recomputed here by hand."""
    _, after = views(DOCS)
    rate = 5 / ((date(2026, 11, 22) - date(2020, 1, 1)).days / 365.25)
    aws = [rate * 9.834 * 0.3, rate * 9.834 * 0.7]
    low = rate * 90 / 3600 * 0.3 + aws[0] * 43.8 / 8766
    high = rate * 150 / 3600 * 0.7 + aws[1] * 87.6 / 8766 + 0.9
    assert after.downtime.low.value == pytest.approx(low, rel=1e-3)
    assert after.downtime.high.value == pytest.approx(high, rel=1e-3)


def test_a_lone_lease_is_down_until_it_is_rented_again():
    _, after = views(BOT)
    assert (after.downtime.low.value, after.downtime.high.value) == pytest.approx((12 * 0.1, 12 * 1.0))


def test_turning_the_active_side_makes_the_lease_the_primary():
    what = inventory(one=FORUM)
    one = what.workloads["one"]
    rated = {
        side: hours.downtime(one, planned(one, Course(Mode.ACTIVE_STANDBY, ("akash",), side), what.dao, {}, ON))
        for side in Side
    }
    assert rated[Side.DECENTRALIZED].high.value > rated[Side.CENTRALIZED].high.value


def test_two_machines_of_one_company_and_one_of_another_are_two_sides():
    before, _ = views({**BOT, "parties": {"compute": ["aws", "cloudfront", "hetzner"]}})
    assert before.dependence.residuals == ()
    assert before.downtime.high.value < 1
