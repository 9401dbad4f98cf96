"""When a name leads to its standby and when back: never closer than the rule, and never by a guess."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from components.dns.powerdns.judge import BOTH, DOWN, HOLD_S, PROBE_S, SILENT_S, UP, Health, Standing
from components.limits import KEEPER_PROBE_S


def run(seconds, first=None):
    """Return one probe of each member a second; gives (second, leads) of every switch, and the last state."""
    standing, primary, standby = first or Standing(), Health(), Health()
    switches = []
    for now, (a, b) in enumerate(seconds):
        primary, standby = primary.after(ok=a), standby.after(ok=b)
        after = standing.next(primary, standby, float(now))
        if after != standing:
            switches.append((now, after.leads))
        standing = after
    return switches, standing


def test_nothing_known_and_both_dead_lead_to_the_primary():
    assert Standing().next(Health(), Health(), 0.0).leads == 0
    assert Standing().next(Health(up=False), Health(), 0.0).leads == 0
    assert run([(False, False)] * 100) == ([], Standing())


def test_a_proven_death_leads_to_the_standby_at_the_third_failure():
    assert run([(True, True)] * 5 + [(False, True)] * 10)[0] == [(5 + DOWN - 1, 1)]


def test_a_name_with_a_ttl_of_5_s_follows_in_10_s_where_the_primary_lets_probes_hang():
    begun = [PROBE_S * number for number in range(1, DOWN + 1)]  # the last answer came right after a probe's start
    assert max(begun) + KEEPER_PROBE_S <= SILENT_S
    assert SILENT_S + 5 < 10


def test_a_death_right_after_the_way_back_is_not_held():
    back = [(True, True)] * int(HOLD_S + UP)
    switches, _ = run([(True, True)] + [(False, True)] * DOWN + back + [(False, True)] * DOWN)
    assert [leads for _, leads in switches] == [1, 0, 1]


def test_the_way_back_takes_twenty_successes_and_a_minute():
    quick, _ = run([(True, True)] + [(False, True)] * 3 + [(True, True)] * 200)
    assert quick == [(3, 1), (3 + int(HOLD_S), 0)]
    late, _ = run([(True, True)] + [(False, True)] * 100 + [(True, True)] * 200)
    assert late == [(3, 1), (100 + UP, 0)]


def test_both_dead_goes_back_to_the_primary_but_not_before_the_hold():
    switches, _ = run([(True, True)] + [(False, True)] * 3 + [(False, False)] * 200)
    assert switches == [(3, 1), (3 + int(HOLD_S), 0)]


def test_a_balanced_name_is_led_away_from_the_dead_one_of_either_and_back_to_both():
    balanced = Standing(BOTH, home=BOTH)
    assert run([(True, True)] * 50, balanced)[0] == []
    assert run([(False, False)] * 50, balanced)[0] == []
    for dead, alive in ((0, 1), (1, 0)):
        lost = [tuple(place != dead for place in (0, 1))] * DOWN
        switches, _ = run([(True, True)] + lost + [(True, True)] * 200, balanced)
        assert switches == [(DOWN, alive), (DOWN + int(HOLD_S), BOTH)]


def test_a_balanced_name_that_loses_one_after_the_other_is_led_to_the_living_one_at_once():
    seconds = [(True, True)] + [(False, True)] * 30 + [(True, False)] * 30
    switches, _ = run(seconds, Standing(BOTH, home=BOTH))
    assert switches == [(DOWN, 1), (30 + UP, 0)]


PROBES = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=400)


@given(PROBES)
def test_no_way_back_is_within_a_minute_of_another_switch_and_each_switch_has_its_proof(seconds):
    switches, _ = run(seconds)
    for (before, _), (now, leads) in itertools.pairwise(switches):
        assert leads == 1 or now - before >= HOLD_S
    for now, leads in switches:
        if leads == 1:
            assert seconds[now - DOWN + 1 : now + 1] == [(False, each[1]) for each in seconds[now - DOWN + 1 : now + 1]]
            assert any(each[1] for each in seconds[: now + 1]), "the standby was seen alive"


@given(st.integers(1, UP - 1))
def test_nineteen_successes_are_no_return(successes):
    down = Health(up=False, row=-DOWN)
    for _ in range(successes):
        down = down.after(ok=True)
    assert down.up is False
    assert down.after(ok=False).row == -1
