"""What moving is worth: money, payback, independence and downtime, for one workload and for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figure import HOURS_YEAR, USD_MONTH, Basis, Figure, Span, given
from .history import company_name

if TYPE_CHECKING:
    from .residual import Dependence

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Value:
    """The value of moving. Savings are against today's bill; all else is against staying with the homework done."""

    saving_month: Figure
    saving_year: Figure
    #: what moving saves against staying with the homework done
    saving_on_homework: Figure
    effort: Span
    effort_usd: Span
    #: months until the effort is earned back; None when it never is
    payback_months: Figure | None
    #: hours of downtime saved in a year, negative where there are more
    hours_saved: Figure
    #: USD a year that those hours are worth by stated losses; None where nothing is stated
    loss_avoided: Figure | None
    independence: Figure


def value(
    costs: tuple[Figure, Figure, Figure],
    work: Span,
    rate_usd_hour: float,
    hours: tuple[Span, Span],
    independence: tuple[Figure, Figure],
    usd_hour_down: float | None,
) -> Value:
    """Weigh savings against effort.

    `costs` are USD a month today, with homework, and after the move; `hours` (a year) and `independence` are those with
    homework and after the move, because drills lower them without any move.
    """
    before, stay, after = costs
    month = _difference("saving a month", before, after, "today - after the move")
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
            "saving a year", round(month.value * _MONTHS, 6), "USD/year", "12 x saving a month", (month,),
            basis=month.basis,
        ),
        saving_on_homework=_difference("saving a month against homework", stay, after, "homework - after the move"),
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
            "after - with homework",
            independence,
        ),
    )  # fmt: skip


def _difference(label: str, before: Figure, after: Figure, formula: str) -> Figure:
    """Return the difference of two bills; unknown if one of them is."""
    if Basis.UNKNOWN in {before.basis, after.basis}:
        return Figure(label, 0, USD_MONTH, f"{formula}: a bill is unknown", (before, after), basis=Basis.UNKNOWN)
    return Figure(label, round(before.value - after.value, 6), USD_MONTH, formula, (before, after))


def _middle_difference(label: str, before: Span, after: Span) -> Figure:
    middles = tuple(
        Figure(f"{one.label} {when}", round(one.middle, 4), HOURS_YEAR, "(low + high) / 2", (one.low, one.high))
        for when, one in (("with homework", before), ("after the move", after))
    )
    return Figure(
        label, round(middles[0].value - middles[1].value, 4), HOURS_YEAR, "with homework - after the move", middles
    )


def _payback(work: Span, month: Figure) -> Figure | None:
    if month.value <= 0 or not work.middle or month.basis is Basis.UNKNOWN:
        return None
    middle = Figure("effort, middle of the range", work.middle, "USD", "(low + high) / 2", (work.low, work.high))
    return Figure("payback", round(work.middle / month.value, 1), "months", "effort / saving a month", (middle, month))


def reputation(title: str, before: Dependence, after: Dependence) -> tuple[str, str]:
    """Return sentences about a workload that the DAO can publish truthfully, before and after the plan."""
    was, now = ([company_name(key) for key in one.stoppers()] for one in (before, after))
    today = f"Today {_stop(title, was)}."
    if was == now:
        return today, "After the plan the same is true."
    texts = [f"After the plan {_stop(title, now)}."]
    if gone := [company for company in was if company not in now]:
        texts.append(f"{_listed(gone)} no longer can.")
    if new := [company for company in now if company not in was]:
        texts.append(f"New among them: {_listed(new)}.")
    return today, " ".join(texts)


def _stop(title: str, companies: list[str]) -> str:
    if not companies:
        return f"no single company can stop “{title}”"
    if len(companies) == 1:
        return f"{companies[0]} alone can stop “{title}”"
    return f"each of {len(companies)} companies alone can stop “{title}”: {_listed(companies)}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
