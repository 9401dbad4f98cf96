"""A workload in one situation: its parties, its expected downtime, and both its risks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import exposure, risk
from .downtime import downtime
from .residual import Dependence, dependence
from .risk import Facts, Rating

if TYPE_CHECKING:
    from datetime import date

    from .figure import Span
    from .inventory import Workload
    from .situation import Situation

_HOURS_IN_YEAR = 8766.0


@dataclass(frozen=True, slots=True)
class View:
    """A workload today, after homework, after the plan, or wholly on one network."""

    situation: Situation
    dependence: Dependence
    downtime: Span
    availability: Rating
    exposure: Rating

    @property
    def uptime(self) -> tuple[float, float]:
        """Return the share of the year in which it is up, in percent, lower end first."""
        return (uptime(self.downtime.high.value), uptime(self.downtime.low.value))


def uptime(hours_year: float) -> float:
    """Return hours of downtime a year as percent of the time that is up."""
    return round(100 * (1 - min(hours_year, _HOURS_IN_YEAR) / _HOURS_IN_YEAR), 4)


def view(workload: Workload, situation: Situation, on: date) -> View:
    """Rate a workload in a situation, as of a day."""
    depends = dependence(situation)
    hours = downtime(workload, situation)
    facts = Facts(workload, situation, depends, hours, on)
    return View(situation, depends, hours, risk.availability(facts), exposure.exposure(facts))
