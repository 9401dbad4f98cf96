"""What `decide` names for one look at the market."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from components.errors import LeaseLost, MarketError, NoAcceptableBid, NobodyBid, NotReady
from components.targets.akash.market.bids import cheapest, none_will_do
from components.targets.akash.market.decide import (
    AwaitBids,
    AwaitNames,
    AwaitOpening,
    AwaitReady,
    AwaitSight,
    AwaitUpdate,
    CloseDeployment,
    Done,
    GiveUp,
    OpenDeployment,
    SendManifest,
    TakeBid,
    UpdateManifest,
    decide,
    learn,
)
from components.targets.akash.market.observed import (
    Bid,
    Deployment,
    Lease,
    Observed,
    Service,
    Since,
    Standing,
    pick,
    remember,
)

from .simulated_market import want

if TYPE_CHECKING:
    from components.targets.akash.market.steps import Step

OPEN = Deployment("7", "active", "aa", "owner", "docs.test-00")
LEASE = Lease("p", "active", Decimal(10))
UP = {"web": Service(1, 1, 1)}
IPS = {"web": ("203.0.113.9",)}


def seen(deployment: Deployment | None = OPEN, *, now: float = 100.0, **changed: Any) -> Observed:
    return Observed(now, deployment, **changed)


def bidding(*bids: Bid, listened: float = 0.0, waited: float = 0.0) -> Observed:
    since = Since("7", opened=100 - waited, first_bid=100 - listened if bids else None)
    return seen(bids=bids, since=since)


LIFE: list[tuple[str, Observed, Step]] = [
    ("nothing is there", seen(None), OpenDeployment("docs.test-00", Decimal(5))),
    ("it is closed", seen(replace(OPEN, state="closed")), OpenDeployment("docs.test-00", Decimal(5))),
    ("an opening has no answer", seen(None, since=Since(asked=85.0)), AwaitOpening("docs.test-00")),
    ("nor will it have one", seen(None, since=Since(asked=80.0)), OpenDeployment("docs.test-00", Decimal(5))),
    ("nobody bid yet", bidding(waited=119.9), AwaitBids("7", 0)),
    ("the cheapest has a chance", bidding(Bid("a", Decimal(1)), listened=3.9), AwaitBids("7", 1)),
    ("the window is over", bidding(Bid("a", Decimal(1)), listened=4.0), TakeBid("7", Bid("a", Decimal(1)))),
    ("a dear bid alone", bidding(Bid("a", Decimal(99)), listened=19.9), AwaitBids("7", 1)),
    ("an older manifest, no lease", seen(replace(OPEN, version="bb")), UpdateManifest("7")),
    ("a lease, no status", seen(lease=LEASE), SendManifest("7", "p")),
    (
        "it was sent just now",
        seen(lease=LEASE, since=Since(sent=80.1)),
        AwaitReady("7", "its provider shows no status yet"),
    ),
    ("it was sent long ago", seen(lease=LEASE, since=Since(sent=80.0)), SendManifest("7", "p")),
    ("it is refused", seen(lease=LEASE, since=Since(refused=92.1)), SendManifest("7", "p")),
    ("it stays refused", seen(lease=LEASE, since=Since(refused=92.0)), CloseDeployment("7", "p does not answer", "p")),
    ("another manifest", seen(replace(OPEN, version="bb"), lease=LEASE, services=UP), UpdateManifest("7")),
    ("no replica", seen(lease=LEASE, services={"web": Service(0, 1, 1)}), AwaitReady("7", "0 of 1 of web available")),
    (
        "an old replica",
        seen(lease=LEASE, services={"web": Service(1, 1, 0)}),
        AwaitReady("7", "1 of 1 of web available"),
    ),
    (
        "another service",
        seen(lease=LEASE, services={"db": Service(1, 1, 1)}),
        AwaitReady("7", "0 of 1 of web available"),
    ),
    ("no address", seen(lease=LEASE, services=UP), AwaitReady("7", "no address for web")),
    ("all is there", seen(lease=LEASE, services=UP, ips=IPS), Done("7", "p", Decimal(10))),
    (
        "it is being reclaimed",
        seen(lease=replace(LEASE, state="reclaiming"), services=UP, ips=IPS),
        Done("7", "p", Decimal(10)),
    ),
    ("its lease ended", seen(lease=replace(LEASE, state="closed")), CloseDeployment("7", "its lease is closed")),
    (
        "its lease ran out of money",
        seen(lease=replace(LEASE, state="insufficient_funds", reason="20000")),
        CloseDeployment("7", "its lease is insufficient_funds (20000)"),
    ),
    ("there are two", seen(lease=LEASE, spare=("6", "5")), CloseDeployment("6", "it is a second one of the same name")),
    (
        "a reclaimed lease takes no manifest",
        seen(replace(OPEN, version="bb"), lease=replace(LEASE, state="reclaiming"), services=UP),
        CloseDeployment("7", "p is taking it back, and takes no new manifest", "p"),
    ),
]


@pytest.mark.parametrize(("look", "step"), [case[1:] for case in LIFE], ids=[case[0] for case in LIFE])
def test_each_look_has_its_step(look: Observed, step: Step) -> None:
    assert decide(want(), look) == step


ENDS: list[tuple[str, Observed, type[MarketError], str, str]] = [
    ("nobody bid in time", bidding(waited=120.0), NobodyBid, "no provider bid on deployment 7", "7"),
    ("no bid will do", bidding(Bid("a", Decimal(99)), listened=20.0), NoAcceptableBid, "none of 1 bid on", "7"),
    (
        "it never gets ready",
        seen(lease=LEASE, services={"web": Service(0, 1, 1)}, since=Since(leased=-200.0)),
        NotReady,
        "akash: deployment 7 is not ready after 300 s at p: 0 of 1 of web available; correct the document",
        "",
    ),
    ("too many openings", seen(None, since=Since(openings=3)), MarketError, "3 deployments in a row", ""),
]


@pytest.mark.parametrize(("look", "error", "why", "close"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_each_end_gives_its_reason(look: Observed, error: type[MarketError], why: str, close: str) -> None:
    step = decide(want(), look)
    assert isinstance(step, GiveUp)
    assert (step.error, step.close) == (error, close)
    assert why in str(step)


@pytest.mark.parametrize(
    ("look", "why"),
    [
        (seen(None), "deployment 7 is closed"),
        (seen(lease=replace(LEASE, state="closed", reason="unstable")), "7 is lost: its lease is closed (unstable)"),
    ],
)
def test_a_pinned_deployment_is_never_closed_or_opened_again(look: Observed, why: str) -> None:
    step = decide(want(id="7"), look)
    assert step == GiveUp(
        LeaseLost, f"akash: deployment {why.removeprefix('deployment ')}; run `pulumi up --refresh`, which rents again"
    )


@pytest.mark.parametrize(("refused", "ends"), [(40.1, False), (40.0, True)])
def test_a_silent_provider_ends_an_update_and_loses_nothing(refused: float, ends: bool) -> None:
    """What runs there may serve; a new manifest has to wait."""
    step = decide(want(id="7"), seen(replace(OPEN, version="bb"), lease=LEASE, since=Since("7", refused=refused)))
    if ends:
        why = "akash: p does not answer, so deployment 7 takes no new manifest; what runs there is left as it is"
        assert step == GiveUp(MarketError, f"{why}, try again later")
    else:
        assert step == UpdateManifest("7")


HELD = Deployment("7", "unseen", "")


@pytest.mark.parametrize(
    ("since", "step"),
    [
        (Since("7", unseen=40.1), AwaitSight("7")),
        (Since("7", unseen=40.0), OpenDeployment("docs.test-00", Decimal(5))),
        (
            Since("7", unseen=40.0, openings=3),
            GiveUp(MarketError, "akash: 3 deployments in a row came to nothing; try again later"),
        ),
    ],
)
def test_what_was_opened_outweighs_a_read_that_does_not_show_it(since: Since, step: Step) -> None:
    assert decide(want(), seen(HELD, since=since)) == step


def test_a_pinned_deployment_that_is_not_shown_is_never_called_closed() -> None:
    step = decide(want(id="7"), seen(HELD, since=Since("7", unseen=0.0)))
    assert isinstance(step, GiveUp)
    assert (step.error, step.close) == (MarketError, "")


@pytest.mark.parametrize(
    ("since", "step"),
    [
        (Since(unnamed=80.1), AwaitNames(2)),
        (Since(unnamed=80.0), OpenDeployment("docs.test-00", Decimal(5))),
    ],
)
def test_names_that_are_not_known_may_be_ours_for_a_while(since: Since, step: Step) -> None:
    assert decide(want(), seen(None, unnamed=2, since=since)) == step


@pytest.mark.parametrize("lease", [None, LEASE])
def test_an_update_that_succeeded_and_changed_nothing_ends_with_both_hashes(lease: Lease | None) -> None:
    old = replace(OPEN, version="bb")
    assert decide(want(), seen(old, lease=lease, since=Since("7", put=70.1))) == AwaitUpdate("7")
    step = decide(want(), seen(old, lease=lease, since=Since("7", put=70.0)))
    assert isinstance(step, GiveUp)
    assert "its hash is bb instead of aa" in step.why
    assert step.close == ("" if lease else "7")


def test_a_hash_that_the_market_does_not_know_is_no_difference_once_the_manifest_was_put_there() -> None:
    unknown = replace(OPEN, version="")
    assert decide(want(), seen(unknown, lease=LEASE, services=UP, ips=IPS)) == UpdateManifest("7")
    assert isinstance(decide(want(), seen(unknown, lease=LEASE, services=UP, ips=IPS, since=Since("7", put=1.0))), Done)


def test_a_lease_over_the_ceiling_is_refused_wherever_it_is_read() -> None:
    step = decide(want(), seen(lease=replace(LEASE, price=Decimal("27.92")), services=UP, ips=IPS))
    assert isinstance(step, GiveUp)
    assert "leased for $12.00 a month, over the ceiling of $12.00 a month" in step.why


def test_what_a_killed_run_rented_from_a_provider_to_avoid_is_closed() -> None:
    step = decide(want(avoid=frozenset({"p"})), seen(lease=LEASE, services=UP, ips=IPS))
    assert step == CloseDeployment("7", "p is to be avoided", "p")


def test_what_a_killed_run_rented_where_a_deployment_to_be_apart_from_runs_is_closed() -> None:
    look = seen(lease=LEASE, services=UP, ips=IPS, neighbours=frozenset({"p"}))
    assert decide(want(), look) == CloseDeployment("7", "p is to be avoided", "p")
    assert isinstance(decide(want(id="7"), look), Done), "what the state holds is left to `diff`"


def test_a_pinned_deployment_whose_bids_expired_is_given_up_not_reopened() -> None:
    step = decide(want(id="7"), bidding(Bid("a", Decimal(1), "closed"), listened=20.0))
    assert isinstance(step, GiveUp)


def test_a_matched_order_is_not_taken_for_an_expired_one() -> None:
    """The list of leases may lag behind the list of bids."""
    assert decide(want(), bidding(Bid("a", Decimal(1), "active"))) == AwaitBids("7", 1)


@pytest.mark.parametrize(("waited", "ends"), [(119.9, False), (120.0, True)])
def test_a_deployment_whose_lease_is_not_shown_yet_is_not_closed(waited: float, ends: bool) -> None:
    """It costs, and may serve."""
    look = bidding(Bid("a", Decimal(1), "active"), Bid("b", Decimal(1), "lost"), listened=waited, waited=waited)
    step = decide(want(), look)
    if ends:
        assert isinstance(step, GiveUp)
        assert (step.error, step.close) == (MarketError, "")
    else:
        assert step == AwaitBids("7", 2)


def test_no_address_is_asked_for_where_none_is_leased() -> None:
    assert isinstance(decide(want(leased_ip=False), seen(lease=LEASE, services=UP)), Done)


@pytest.mark.parametrize(
    ("uris", "missing"),
    [
        ((), "its ingress does not lead a.example, b.example to web"),
        (("own.example", "a.example"), "its ingress does not lead b.example to web"),
        (("a.example", "b.example"), "its ingress has no name of its own for web"),
        (("own.example", "a.example", "b.example"), ""),
    ],
)
def test_a_lease_is_ready_once_the_ingress_leads_every_host_to_it(uris: tuple[str, ...], missing: str) -> None:
    asked = want(leased_ip=False, hosts=frozenset({"a.example", "b.example"}))
    step = decide(asked, seen(lease=LEASE, services=UP, uris={"web": uris}))
    assert step == (AwaitReady("7", missing) if missing else Done("7", "p", LEASE.price))


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (OpenDeployment("docs", Decimal(5)), "open deployment docs with $5.00 in escrow"),
        (TakeBid("7", Bid("p", Decimal("27.91"))), "take the bid of p on deployment 7: $12.00 a month"),
        (AwaitBids("7", 2), "wait for bids on deployment 7 (2 so far)"),
        (SendManifest("7", "p"), "send the manifest of deployment 7 to p"),
        (UpdateManifest("7"), "update the manifest of deployment 7"),
        (AwaitReady("7", "no address for web"), "wait for deployment 7: no address for web"),
        (CloseDeployment("7", "it is spare"), "close deployment 7: it is spare"),
        (AwaitOpening("x"), "wait whether deployment x was opened: the market took the order and did not answer"),
        (Done("7", "p", Decimal(10)), "deployment 7 runs at p for $4.30 a month"),
    ],
)
def test_a_step_prints_as_a_sentence(step: Step, sentence: str) -> None:
    assert str(step) == sentence


def test_every_refused_bid_is_counted_under_the_first_rule_that_refuses_it() -> None:
    bids = (
        Bid("avoided", Decimal(99)),
        Bid("dear", Decimal(50)),
        Bid("dearer", Decimal(60)),
        Bid("gone", Decimal(1), "lost"),
        Bid("coin", Decimal(1), denom="uakt"),
        Bid("old", Decimal(1)),
        Bid("dead", Decimal(1)),
        Bid("near", Decimal(1)),
        Bid("strange", Decimal(1)),
    )
    look = seen(
        bids=bids,
        taken=frozenset({"old"}),
        neighbours=frozenset({"near"}),
        strangers=frozenset({"strange", "near"}),
        since=Since(shunned=frozenset({"dead"})),
    )
    asked = want(avoid=frozenset({"avoided"}))
    assert cheapest(asked, look) is None
    assert none_will_do(asked, look, "7") == (
        "akash: none of 9 bids on deployment 7 will do: 2 over the ceiling of $12.00 a month (lowest $21.50), "
        "1 from a provider that did not answer, 1 from a provider where another deployment has its names, "
        "1 from the provider of a deployment without a known name, "
        "1 from the provider of a deployment to be apart from, 1 from a provider to avoid, "
        "1 not priced in uact, 1 no longer open"
    )


def test_a_bid_at_the_ceiling_will_do_and_of_equal_bids_always_the_same_is_taken() -> None:
    asked = want()
    bids = (Bid("b", asked.ceiling), Bid("a", asked.ceiling))
    assert cheapest(asked, seen(bids=bids)) == cheapest(asked, seen(bids=bids[::-1])) == Bid("a", asked.ceiling)


def test_sites_stand_apart_by_organization_and_by_region_where_that_can_be_had() -> None:
    near = Bid("a", Decimal(1), organization="one", region="eu")
    far = Bid("b", Decimal(9), organization="two", region="us")
    same = Bid("c", Decimal(2), organization="two", region="eu")
    look = seen(bids=(near, far, same), organizations=frozenset({"one"}), regions=frozenset({"eu"}))
    assert cheapest(want(), look) == far
    assert cheapest(want(), replace(look, bids=(near, same))) == same
    assert cheapest(want(), replace(look, bids=(near,))) is None
    assert "1 from the organization of a provider to avoid" in none_will_do(want(), replace(look, bids=(near,)), "7")
    assert cheapest(want(), replace(look, bids=(Bid("d", Decimal(3)), far))) == Bid("d", Decimal(3))


def test_ours_is_the_leased_one_then_the_newest_and_the_rest_is_spare() -> None:
    def standing(
        id: str, state: str = "", provider: str = "p", group: str = "docs", deployment: str = "active"
    ) -> Standing:
        lease = Lease(provider, state, Decimal(1)) if state else None
        return Standing(Deployment(id, deployment, "aa", "o", group), lease)

    found = [
        standing("9", "closed"),
        standing("8"),
        standing("7", "active"),
        standing("6", "active", "avoided"),
        standing("5", "reclaiming", "tired"),
        standing("4", group="other"),
        standing("3", deployment="closed"),
    ]
    assert pick("docs", "", (), found) == ("7", ("6", "5", "8", "9"))
    assert pick("docs", "", ("7", "6"), found) == ("5", ("8", "9"))
    assert pick("docs", "", (), []) == ("", ())


def test_what_is_held_is_ours_for_any_answer_of_the_list() -> None:
    newer = Standing(Deployment("9", "active", "aa", "o", "docs"), Lease("p", "active", Decimal(1)))
    assert pick("docs", "7", (), []) == ("7", ())
    assert pick("docs", "7", (), [newer]) == ("7", ("9",))


def test_a_new_deployment_starts_with_an_empty_memory_but_what_concerns_the_run() -> None:
    before = Since("6", asked=1.0, opened=1.0, sent=2.0, openings=2, shunned=frozenset({"x"}))
    after = remember(before, seen()).since
    assert after == Since("7", opened=100.0, openings=2, shunned=frozenset({"x"}))
    assert remember(before, seen(None)).since == Since(asked=1.0, openings=2, shunned=frozenset({"x"}))


def test_the_first_times_are_remembered_and_a_status_ends_a_refusal() -> None:
    first = remember(Since(), seen(bids=(Bid("a", Decimal(1)),), lease=LEASE)).since
    assert (first.first_bid, first.leased) == (100.0, 100.0)
    later = remember(replace(first, refused=101.0), seen(now=105.0, lease=LEASE, services=UP)).since
    assert (later.first_bid, later.leased, later.refused) == (100.0, 100.0, None)


@pytest.mark.parametrize(
    ("step", "took", "after"),
    [
        (OpenDeployment("x", Decimal(5)), True, Since(openings=1, put=9.0)),
        (OpenDeployment("x", Decimal(5)), None, Since(asked=9.0, openings=1)),
        (OpenDeployment("x", Decimal(5)), False, Since()),
        (TakeBid("7", Bid("p", Decimal(1))), True, Since(sent=9.0)),
        (TakeBid("7", Bid("p", Decimal(1))), None, Since()),
        (SendManifest("7", "p"), True, Since(put=9.0, sent=9.0)),
        (UpdateManifest("7"), True, Since(put=9.0, sent=9.0)),
        (SendManifest("7", "p"), None, Since(refused=9.0)),
        (CloseDeployment("7", "why", "p"), True, Since(shunned=frozenset({"p"}))),
        (CloseDeployment("7", "why"), True, Since()),
    ],
)
def test_a_step_leaves_its_mark(step: Step, took: bool | None, after: Since) -> None:
    assert learn(Since(), step, 9.0, took=took) == after


def test_a_second_refusal_keeps_the_time_of_the_first() -> None:
    assert learn(Since(refused=3.0), UpdateManifest("7"), 9.0, took=None) == Since(refused=3.0)
