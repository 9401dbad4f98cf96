"""The page for the vote: motion, deposit, who decides, and whether the market takes it."""

from __future__ import annotations

from typing import Any

from components.assess import market, vote

from .assess_samples import (
    BOT,
    DOCS,
    EVERYTHING,
    FORUM,
    LETTER,
    NODE,
    VALIDATOR,
    advise,
    assess,
    example,
    inventory,
)

# The page for the vote


def test_the_motion_has_money_deposit_work_and_the_way_back():
    whole = example()
    page = vote.vote(whole, vote.Known("ab" * 32))
    moving = [one.workload.title for one in whole.workloads if one.course.moves]
    assert moving
    assert all(title in page.motion for title in moving)
    assert f"moves {len(moving)} of 13 workloads" in page.motion
    assert f"The treasury deposits {page.deposit.value:,.0f} USD for rent." in page.motion
    assert "ab" * 32 in page.motion
    assert page.undo in page.motion


def test_the_deposit_is_the_dearest_rent_for_the_days_of_runway():
    whole = example()
    rent = sum(one.rent.value + one.rent_more.value for one in whole.workloads)
    assert vote.vote(whole).deposit.value - 1 < rent * 60 / (365.25 / 12) <= vote.vote(whole).deposit.value
    assert vote.vote(assess(one=VALIDATOR)).deposit.value == 0


def test_the_market_is_answered_by_the_book_or_by_screening():
    whole = example()
    page = vote.vote(whole)
    assert len(page.market.fits) + len(page.market.not_fitting) == 13
    assert set(page.market.not_fitting) == {"staking", "rpc", "archive", "validators", "newsletter"}
    assert page.market.first == whole.order[0]
    asked = vote.vote(whole, vote.Known(screened={"docs": 0, "landing": 7}))
    assert "docs" in asked.market.not_fitting
    assert "landing" in asked.market.fits
    assert "were asked" in asked.market.source


def test_who_decides_is_the_stack_s_signers_where_it_has_them():
    whole = example()
    assert vote.vote(whole, vote.Known(quorum=(2, 3))).decides[0].startswith("2 of 3 signers of the stack approve")
    assert vote.vote(whole).decides[0].startswith("3 of 5 signers agree to a change, by the DAO's own rule")


def test_a_dao_that_moves_nothing_is_asked_for_homework_only():
    page = vote.vote(advise(one=VALIDATOR, two=LETTER))
    assert "moves no workload now" in page.motion
    assert page.better == page.worse == ()
    assert page.deposit.value == 0
    assert "Nothing of the plan is paid in a token" in page.token


def test_everything_that_can_be_built_covers_every_mode():
    """The samples' installation has all kinds; otherwise the tests above would prove less."""
    assert set(EVERYTHING.kinds) >= {"static", "service", "forum", "postgres", "indexer"}


# Asking the market


def test_equal_sizes_are_asked_for_once_and_what_never_moves_is_not():
    asked: list[dict[str, Any]] = []

    def ask(question: Any) -> int:
        asked.append(question)
        return 3

    what = inventory(a=DOCS, b={**DOCS, "hosts": ["b.dao.example"]}, keys=VALIDATOR, letter=LETTER, node=NODE, bot=BOT)
    assert market.screened(what, ask) == {"a": 3, "b": 3, "bot": 3}
    assert len(asked) == 2


def test_the_question_has_whole_amounts_and_what_a_stateful_workload_needs():
    question = market.body(inventory(one=FORUM).workloads["one"])
    assert question is not None
    (unit,) = question["resources"]
    resource = unit["resource"]
    assert resource["cpu"]["units"]["val"] == "3250"
    assert resource["memory"]["quantity"]["val"] == str(int(6.5 * 2**30))
    assert resource["storage"][1]["attributes"] == [
        {"key": "class", "value": "beta3"},
        {"key": "persistent", "value": "true"},
    ]
    assert resource["endpoints"] == [{"kind": "LEASED_IP", "sequence_number": 1}]
    assert question["timezone"] == "UTC"
