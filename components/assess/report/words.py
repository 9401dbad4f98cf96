"""Numbers and findings in words, the same in every form of the report."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ..history import company_name
from ..rounding import between, number, rough
from .document import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_CENTS_BELOW = 10
_HALF_A_CENT = 0.005
_YEAR = 12
#: Months of payback above which years are written, and above which it counts as no payback.
_IN_YEARS, _TOO_LONG = 24, 240


def usd(value: float | None) -> str:
    """Return `$5.43`, `$1,240` or `-$206`: cents only where they matter; `unknown` for what is not known."""
    if value is None:
        return "unknown"
    if 0 < abs(value) < _HALF_A_CENT:
        return "<1¢" if value > 0 else "-<1¢"
    digits = f"{abs(value):,.2f}" if abs(value) < _CENTS_BELOW and round(value, 2) % 1 else f"{abs(value):,.0f}"
    return f"-${digits}" if round(value, 2) < 0 else f"${digits}"


def cents(value: float | None) -> str:
    """Return a line of a bill to the cent."""
    return "unknown" if value is None else f"${value:,.2f}"


def change(value: float | None) -> str:
    """Return a change in USD with its sign: `+$206`, `-$12`, `±$0`."""
    if value is None:
        return "unknown"
    return "±$0" if not round(value, 2) else usd(value) if value < 0 else f"+{usd(value)}"


def difference(after: float | None, before: float | None) -> float | None:
    """Return the change of a bill; None if one of the two is unknown."""
    return None if after is None or before is None else after - before


def usd_between(span: Sequence[float]) -> str:
    """Return a range of estimated money."""
    low, high = (usd(rough(end)) for end in span)
    return low if low == high else f"{low} to {high}"


def percent(span: Sequence[float]) -> str:
    """Return a range of uptime, `99.93 to 99.99 %`: with enough digits to keep its ends apart and below 100."""
    whole = 100.0
    apart = [abs(one - other) for one, other in (span, (span[0], whole), (span[1], whole)) if one != other]
    digits = next((count for count in (1, 2, 3) if min(apart, default=whole) >= 10.0**-count), 4)
    low, high = (f"{end:.{digits}f}" for end in span)
    return f"{low} %" if low == high else f"{low} to {high} %"


def payback(months: float | None) -> str:
    """Return how long it takes until the work is earned back."""
    if months is None:
        return "does not pay for itself in money"
    if months > _TOO_LONG:
        return "does not pay for itself in money within 20 years"
    if months < _IN_YEARS:
        return f"pays for itself in about {plural(round(months), 'month')}"
    return f"pays for itself in about {plural(round(months / _YEAR), 'year')}"


def day(text: str) -> str:
    """Return `2026-11-22` as `22 November 2026`."""
    when = date.fromisoformat(text)
    return f"{when.day} {when:%B} {when.year}"


def plural(count: float, word: str) -> str:
    """Return `1 workload`, `2 workloads`, `2 companies`."""
    many = f"{word[:-1]}ies" if word.endswith("ny") else f"{word}s"
    return f"{number(count)} {word if count == 1 else many}"


def findings(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a vote should know, good and bad, in a few sentences."""
    summary = document["summary"]
    moving, staying, every = summary["moving"], summary["staying"], summary["workloads"]
    yield (
        f"{moving} of {plural(every, 'workload')} {'moves' if moving == 1 else 'move'}; "
        f"{staying} {'stays' if staying == 1 else 'stay'}, with homework."
    )
    yield from money(summary)
    for kind, what in (("availability", "outage or deplatforming"), ("exposure", "security exposure")):
        was, drilled, now = (summary["risk"][kind][when]["High"] for when in ("today", "stay", "after"))
        today = plural(was, "workload")
        yield f"High risk of {what}: {today} today, {drilled} after homework alone, {now} with the plan."
    if moving:
        hours, share = summary["moving_downtime"], summary["moving_uptime"]
        yield (
            f"Expected downtime of what moves: {between(hours['stay'])} hours a year with homework alone (uptime "
            f"{percent(share['stay'])}), {between(hours['after'])} after the move ({percent(share['after'])})."
        )
    for row in document["companies"]:
        was, now = len(row["today"]), len(row["after"])
        if now > was:
            yield f"{company_name(row['company'])} alone can stop {plural(now, 'workload')} instead of {was}."


def compared(summary: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the vote's table: a heading, then today, with homework alone, and with the plan.

    The cells are the report's own words and numbers, never text from outside.
    """
    yield "Bill a month", *_three(usd, summary["usd_month"])
    for heading, counts in (
        ("Risk of outage or deplatforming", summary["risk"]["availability"]),
        ("Security exposure", summary["risk"]["exposure"]),
    ):
        yield f"{heading}: High, Medium, Low", *_three(_grades, counts)
    every = between(summary["homework_all_hours"])
    work = every
    if summary["moving"]:
        yield "Expected downtime of what moves, hours a year", *_three(between, summary["moving_downtime"])
        yield "Uptime of what moves", *_three(percent, summary["moving_uptime"])
        moves, homework = (between(summary[name]) for name in ("effort_hours", "homework_hours"))
        weeks = plural(round(summary["weeks"]), "week")
        work = f"{moves} ({usd_between(summary['effort_usd'])}), and {homework} of homework; about {weeks}"
    yield "Hours of work, once", "none", every, work


def _three(word: Callable[[Any], str], values: Mapping[str, Any]) -> Iterator[str]:
    return (word(values[when]) for when in COLUMNS)


def _grades(counts: Mapping[str, int]) -> str:
    return ", ".join(str(counts[grade]) for grade in ("High", "Medium", "Low"))


def title(document: Mapping[str, Any]) -> str:
    """Return the title: the question of the vote."""
    moving = document["summary"]["moving"]
    what = f"move {plural(moving, 'workload')}" if moving else "move nothing yet"
    return f"Proposal: {what}, and prove that what stays can leave"


def money(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sentences about the bill and the work."""
    bills = summary["usd_month"]
    more = bills["after"] - bills["today"]
    if not summary["moving"]:
        homework = bills["stay"] - bills["today"]
        yield (
            f"The bill is {usd(bills['today'])} a month; homework adds {usd(homework)} and takes "
            f"{between(summary['homework_all_hours'])} hours."
        )
        return
    moved = f"{'rises' if more > 0 else 'falls'} from {usd(bills['today'])} to {usd(bills['after'])} a month"
    moved = moved if round(more, 2) else f"stays at {usd(bills['today'])} a month"
    dearer = f", up to {usd(summary['rent_more'])} more if providers ask it" if summary["rent_more"] else ""
    yield f"The bill {moved} ({change(more)}{dearer}); homework alone would make it {usd(bills['stay'])}."
    yield (
        f"The moves take {between(summary['effort_hours'])} hours ({usd_between(summary['effort_usd'])}), the homework "
        f"of what stays {between(summary['homework_hours'])}; about {number(round(summary['weeks']))} weeks together. "
        f"The move {payback(summary['payback_months'])}."
    )


def sentence(text: str) -> str:
    """Return a phrase as a sentence: a capital in front, a full stop at the end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
