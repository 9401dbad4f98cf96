"""Whether a move is advised: what gets better and worse compared with staying with the homework done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .exposure import custody
from .figure import Basis
from .history import company_name
from .inventory import Confidentiality
from .level import Grade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .figure import Figure
    from .inventory import Workload
    from .views import View


class Verdict(StrEnum):
    """Our advice."""

    MOVE = "move"
    TRADE = "move, if you accept the trade"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class Weighed:
    """A weighed move: what gets better, what gets worse, the trade in a sentence, and what would change it."""

    verdict: Verdict
    better: tuple[str, ...]
    worse: tuple[str, ...]
    trade: str = ""
    why: str = ""
    change: str = ""


_BILL = "the bill"
_GRADES = tuple(Grade)
#: A change of downtime counts from this share and this many hours a year; a change of the bill likewise.
_HOURS_SHARE, _HOURS_LEAST = 0.25, 0.25
_USD_SHARE, _USD_LEAST = 0.1, 1.0


def weigh(workload: Workload, stay: View, after: View, costs: tuple[Figure, Figure]) -> Weighed:
    """Weigh a move against staying with the homework done; `costs` are both bills in USD a month."""
    changes = tuple(_changes(stay, after, costs))
    better = tuple(text for good, text in changes if good)
    worse = tuple(text for good, text in changes if not good)
    outage = _step(stay.availability.grade, after.availability.grade)
    exposed = _step(stay.exposure.grade, after.exposure.grade)
    trade = _trade(workload, stay, after)
    if names := custody(workload):
        return Weighed(
            Verdict.STAY, better, worse, trade,
            f"it holds {', '.join(names)}, and custody secrets never go to a machine that you do not control",
            f"take {', '.join(names)} out of its environment, then assess it again",
        )  # fmt: skip
    if not better:
        return Weighed(
            Verdict.STAY, better, worse, trade, "moving makes nothing better than drills alone would",
            "a lower bill, or a target that removes a company that alone can stop it",
        )  # fmt: skip
    if outage > 0:
        return Weighed(
            Verdict.STAY, better, worse, trade, "moving raises the risk of an outage",
            "a second site, on another network or at a company",
        )  # fmt: skip
    if any(map(_risks, worse)) and exposed <= 0 and not any(map(_risks, better)):
        return Weighed(
            Verdict.STAY, better, worse, trade, "moving makes only the bill better, and the risks worse",
            "a second site, or a target that no new company alone can stop",
        )  # fmt: skip
    if exposed > 0 and (after.exposure.grade is Grade.HIGH or outage == 0):
        why = (
            "moving raises the exposure to High" if after.exposure.grade is Grade.HIGH
            else "moving raises the exposure and lowers no risk by a grade"
        )  # fmt: skip
        return Weighed(
            Verdict.STAY, better, worse, trade, why,
            "a target whose operator you know, confidential computing, or less data and fewer secrets in it; "
            "or the DAO accepts the trade with `plan:` in the inventory",
        )  # fmt: skip
    return Weighed(Verdict.TRADE if exposed > 0 else Verdict.MOVE, better, worse, trade if exposed > 0 else "")


def _risks(text: str) -> bool:
    return not text.startswith(_BILL)


def _step(was: Grade, now: Grade) -> int:
    return _GRADES.index(now) - _GRADES.index(was)


def _changes(stay: View, after: View, costs: tuple[Figure, Figure]) -> Iterator[tuple[bool, str]]:
    """Yield what differs enough to count: whether it is better, and its words."""
    for title, was, now in (
        ("risk of outage or deplatforming", stay.availability.grade, after.availability.grade),
        ("security exposure", stay.exposure.grade, after.exposure.grade),
    ):
        if was is not now:
            yield _step(was, now) < 0, f"{title} {was} → {now}"
    was_h, now_h = stay.downtime.middle, after.downtime.middle
    if abs(was_h - now_h) > max(_HOURS_LEAST, _HOURS_SHARE * was_h):
        yield now_h < was_h, f"expected downtime {was_h:.2g} → {now_h:.2g} hours a year"
    gone = [one for one in stay.dependence.stoppers() if one not in after.dependence.stoppers()]
    new = [one for one in after.dependence.stoppers() if one not in stay.dependence.stoppers()]
    if len(gone) > len(new):
        yield True, f"{_names(gone)} can no longer stop it alone"
    if new:
        yield False, f"{_names(new)} can newly stop it alone"
    was_usd, now_usd = (one.value for one in costs)
    known = Basis.UNKNOWN not in {one.basis for one in costs}
    if known and abs(now_usd - was_usd) > max(_USD_LEAST, _USD_SHARE * was_usd):
        yield now_usd < was_usd, f"{_BILL} {was_usd:,.0f} → {now_usd:,.0f} USD a month"


def _names(companies: list[str]) -> str:
    return " and ".join(company_name(one) for one in companies)


def _trade(workload: Workload, stay: View, after: View) -> str:
    """Return a sentence on the meaning of a higher exposure."""
    if _step(stay.exposure.grade, after.exposure.grade) <= 0:
        return ""
    data = workload.data
    if data and data.confidentiality is Confidentiality.PERSONAL:
        what = "personal data, such as members' e-mail addresses, becomes readable"
    elif data and data.confidentiality is Confidentiality.SECRET:
        what = "secret data becomes readable"
    elif workload.secrets:
        what = f"its credentials ({', '.join(secret.name for secret in workload.secrets)}) become readable"
    else:
        what = "its memory and traffic become readable"
    return f"{what} to an operator that you do not know"
