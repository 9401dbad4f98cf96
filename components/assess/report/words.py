"""How numbers and findings are put into words, the same in every form of the report."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ..history import company_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CENTS_BELOW = 100
_HALF_A_CENT = 0.005
#: From which size on a number shows how many digits behind the point.
_DIGITS = ((10, 0), (1, 1), (0, 2))


def usd(value: float) -> str:
    """Write `$5.43`, `$1,240` or `-$206`: cents only where they matter."""
    if 0 < abs(value) < _HALF_A_CENT:
        return "<1¢" if value > 0 else "-<1¢"
    digits = f"{abs(value):,.2f}" if abs(value) < _CENTS_BELOW and round(value, 2) % 1 else f"{abs(value):,.0f}"
    return f"-${digits}" if round(value, 2) < 0 else f"${digits}"


def change(value: float) -> str:
    """Write a change in USD with its sign: `+$206`, `-$12`, `±$0`."""
    return "±$0" if not round(value, 2) else usd(value) if value < 0 else f"+{usd(value)}"


def number(value: float) -> str:
    """Write a number with at most two digits that matter behind the point."""
    digits = next(digits for least, digits in _DIGITS if abs(value) >= least)
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def between(span: Sequence[float]) -> str:
    """Write a range: `0.6 to 6.2`, or one number where both ends are the same."""
    low, high = number(span[0]), number(span[1])
    return low if low == high else f"{low} to {high}"


def usd_between(span: Sequence[float]) -> str:
    """Write a range of money."""
    return usd(span[0]) if span[0] == span[1] else f"{usd(span[0])} to {usd(span[1])}"


def day(text: str) -> str:
    """Write `2026-11-22` as `22 November 2026`."""
    when = date.fromisoformat(text)
    return f"{when.day} {when:%B} {when.year}"


def plural(count: float, word: str) -> str:
    """Write `1 workload`, `2 workloads`, `2 companies`."""
    many = f"{word[:-1]}ies" if word.endswith("ny") else f"{word}s"
    return f"{number(count)} {word if count == 1 else many}"


def findings(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what a vote should know, good and bad, in a few sentences."""
    summary = document["summary"]
    money = summary["usd_month"]
    more = money["after"] - money["today"]
    moved = "rises" if more > 0 else "falls" if more < 0 else "stays"
    all_of_them = plural(summary["workloads"], "workload")
    yield f"{summary['moving']} of {all_of_them} move; {summary['staying']} stay where they are."
    yield (
        f"The bill {moved} from {usd(money['today'])} to {usd(money['after'])} a month ({change(more)}); "
        f"the work takes {between(summary['effort_hours'])} hours, {usd_between(summary['effort_usd'])}."
    )
    if summary["payback_months"] is None:
        yield "Moving does not pay for itself: what it buys is independence, and a recovery that was tried."
    else:
        yield f"It pays for itself in {plural(summary['payback_months'], 'month')}."
    for kind, what in (
        ("availability", "being put out or going down"),
        ("exposure", "somebody reading what they should not"),
    ):
        was, now = (summary["risk"][kind][when]["High"] for when in ("today", "after"))
        if was != now:
            yield f"Workloads at high risk of {what}: {was} today, {now} after."
        else:
            yield f"Workloads at high risk of {what}: {was}, before and after."
    for row in document["companies"]:
        was, now = len(row["today"]), len(row["after"])
        if now > was and was:
            could = f"{company_name(row['company'])} alone could stop {plural(now, 'workload')} instead of {was}"
            yield f"{could}, through what the plan itself uses."


def sentence(text: str) -> str:
    """Write a phrase as a sentence: a capital in front, a stop behind."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
