"""Risk as likelihood x impact (NIST SP 800-30), with reasons and remedies; here: outage and deplatforming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .history import company_name
from .inventory import State
from .level import GRADES, Grade, Level, likelihood, nearly, risk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from .figure import Span
    from .inventory import Workload
    from .residual import Dependence
    from .situation import Situation


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of a rating: points for the likelihood (or steps for the impact), and what would lower them."""

    points: float
    because: str
    lowers: tuple[str, ...] = ()


def why(points: float, because: str, *lowers: str) -> Reason:
    """Return a reason."""
    return Reason(points, because, tuple(text for text in lowers if text))


@dataclass(frozen=True, slots=True)
class Rating:
    """A risk, and everything from which it was derived."""

    likelihood: Level
    impact: Level
    reasons: tuple[Reason, ...]
    impact_reasons: tuple[Reason, ...]

    @property
    def grade(self) -> Grade:
        """The grade: low, medium or high."""
        return GRADES[risk(self.likelihood, self.impact)]

    @property
    def points(self) -> float:
        """The points of the likelihood, added up."""
        return max(0.0, sum(reason.points for reason in self.reasons))

    def near(self) -> tuple[float, Grade] | None:
        """Return the bound that is near enough to decide the grade, and the grade beyond it."""
        return nearly(self.points, self.impact)

    def lowers(self) -> tuple[str, ...]:
        """Return what would lower it, the heaviest reason first."""
        ordered = sorted(
            (one for one in (*self.reasons, *self.impact_reasons) if one.lowers), key=lambda one: -one.points
        )
        return tuple(dict.fromkeys(text for one in ordered for text in one.lowers))


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the rules may read."""

    workload: Workload
    situation: Situation
    dependence: Dependence
    downtime: Span
    on: date


#: A proof older than this many days no longer counts.
PROOF_DAYS = 180
REHEARSAL_DAYS = 365


def _table(value: float, rows: tuple[tuple[float, float], ...]) -> float:
    """Return the points of the first row whose bound the value exceeds; 0 if it exceeds none."""
    return next((points for bound, points in rows if value > bound), 0)


def _age(then: date | None, on: date) -> int | None:
    return None if then is None else (on - then).days


def _parties(facts: Facts) -> Iterator[Reason]:
    stoppers = facts.dependence.stoppers()
    if stoppers:
        plural = "company alone can" if len(stoppers) == 1 else "companies can each alone"
        yield why(
            6 * len(stoppers),
            f"{len(stoppers)} {plural} stop it: {', '.join(map(company_name, stoppers))}",
            *dict.fromkeys(one.layer.lowers for one in facts.dependence.residuals if one.layer.effect == "down"),
        )


def _notice(facts: Facts) -> Iterator[Reason]:
    stopping = [one for one in facts.dependence.residuals if one.layer.effect == "down"]
    shortest = min(
        ((one.notice, one) for one in stopping if one.notice is not None), default=None, key=lambda pair: pair[0]
    )
    if shortest:
        days, one = shortest
        rehearsed = _fresh(facts)
        points = 20 if days < 1 else 15 if days <= 7 else 8
        yield why(
            points,
            f"{company_name(one.party.company)} gave {days:g} day{'s' * (days != 1)} of notice in a past case",
            "" if rehearsed else "rehearse leaving within a day",
        )
    elif stopping:
        yield why(
            5,
            "no case of notice is on record for the companies that stand alone, which proves little",
            "a second party where one stands alone",
        )


def single(workload: Workload) -> bool:
    """Return whether two copies must never act at once, so that a standby is no remedy."""
    return workload.state in {State.SINGLETON, State.KEYS}


def _outages(facts: Facts) -> Iterator[Reason]:
    hours = facts.downtime.high.value
    points = _table(hours, ((8, 20), (2, 12), (0.5, 5)))
    if points:
        lone = any(one.layer.serving for one in facts.dependence.residuals)
        expected = f"{facts.downtime.low.value:.1f} to {hours:.1f} hours without it are expected in a year"
        cure = (
            "one lease that is rented again by a schedule"
            if single(facts.workload)
            else "a standby that answers by itself"
        )
        yield why(points, expected, cure if lone else "")


def _substitutability(facts: Facts) -> Iterator[Reason]:
    lone = [one for one in facts.dependence.residuals if one.layer.effect == "down"]
    hardest = min(lone, key=lambda one: one.party.substitutability, default=None)
    if hardest:
        party = hardest.party
        points = 15 if party.substitutability <= 3 else 8 if party.substitutability <= 5 else 0
        if points:
            unknown = "" if party.known else " (nothing is known about it: assumed)"
            yield why(
                points, f"{party.name} is hard to replace: {party.substitutability:g} of 10{unknown}",
                f"an exit plan for {party.name}, tried",
            )  # fmt: skip


def _fresh(facts: Facts) -> bool:
    """Return whether leaving was rehearsed recently enough."""
    age = _age(facts.situation.exit_rehearsed, facts.on)
    return age is not None and age <= REHEARSAL_DAYS


def _rehearsal(facts: Facts) -> Iterator[Reason]:
    age = _age(facts.situation.exit_rehearsed, facts.on)
    if not _fresh(facts):
        when = "never rehearsed" if age is None else f"last rehearsed {age} days ago"
        yield why(10, f"leaving was {when}", "a game day: leave, and come back")
    else:
        yield why(
            -10, f"leaving was rehearsed {age} days ago" if age else "leaving is rehearsed as part of the homework"
        )


def _market(facts: Facts) -> Iterator[Reason]:
    networks = facts.situation.networks()
    if networks and {host.key for host in facts.situation.hosts} <= networks and len(networks) == 1:
        (network,) = networks
        moving = " (Akash leaves its own chain)" if network == "akash" else " (one team's front door)"
        yield why(
            15,
            f"every site is on {network}, one network that can move or stop{moving}",
            "a second network, or one side at a company",
        )
    elif networks:
        yield why(3, f"one side is on {' and '.join(sorted(networks))}, which can move or stop")


def _runway(facts: Facts) -> Iterator[Reason]:
    days = facts.situation.runway_days
    if days is not None and facts.situation.networks():
        points = _table(-days, ((-14, 20), (-30, 8)))
        if points:
            yield why(points, f"rent is paid for {days:g} days only", "60 days of rent in escrow, and an alarm at 14")


def _data_loss(facts: Facts) -> Iterator[Reason]:
    """Raise the impact if the data would be lost with the machine."""
    workload, situation = facts.workload, facts.situation
    if workload.state not in {State.DATABASE, State.SINGLETON} or workload.data is None:
        return
    age = _age(situation.restore_proved, facts.on)
    if age is None or age > PROOF_DAYS:
        proof = "no restore was ever proved" if age is None else f"the last proved restore is {age} days old"
        yield why(1, f"{proof}: an outage may be a loss", f"a restore drill at least every {PROOF_DAYS} days")
    elif len(situation.copies) < 2:
        yield why(1, "fewer than two companies hold a copy of the data", "archives in two stores at two companies")


#: The rules, in the order of the report.
RULES = (_parties, _notice, _outages, _substitutability, _rehearsal, _market, _runway)


def availability(facts: Facts) -> Rating:
    """Rate the risk of an outage or of deplatforming."""
    reasons = tuple(reason for rule in RULES for reason in rule(facts))
    stated = why(0, f"its importance is stated as {facts.workload.importance}")
    worse = tuple(_data_loss(facts))
    impact = facts.workload.importance.raised(len(worse))
    return Rating(likelihood(sum(one.points for one in reasons)), impact, reasons, (stated, *worse))
