"""What moving is worth: money, payback, independence and downtime, for one workload and for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figure import HOURS_YEAR, USD_MONTH, Figure, Span, given
from .history import company_name

if TYPE_CHECKING:
    from .residual import Dependence

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Value:
    """Savings are negative where moving costs more."""

    saving_month: Figure
    saving_year: Figure
    effort: Span
    effort_usd: Span
    #: months until the effort is earned back; None when it never is
    payback_months: Figure | None
    #: hours of downtime saved in a year, negative where there are more
    hours_saved: Figure
    #: USD a year that stated losses say those hours are worth; None where nothing is stated
    loss_avoided: Figure | None
    independence: Figure


def value(
    before: Figure,
    after: Figure,
    work: Span,
    rate_usd_hour: float,
    hours: tuple[Span, Span],
    independence: tuple[Figure, Figure],
    usd_hour_down: float | None,
) -> Value:
    """Weigh what is saved against what it takes. Costs in USD a month, hours a year before and after."""
    month = Figure(
        "saving a month", round(before.value - after.value, 6), USD_MONTH, "today - after the plan", (before, after)
    )
    rate = given("an hour of engineering", rate_usd_hour, "USD/h", "inventory: dao.rate_usd_hour")
    low, high = (
        Figure(f"effort, {end}", round(one.value * rate_usd_hour, 2), "USD", "hours x rate", (one, rate))
        for end, one in (("low", work.low), ("high", work.high))
    )
    saved = _middle_difference("hours of downtime saved a year", *hours)
    worth = (
        None
        if usd_hour_down is None
        else given("an hour without it", usd_hour_down, "USD/h", "inventory: usd_hour_down")
    )
    return Value(
        saving_month=month,
        saving_year=Figure(
            "saving a year", round(month.value * _MONTHS, 6), "USD/year", "12 x saving a month", (month,)
        ),
        effort=work,
        effort_usd=Span("effort", low, high),
        payback_months=_payback(Span("effort", low, high), month),
        hours_saved=saved,
        loss_avoided=worth
        and Figure(
            "loss avoided a year",
            round(saved.value * worth.value, 2),
            "USD/year",
            "hours saved x USD an hour",
            (saved, worth),
        ),
        independence=Figure(
            "independence gained",
            independence[1].value - independence[0].value,
            "points",
            "after - today",
            independence,
        ),
    )


def _middle_difference(label: str, before: Span, after: Span) -> Figure:
    middles = tuple(
        Figure(f"{one.label} {when}", round(one.middle, 4), HOURS_YEAR, "(low + high) / 2", (one.low, one.high))
        for when, one in (("today", before), ("after the plan", after))
    )
    return Figure(label, round(middles[0].value - middles[1].value, 4), HOURS_YEAR, "today - after the plan", middles)


def _payback(work: Span, month: Figure) -> Figure | None:
    if month.value <= 0 or not work.middle:
        return None
    middle = Figure("effort, middle of the range", work.middle, "USD", "(low + high) / 2", (work.low, work.high))
    return Figure("payback", round(work.middle / month.value, 1), "months", "effort / saving a month", (middle, month))


def reputation(title: str, before: Dependence, after: Dependence) -> str:
    """Say what the DAO may truthfully claim afterwards."""
    was, now = ([company_name(key) for key in one.stoppers()] for one in (before, after))
    if len(now) >= len(was):
        return f"{title}: nothing new to claim; {', '.join(now) or 'nobody'} can still stop it alone."
    gone = [company for company in was if company not in now]
    if not now:
        return f"{title}: no single company can stop it any more (before: {', '.join(was)})."
    return f"{title}: {', '.join(gone)} can no longer stop it alone; {', '.join(now)} still can."
