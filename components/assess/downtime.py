"""Expected hours without a workload in a year: a range with its formula, from counted outages and stated priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figure import HOURS_YEAR, Figure, Span, given, span
from .history import outages
from .inventory import State
from .layers import LAYERS
from .situation import NETWORKS, SELF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .history import Vendor
    from .inventory import Workload
    from .situation import Situation

_HOURS_IN_YEAR = 8766.0

#: Hours from the primary's failure to an answer from the standby: detection, decision and switch.
SWITCH: Mapping[State, tuple[float, float, str]] = {
    State.NONE: (90 / 3600, 150 / 3600, "health check and TTL: 90 to 150 s"),
    State.CACHE: (90 / 3600, 150 / 3600, "health check and TTL: 90 to 150 s"),
    State.SINGLETON: (1 / 60, 5 / 60, "the lock's time to live, then a start: 1 to 5 min"),
    State.DATABASE: (5 / 60, 8.0, "a person decides: 5 min when one is there, 8 h when all are asleep"),
    State.REBUILDABLE: (0.25, 4.0, "the gap is indexed again: 15 min to 4 h"),
    State.KEYS: (0.25, 4.0, "keys are moved by hand"),
    State.EXTERNAL: (0.25, 4.0, "another vendor is set up"),
}
#: Hours until a lost lease without a standby is rented again, by a person or a scheduled update.
RENT_AGAIN = (0.1, 1.0, "a schedule runs `up --refresh`: 6 min to 1 h")


def downtime(workload: Workload, situation: Situation) -> Span:
    """Add up the outages of every single party, every failover, both sides down at once, and the names."""
    serving = {key: parties for key, parties in situation.layers.items() if LAYERS[key].serving and parties}
    lone = {
        key: parties[0]
        for key, parties in serving.items()
        if len({party.company for party in parties}) == 1 and (key == "compute" or parties[0].company != SELF)
    }
    pairs = {key: parties for key, parties in serving.items() if len({party.company for party in parties}) > 1}
    parts = [
        _bounded(party, RENT_AGAIN) if party.key in NETWORKS else outages(party.history, party.name).hours_year()
        for party in {party.company: party for party in lone.values()}.values()
    ]
    primaries = {parties[0].company: parties[0] for parties in pairs.values()}
    parts += [
        _bounded(party, SWITCH[workload.state])
        for company, party in primaries.items()
        if company not in {one.company for one in lone.values()} and company != SELF
    ]
    if "compute" in pairs:
        one, other, *_ = {party.company: party for party in pairs["compute"]}.values()
        parts.append(_both(one, other))
    if "dns" in situation.alone:
        parts.append(outages("names", "the DNS authority").hours_year())
    return span("expected downtime", parts, HOURS_YEAR)


def _history(party: Vendor) -> str:
    return party.key if party.key in NETWORKS else party.history


def _bounded(party: Vendor, limit: tuple[float, float, str]) -> Span:
    """Return the hours of a party's failures when each lasts at most the time to be elsewhere."""
    seen = outages(_history(party), party.name)
    low, high = (
        _capped(f"failures of {party.name}, {end}", seen.events_year, hours, bound, limit[2], share)
        for end, hours, bound, share in (
            ("low", seen.hours_each.low, limit[0], seen.exposure[0]),
            ("high", seen.hours_each.high, limit[1], seen.exposure[1]),
        )
    )
    return Span(f"failures of {party.name}", low, high)


def _capped(label: str, rate: Figure, hours: Figure, limit: float, why: str, share: float) -> Figure:
    cap = given("time to be elsewhere", round(limit, 4), "h", why)
    reach = given("share of events that reach a customer", share, "", "outages.json: exposure")
    value = rate.value * min(hours.value, limit) * share
    return Figure(
        label,
        value,
        HOURS_YEAR,
        "events a year x min(hours each, time to be elsewhere) x share",
        (rate, hours, cap, reach),
    )


def _both(one: Vendor, other: Vendor) -> Span:
    """Return the hours when both sites are down at once, if they fail independently."""
    first, second = (outages(_history(party), party.name).hours_year() for party in (one, other))
    low, high = (
        Figure(
            f"{one.name} and {other.name} down at once, {end}",
            a.value * b.value / _HOURS_IN_YEAR,
            HOURS_YEAR,
            "hours of one x hours of the other / hours in a year; what they share (DNS, registrar) is counted apart",
            (a, b),
        )
        for end, a, b in (("low", first.low, second.low), ("high", first.high, second.high))
    )
    return Span("both down at once", low, high)
