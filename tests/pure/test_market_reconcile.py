"""`reconcile` over a simulated market: killed anywhere and run again, it ends with one deployment open."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import LeaseLost, MarketError, NoAcceptableBid, NotReady, Refused
from components.targets.akash.market.decide import (
    CloseDeployment,
    OpenDeployment,
    SendManifest,
    TakeBid,
    UpdateManifest,
)
from components.targets.akash.market.observed import Bid, Lease, Observed, Service
from components.targets.akash.market.reconcile import WallClock, reconcile
from components.targets.akash.market.request import Patience

from .simulated_market import CEILING, Killed, Rented, SimulatedClock, SimulatedMarket, World, want

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.targets.akash.market.request import Request
    from components.targets.akash.market.steps import Step

AVOID = frozenset({"cheaper-but-avoided"})
FAULTS = ("fail", "lost", "late", "void", "kill-before", "kill-after", "kill-late")
EVENTS = ("lease-closed", "silent", "escrow-empty", "bids-expire")


def run(
    world: World, asked: Request, script: Iterator[str] | None = None
) -> tuple[Observed, SimulatedMarket, list[str]]:
    """Run one process to its end."""
    market, told = SimulatedMarket(world, script or iter(())), []

    def watch(step: Step, _: Observed) -> None:
        told.append(str(step))

    return reconcile(asked, market, SimulatedClock(world), watch), market, told


def kinds(market: SimulatedMarket) -> list[type[Step]]:
    return [type(step) for step in market.performed]


def test_the_whole_way_is_open_take_and_done() -> None:
    world = World()
    seen, market, told = run(world, want(avoid=AVOID))
    assert kinds(market) == [OpenDeployment, TakeBid]
    assert seen.lease == Lease("cheap", "active", Decimal(10))
    assert told[0] == "open deployment docs.test-00 with $5.00 in escrow"
    assert told[-1] == "deployment 7 runs at cheap for $4.30 a month"


def test_a_second_run_does_nothing() -> None:
    world = World()
    run(world, want())
    _, market, _ = run(world, want())
    assert market.performed == []


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(["", "", *FAULTS, *EVENTS]), max_size=40))
def test_every_interleaving_of_faults_and_kills_ends_with_one_deployment(script: list[str]) -> None:
    """The faults end at some point; it proves nothing about a market that fails for ever."""
    world, asked, left = World(), want(avoid=AVOID), list(script)
    faults = iter(lambda: left.pop(0) if left else "", None)
    seen = None
    for _ in range(2 * len(script) + 5):
        try:
            seen, _, _ = run(world, asked, faults)
        except (Killed, MarketError):
            world.pass_time(3.0)
        else:
            if not left:
                break
    world.pass_time(60.0)  # everything still in progress has arrived
    assert seen is not None
    assert [each.id for each in world.open_ones()] == [seen.deployment.id]
    assert seen.lease is not None
    assert seen.lease.provider not in AVOID
    assert world.leases_at_once == 1
    assert max(world.paid) <= CEILING


@pytest.mark.parametrize("at", range(14))
@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_at_any_call_changes_neither_the_end_nor_what_is_paid(fault: str, at: int) -> None:
    world, script = World(), iter([""] * at + [fault])
    try:
        run(world, want(), script)
    except Killed:
        world.pass_time(15.0)
        run(world, want())
    assert len(world.open_ones()) == 1
    assert len(world.paid) == 1


def test_an_opening_without_an_answer_is_waited_for_and_not_repeated() -> None:
    world = World()
    _, market, told = run(world, want(), iter(["", "late"]))
    assert len(world.books) == 1
    assert OpenDeployment not in kinds(market)
    assert "wait whether deployment docs.test-00 was opened: the market took the order and did not answer" in told


def test_an_opening_that_never_happened_is_repeated() -> None:
    world = World()
    run(world, want(), iter(["", "void"]))
    assert len(world.books) == 1


def test_a_lost_lease_is_closed_and_rented_again() -> None:
    world = World()
    run(world, want())
    world.event("lease-closed")
    seen, market, told = run(world, want())
    assert kinds(market) == [CloseDeployment, OpenDeployment, TakeBid]
    assert told[0] == "close deployment 7: its lease is closed (unstable)"
    assert seen.deployment.id == "8"


def test_a_silent_provider_is_asked_again_then_left_and_shunned() -> None:
    world = World(offers=((1.0, Bid("quiet", Decimal(1))), (1.0, Bid("good", Decimal(2)))))
    run(world, want())
    world.silent.add("quiet")
    seen, market, told = run(world, want())
    assert kinds(market)[-3:] == [CloseDeployment, OpenDeployment, TakeBid]
    assert set(kinds(market)[:-3]) == {SendManifest}
    assert "close deployment 7: quiet does not answer" in told
    assert seen.lease.provider == "good"


def test_a_deployment_that_was_never_leased_is_resumed() -> None:
    world = World()
    world.open("docs.test-00", "aa")
    _, market, _ = run(world, want())
    assert kinds(market) == [TakeBid]


def test_a_leftover_with_an_older_manifest_is_updated_before_it_is_leased() -> None:
    world = World()
    world.open("docs.test-00", "old")
    _, market, _ = run(world, want())
    assert kinds(market) == [UpdateManifest, TakeBid]


def test_a_second_one_of_the_same_name_is_closed_and_the_leased_one_kept() -> None:
    world = World()
    run(world, want())
    world.open("docs.test-00", "aa")
    seen, market, _ = run(world, want())
    assert kinds(market) == [CloseDeployment]
    assert [each.id for each in world.open_ones()] == [seen.deployment.id] == ["7"]


def test_a_replacement_leaves_what_runs_at_a_provider_to_avoid_alone() -> None:
    """Pulumi deletes the old one afterwards."""
    world = World()
    run(world, want())
    assert world.find("7").lease.provider == "cheaper-but-avoided"
    seen, market, _ = run(world, want(avoid=AVOID, keep=frozenset({"7"})))
    assert kinds(market) == [OpenDeployment, TakeBid]
    assert seen.lease.provider == "cheap"
    assert {each.id for each in world.open_ones()} == {"7", "8"}


def test_an_update_puts_the_manifest_on_the_pinned_deployment() -> None:
    world = World()
    run(world, want())
    seen, market, _ = run(world, want(version="bb", id="7"))
    assert kinds(market) == [UpdateManifest]
    assert seen.deployment.version == "bb"


def test_a_pinned_deployment_that_is_closed_is_lost_and_nothing_is_opened() -> None:
    world = World()
    run(world, want())
    world.event("escrow-empty")
    with pytest.raises(LeaseLost, match="deployment 7 is closed; run `pulumi up --refresh`, which rents again"):
        run(world, want(id="7"))
    assert world.open_ones() == []


def test_when_no_bid_will_do_the_deployment_is_closed_and_the_rules_are_named() -> None:
    world = World(offers=((1.0, Bid("a", Decimal("33.03"))), (1.0, Bid("b", Decimal(1)))))
    with pytest.raises(NoAcceptableBid) as caught:
        run(world, want(avoid=frozenset("b")))
    assert str(caught.value) == (
        "akash: none of 2 bids on deployment 7 will do: 1 over the ceiling of $12.00 a month (lowest $14.20), "
        "1 from a provider to avoid. Deployment 7 is closed again; try later, or raise the ceiling."
    )
    assert world.open_ones() == []


def test_without_a_bid_the_sentence_shows_it() -> None:
    world = World(offers=())
    with pytest.raises(NoAcceptableBid, match=r"no provider bid on deployment 7, with a ceiling of \$12.00 a month"):
        run(world, want())
    assert world.now >= 1000 + Patience().bidding
    assert world.open_ones() == []


def test_giving_up_closes_even_when_the_answer_is_lost() -> None:
    world = World(offers=())
    market = SimulatedMarket(world, _close_fails(world, 2))
    with pytest.raises(NoAcceptableBid, match="closed again"):
        reconcile(want(), market, SimulatedClock(world), lambda *_: None)
    assert world.open_ones() == []


def test_giving_up_reports_a_deployment_that_could_not_be_closed() -> None:
    world = World(offers=())
    market = SimulatedMarket(world, _close_fails(world, 99))
    with pytest.raises(NoAcceptableBid, match="Deployment 7 is still open"):
        reconcile(want(), market, SimulatedClock(world), lambda *_: None)
    assert len(world.open_ones()) == 1


def _close_fails(world: World, times: int) -> Iterator[str]:
    while world.now < 1000 + Patience().bidding:
        yield ""
    yield ""
    yield from ["fail"] * times


def test_a_market_that_fails_for_ever_is_not_asked_for_ever() -> None:
    world = World()
    with pytest.raises(MarketError, match="did not answer"):
        run(world, want(), iter(["fail"] * 50))
    assert world.now == 1000 + 1 + 2 + 4 + 8


def test_a_few_failures_now_and_then_are_borne() -> None:
    run(World(), want(), iter(["fail", "fail", "", "", "", "fail", "fail", "", "", "", "fail", "fail"] * 2))


def test_a_run_ends_when_its_time_is_over_and_names_its_last_step() -> None:
    world = World(offers=())
    with pytest.raises(MarketError, match="out of time after 20 s; the last step was: wait for bids on deployment 7"):
        reconcile(want(), SimulatedMarket(world, iter(())), SimulatedClock(world), lambda *_: None, limit_s=20)


def test_a_run_whose_lease_does_not_come_up_in_its_time_is_one_whose_log_explains_it() -> None:
    class Ill(SimulatedMarket):
        def _status(self, rented):
            services, ips = super()._status(rented)
            return services and {"web": Service(0, 1, 1)}, ips

    world = World()
    with pytest.raises(NotReady, match=r"out of time after 60 s; the last step was: .*0 of 1 of web available"):
        reconcile(want(), Ill(world, iter(())), SimulatedClock(world), lambda *_: None, limit_s=60)


def test_a_run_that_is_cancelled_ends_and_the_next_goes_on() -> None:
    world = World()
    clock = SimulatedClock(world, 1003.0, MarketError("akash: interrupted"))
    with pytest.raises(MarketError, match="interrupted"):
        reconcile(want(), SimulatedMarket(world, iter(())), clock, lambda *_: None)
    run(world, want())
    assert len(world.books) == 1


def test_a_refusal_ends_the_run_at_once() -> None:
    class Poor(SimulatedMarket):
        def perform(self, *_: object) -> None:
            raise Refused("akash: no money")

    with pytest.raises(Refused, match="no money"):
        reconcile(want(), Poor(World(), iter(())), SimulatedClock(World()), lambda *_: None)


def test_three_openings_that_come_to_nothing_are_enough() -> None:
    world = World()

    class Doomed(SimulatedMarket):
        def observe(self, want: Request) -> Observed:
            world.event("escrow-empty")
            return super().observe(want)

    with pytest.raises(MarketError, match="3 deployments in a row came to nothing"):
        reconcile(want(), Doomed(world, iter(())), SimulatedClock(world), lambda *_: None)
    assert len(world.books) == 3


def test_expired_bids_are_not_waited_for() -> None:
    world = World()
    world.books.append(Rented("7", "docs.test-00", "aa", world.now - 400))
    seen, market, told = run(world, want())
    assert kinds(market) == [CloseDeployment, OpenDeployment, TakeBid]
    assert told[0] == "close deployment 7: its bids have expired, and no provider bids twice on one order"
    assert seen.deployment.id == "8"


def test_the_wall_clock_goes_on_and_stops_waiting_when_cancelled() -> None:
    cancelled = threading.Event()
    clock = WallClock(cancelled)
    before = clock.now()
    clock.sleep(0.0)
    assert clock.now() >= before
    cancelled.set()
    with pytest.raises(MarketError, match="interrupted; the next `pulumi up` goes on from here"):
        clock.sleep(60)
