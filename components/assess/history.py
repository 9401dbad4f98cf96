"""What is known about parties: who they are, how often they failed, whose service they ended, and network risks."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .figure import HOURS_YEAR, Figure, Span, given
from .level import GRADES as GRADE_OF
from .level import Grade, Level, risk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inventory import VendorEntry

DATA = Path(__file__).parent / "data"
_DAYS_PER_YEAR = 365.25


@functools.cache
def _data(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Vendor:
    """A party: its name, the company behind it, and how hard it is to replace (10 is easy)."""

    key: str
    name: str
    company: str
    substitutability: float
    #: who runs the machine: a company with a name, or an operator that the DAO does not know
    anonymous: bool = False
    history: str = ""
    notice_days: float | None = None
    known: bool = True
    #: a finished service of the vendor's own, whose machine the DAO cannot reach
    managed: bool = False
    #: what can be taken along when leaving, and what cannot
    leave: str = ""


@functools.cache
def known_vendors() -> frozenset[str]:
    """Return the names that the vendor table knows, other spellings included."""
    table = _data("vendors")
    return frozenset({*table["vendors"], *table["also_called"]})


def vendor(key: str, own: Mapping[str, VendorEntry]) -> Vendor:
    """Describe a party by the vendor table and what the inventory knows better; an unknown one gets averages."""
    table = _data("vendors")
    key = table["also_called"].get(key, key)
    row = table["vendors"].get(key)
    more = own.get(key)
    base = row or {}
    substitutability = base.get("substitutability", table["unknown"]["substitutability"])
    if more and more.substitutability is not None:
        substitutability = more.substitutability
    return Vendor(
        key=key,
        name=(more.name if more and more.name else base.get("name", key)),
        company=(more.company if more and more.company else base.get("company", key)),
        substitutability=substitutability,
        anonymous=base.get("host") == "anonymous",
        history=base.get("history", ""),
        notice_days=more.notice_days if more else None,
        known=row is not None or more is not None,
        managed=bool(base.get("managed", False)),
        leave=base.get("leave", ""),
    )


_NAMES = {
    "aws": "AWS",
    "isrg": "ISRG",
    "ibm": "IBM",
    "ovh": "OVH",
    "gitbook": "GitBook",
    "digitalocean": "DigitalOcean",
}


def company_name(key: str) -> str:
    """Return a company's key as its name."""
    return _NAMES.get(key, key if any(letter.isupper() for letter in key) else key.replace("-", " ").title())


@dataclass(frozen=True, slots=True)
class Case:
    """A deplatforming: which party ended a customer's service, when, with how many days of notice."""

    party: str
    on: str
    notice_days: float
    who: str
    what: str
    basis: str


def cases(company: str) -> tuple[Case, ...]:
    """Return the deplatforming cases of a company or network."""
    return _cases()[company]


@functools.cache
def _cases() -> Mapping[str, tuple[Case, ...]]:
    found: dict[str, tuple[Case, ...]] = defaultdict(tuple)
    for row in _data("deplatforming")["cases"]:
        case = Case(**row)
        found[case.party] += (case,)
        if (company := _data("vendors")["vendors"].get(case.party, {}).get("company", case.party)) != case.party:
            found[company] += (case,)
    return found


def lesson() -> str:
    """Return what the cases show, as a sentence."""
    return str(_data("deplatforming")["lesson"])


@dataclass(frozen=True, slots=True)
class Outages:
    """How often a party stops serving in a year, for how long, and how much of that reaches a customer."""

    party: str
    events_year: Figure
    hours_each: Span
    #: share of events that reach an ordinary customer
    exposure: tuple[float, float]
    #: False when it is only a prior
    counted: bool

    def hours_year(self) -> Span:
        """Return expected hours a year, if every event lasted as long for the customer as for the party."""
        return Span(
            f"outages of {self.party}",
            _times(f"outages of {self.party}, low", self.events_year, self.hours_each.low, self.exposure[0]),
            _times(f"outages of {self.party}, high", self.events_year, self.hours_each.high, self.exposure[1]),
        )


def _times(label: str, events: Figure, hours: Figure, share: float) -> Figure:
    reach = given("share of events that reach a customer", share, "", "outages.json: exposure", basis=events.basis)
    value = events.value * hours.value * share
    return Figure(label, value, HOURS_YEAR, "events a year x hours each x share", (events, hours, reach))


@functools.cache
def outages(history: str, name: str) -> Outages:
    """Count a party's outages in the window that the data covers; without a history, return our stated prior."""
    data = _data("outages")
    events = [event for event in data["events"] if event["party"] == history and event["counts"]]
    if not events:
        return _prior(history, name)
    window = data["window"]
    years = (date.fromisoformat(window["to"]) - date.fromisoformat(window["from"])).days / _DAYS_PER_YEAR
    source = f"outages.json: {len(events)} events of {name} from {window['from']} to {window['to']}"
    each = given(
        f"mean length of {', '.join(event['start'] for event in events)}",
        sum(event["hours"] for event in events) / len(events),
        "h",
        source,
    )
    rate = Figure(
        f"events of {name} a year",
        len(events) / years,
        "1/year",
        f"{len(events)} events / {years:.2f} years",
        source=source,
    )
    exposure = data["exposure"]
    return Outages(name, rate, Span("hours each", each, each), (exposure["low"], exposure["high"]), counted=True)


def _prior(history: str, name: str) -> Outages:
    priors = _data("networks")["priors"]
    row = priors.get(history, priors["unknown"])
    rate = given(f"failures of {name} a year", row["failovers_a_year"], "1/year", f"networks.json: {row['basis']}")
    low, high = (
        Figure(
            f"hours of each, {end}",
            row[f"hours_down_{end}"] / row["failovers_a_year"],
            "h",
            f"{row[f'hours_down_{end}']:g} h a year / {row['failovers_a_year']:g}",
            source=f"networks.json: {row['basis']}",
        )
        for end in ("low", "high")
    )
    return Outages(name, rate, Span("hours each", low, high), (1.0, 1.0), counted=False)


@dataclass(frozen=True, slots=True)
class NetworkRisk:
    """A risk of a decentralised network, rated by the same matrix as everything else."""

    network: str
    id: str
    title: str
    likelihood: Level
    impact: Level
    evidence: str
    lowers: str
    source: str

    @property
    def grade(self) -> Grade:
        """The grade: low, medium or high."""
        return GRADE_OF[risk(self.likelihood, self.impact)]


@functools.cache
def network_risks() -> tuple[NetworkRisk, ...]:
    """Return the register of risks of decentralised networks."""
    return tuple(
        NetworkRisk(**{**row, "likelihood": Level(row["likelihood"]), "impact": Level(row["impact"])})
        for row in _data("networks")["risks"]
    )


@functools.cache
def compiled() -> Mapping[str, date]:
    """Return the date of each data file."""
    return {
        name: date.fromisoformat(_data(name)["compiled"])
        for name in ("deplatforming", "networks", "outages", "vendors")
    }
