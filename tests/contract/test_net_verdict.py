"""When a health check is healthy, as tables."""

from __future__ import annotations

import pytest

from sandbox.net.verdict import Check, Opinion, check, verdicts

WELL, SICK = Opinion(healthy=True), Opinion(healthy=False)


def verdict(one: Check, *held: Opinion, **others: Check) -> bool:
    return verdicts({one.id: one, **others}, {one.id: held})[one.id]


@pytest.mark.parametrize(
    ("held", "healthy"),
    [((), True), ((WELL, WELL, WELL), True), ((WELL, SICK, SICK), True), ((SICK, SICK, SICK), False)],
)
def test_more_than_eighteen_percent_of_the_checkers_decide(held, healthy):
    assert healthy == verdict(Check("c", "HTTP"), *held)


def test_eighteen_percent_itself_is_not_enough():
    held = [WELL] * 9 + [SICK] * 41
    assert not verdict(Check("c", "HTTP"), *held)
    assert verdict(Check("c", "HTTP"), WELL, *held)


@pytest.mark.parametrize(
    ("results", "healthy"),
    [
        ("--", True),
        ("---", False),
        ("--+--", True),
        ("---++", False),
        ("---+++", True),
        ("---++-++", False),
    ],
)
def test_an_opinion_flips_both_ways_after_threshold_results_in_a_row(results, healthy):
    opinion = Opinion()
    for result in results:
        opinion = opinion.after(result == "+", "", threshold=3)
    assert healthy == opinion.healthy


@pytest.mark.parametrize(
    ("disabled", "inverted", "held", "healthy"),
    [
        (True, False, SICK, True),
        (True, True, SICK, False),
        (False, True, SICK, True),
        (False, True, WELL, False),
    ],
)
def test_disabled_is_healthy_and_inverted_turns_round(disabled, inverted, held, healthy):
    assert healthy == verdict(Check("c", "HTTP", disabled=disabled, inverted=inverted), held)


@pytest.mark.parametrize(("needed", "healthy"), [(0, True), (1, True), (2, False)])
def test_a_calculated_check_counts_its_healthy_children(needed, healthy):
    parent = Check("p", "CALCULATED", children=("a", "b", "gone"), needed=needed)
    checks = {"p": parent, "a": Check("a", "TCP"), "b": Check("b", "TCP", inverted=True)}
    assert healthy == verdicts(checks, {"a": [WELL], "b": [WELL]})["p"]


def test_calculated_checks_that_watch_each_other_come_to_an_end():
    checks = {one: Check(one, "CALCULATED", children=("a", "b"), needed=1) for one in ("a", "b")}
    assert {"a": False, "b": False} == verdicts(checks, {})


def test_what_the_api_leaves_out_has_route_53s_defaults():
    shape = {"Id": "c", "HealthCheckConfig": {"Type": "HTTP", "FullyQualifiedDomainName": "Docs.DAO.example."}}
    assert Check("c", "HTTP", host="docs.dao.example", port=80, path="/", interval=30, threshold=3) == check(shape)
