"""Lease programs: the real resources, rail and client over a simulated account, with faults at any call.

It proves nothing about the real Console beyond the behaviour that `console.py` copies with its sources.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from .programs import Op, Up, programs, run

#: Programs for each number of stacks: 3,000 in all where CI is set.
EXAMPLES = 1500 if os.environ.get("CI") else 150


@pytest.mark.parametrize("stacks", [1, 2])
@pytest.mark.timeout(1200)
def test_nothing_that_serves_is_closed_nothing_is_paid_twice_and_nothing_is_forgotten(stacks: int) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(programs(stacks))
    def holds(program: list[Op]) -> None:
        history = run(program, stacks)
        assert history.world.violations == [], "\n".join(history.log)

    holds()


@pytest.mark.parametrize("call", range(1, 13))
def test_a_forced_replacement_takes_over_nothing_that_a_read_does_not_show_for_a_moment(call: int) -> None:
    """Found by a search: a record led to the deployment, whose own page was missing when it was asked for."""
    history = run([Up(), Up(replace=True, faults=((call, "missing"),))])
    assert history.world.violations == [], "\n".join(history.log)
