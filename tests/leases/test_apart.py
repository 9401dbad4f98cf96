"""Sites whose operators have to differ, when one of them is rented anew: over a simulated account."""

from __future__ import annotations

import pytest

from sandbox.akash.ledger import Reason

from .console import World
from .engine import DEPLOYMENT, MOST_CALLS, RunError, Stack
from .programs import SITES, Up, inputs, run

FIRST, SECOND = SITES


@pytest.fixture
def stack() -> Stack:
    """Return a stack of two sites, each at an operator of its own."""
    made = Stack(World(), "dao0")
    update(made)
    assert at(made) == {FIRST: "akash1pa", SECOND: "akash1pb"}
    return made


def update(stack: Stack) -> None:
    stack.up({name: inputs(name, Up()) for name in SITES})
    stack.world.sleep(60.0)


def at(stack: Stack) -> dict[str, str]:
    """Return the operator of each site."""
    held = [each for each in stack.state if DEPLOYMENT in each.urn]
    return {each.urn.rpartition("::")[2]: each.outputs["provider"] for each in held}


def ids(stack: Stack) -> dict[str, str]:
    return {each.urn.rpartition("::")[2]: each.id for each in stack.state if DEPLOYMENT in each.urn}


def lose(stack: Stack, name: str) -> None:
    """Let the operator of a site end its lease, and bid no more."""
    found = stack.world.ledger.get(ids(stack)[name])
    (lease,) = found.live()
    stack.world.ledger.abandon(found.dseq, lease, Reason.LEASE_CLOSED_REASON_UNSTABLE)
    stack.world.away = {lease.provider}
    stack.refresh()


def test_a_lost_lease_is_rented_anew_apart_from_a_site_that_has_the_lowest_bidder(stack: Stack) -> None:
    before = ids(stack)
    lose(stack, FIRST)
    update(stack)
    assert at(stack) == {FIRST: "akash1pc", SECOND: "akash1pb"}
    assert ids(stack)[SECOND] == before[SECOND], "the other site is left as it is"
    assert stack.world.violations == []


def test_where_nobody_else_bids_nothing_is_rented_and_both_stay_as_they_are(stack: Stack) -> None:
    before = ids(stack)
    lose(stack, FIRST)
    stack.world.away |= {"akash1pc", "akash1pd"}
    with pytest.raises(RunError, match="1 from the provider of a deployment to be apart from"):
        update(stack)
    assert ids(stack) == before
    stack.world.away = {"akash1pa"}
    update(stack)
    assert at(stack) == {FIRST: "akash1pc", SECOND: "akash1pb"}
    assert stack.world.violations == []


def test_while_names_are_not_shown_no_operator_of_the_account_is_rented_from(stack: Stack) -> None:
    lose(stack, FIRST)
    stack.world.placeholders = True
    update(stack)
    assert at(stack) == {FIRST: "akash1pc", SECOND: "akash1pb"}
    assert stack.world.violations == []


@pytest.mark.parametrize("call", range(1, 25, 2))
def test_a_run_that_the_market_failed_goes_on_apart(stack: Stack, call: int) -> None:
    """The state may hold a deployment without a lease then, which is updated and not created."""
    lose(stack, FIRST)
    stack.world.faults = dict.fromkeys(range(call, MOST_CALLS), "busy")
    with pytest.raises(RunError):
        update(stack)
    stack.world.faults = {}
    update(stack)
    assert at(stack) == {FIRST: "akash1pc", SECOND: "akash1pb"}
    assert stack.world.violations == []


def test_what_a_neighbour_leaves_counts_until_it_is_closed() -> None:
    """Found by a search: the record led to the old deployment still, and its operator was rented from."""
    dear = Up(sites=1, amount=11, avoid=True)
    history = run([dear, Up(sites=2, target=True)])
    assert history.world.violations == [], "\n".join(history.log)
