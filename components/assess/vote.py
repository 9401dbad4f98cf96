"""The page for a vote: the motion, the money, what gets better and worse, who decides, how to undo it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figure import Basis, Figure, given
from .history import company_name
from .recommend import recommend
from .rounding import between

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .assessment import Assessed, Assessment

_DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Known:
    """What is known for the page beyond the inventory.

    `plan_hash` is that of the stack file, and `quorum` the rule of its signers (needed, of how many), where one is
    given. `screened` has the number of providers that would bid, by workload, if the market was asked.
    """

    plan_hash: str = ""
    quorum: tuple[int, int] | None = None
    screened: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """What fits the market: how many could be asked, how many fit, the source, and who would move first."""

    fits: tuple[str, ...]
    not_fitting: Mapping[str, str]
    first: str
    source: str


@dataclass(frozen=True, slots=True)
class Vote:
    """The page for the vote, as sentences and figures."""

    motion: str
    market: Market
    #: USD that the treasury deposits for the leases of the plan, and the sentence about it
    deposit: Figure
    deposit_means: str
    better: tuple[str, ...]
    worse: tuple[str, ...]
    decides: tuple[str, ...]
    undo: str
    token: str
    plan: str


def vote(assessment: Assessment, known: Known | None = None) -> Vote:
    """Return the page for the vote. If the market was not asked, the dated book decides by size and state."""
    known = known or Known()
    moving = [one for one in assessment.workloads if one.course.moves]
    return Vote(
        motion=_motion(assessment, moving, known.plan_hash),
        market=_market(assessment, known.screened),
        deposit=_deposit(assessment),
        deposit_means=_deposit_means(assessment),
        better=tuple(_sides(moving, "better")),
        worse=(*_sides(moving, "worse"), *_trades(moving)),
        decides=tuple(_decides(assessment, known.quorum)),
        undo=_undo(moving),
        token=_token(assessment),
        plan=known.plan_hash,
    )


def _motion(assessment: Assessment, moving: list[Assessed], plan_hash: str) -> str:
    dao = assessment.inventory.dao
    if not moving:
        return (
            f"{dao.name} moves no workload now. It does the homework of the assessment of {assessment.on}: "
            f"{_hours(assessment.work_stay.low.value, assessment.work_stay.high.value)} of work, once."
        )
    lines = "; ".join(f"{one.workload.title} becomes {one.course}" for one in moving)
    money = assessment.cost_after.value - assessment.cost_before.value
    way = "rises" if money > 0 else "falls"
    work = _hours(assessment.work_moves.low.value, assessment.work_moves.high.value)
    amount = _deposit(assessment).value
    deposit = f" The treasury deposits {amount:,.0f} USD for rent." if amount else ""
    homework = _hours(assessment.work_rest.low.value, assessment.work_rest.high.value)
    bound = f" The signed plan has the hash {plan_hash}." if plan_hash else ""
    return (
        f"{dao.name} moves {len(moving)} of {len(assessment.workloads)} workloads: {lines}. "
        f"The monthly bill {way} by about {abs(money):,.0f} USD, and the move takes {work} of work once.{deposit} "
        f"What stays does the homework of the assessment of {assessment.on}, {homework}.{bound} {_undo(moving)}"
    )


def _hours(low: float, high: float) -> str:
    return f"{between((low, high))} hours"


def _market(assessment: Assessment, screened: Mapping[str, int] | None) -> Market:
    fits, not_fitting = [], {}
    for one in assessment.workloads:
        advice = recommend(one.workload)
        if advice.refused or one.workload.blockers:
            not_fitting[one.name] = advice.why
        elif screened is not None and one.name in screened and not screened[one.name]:
            not_fitting[one.name] = "no provider would bid for its size today"
        else:
            fits.append(one.name)
    source = (
        "providers were asked by bid screening"
        if screened is not None
        else f"by size and state, from the book of {assessment.book.compiled}; providers were not asked"
    )
    return Market(tuple(fits), not_fitting, assessment.order[0] if assessment.order else "", source)


def _deposit(assessment: Assessment) -> Figure:
    """Return the deposit: the highest rent for the days of runway, in whole USD."""
    dao = assessment.inventory.dao
    month = assessment.rent.value + assessment.rent_more.value
    days = given("days of runway", dao.runway_days, "days", "inventory: dao.runway_days")
    return Figure(
        "deposit for rent",
        float(math.ceil(month * dao.runway_days / _DAYS_PER_MONTH)) if month else 0.0,
        "USD",
        "(rent a month + what more providers may ask) x days / 30.4, rounded up",
        (assessment.rent, assessment.rent_more, days),
    )


def _deposit_means(assessment: Assessment) -> str:
    amount = _deposit(assessment).value
    if not amount:
        return "None: nothing of the plan is rented on a network."
    days = assessment.inventory.dao.runway_days
    return (
        f"{amount:,.0f} USD before the first move, as Akash compute credit (ACT, 1 ACT = 1 USD): bought by card in "
        f"Console, or made by burning AKT. It pays {days:g} days of rent; what is left comes back when a deployment "
        "closes. It is topped up from the monthly bill, with an alarm at 14 days."
    )


def _sides(moving: list[Assessed], side: str) -> Iterator[str]:
    """Yield what gets better or worse, one sentence for each workload that moves."""
    for one in moving:
        if one.weighed and (texts := getattr(one.weighed, side)):
            yield f"{one.workload.title}: {'; '.join(texts)}."


def _trades(moving: list[Assessed]) -> Iterator[str]:
    for one in moving:
        if one.weighed and one.weighed.trade:
            yield f"{one.workload.title}, the trade: {one.weighed.trade}."


def _decides(assessment: Assessment, quorum: tuple[int, int] | None) -> Iterator[str]:
    signers = assessment.inventory.dao.signers
    if quorum:
        yield f"{quorum[0]} of {quorum[1]} signers of the stack approve each change with their keys (`unmoor approve`)."
    else:
        yield (
            f"{signers.needed} of {signers.of} signers agree to a change, by the DAO's own rule; where the stack file "
            "names them, `unmoor approve` holds updates to it."
        )
    counts: dict[str, int] = {}
    for one in assessment.workloads:
        for company in one.after.dependence.stoppers():
            counts[company] = counts.get(company, 0) + 1
    for company, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:3]:
        things = "1 workload" if count == 1 else f"{count} workloads"
        yield f"{company_name(company)} alone can stop {things} after the plan."


def _undo(moving: list[Assessed]) -> str:
    if not moving:
        return "Nothing moves, so nothing has to be undone."
    return (
        "Until the old vendor is left, each move is undone by setting the mode back in the stack file and one "
        "`pulumi up`; the names follow within minutes. After that the same steps lead back to any vendor."
    )


def _token(assessment: Assessment) -> str:
    if not assessment.rent.value:
        return "Nothing of the plan is paid in a token."
    return (
        "Running leases cost the same: rent is set in USD and paid from ACT, which keeps 1 USD. AKT that the treasury "
        "still holds for later rent then buys half as much, so hold ACT or USD, not AKT. If minting of ACT stops, "
        "leases run on until the deposit is used up."
    )


def unknown(assessment: Assessment) -> tuple[str, ...]:
    """Return the workloads whose bill is unknown and in no total."""
    return tuple(one.name for one in assessment.workloads if one.cost_before.basis is Basis.UNKNOWN)
