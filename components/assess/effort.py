"""A step of a move: hours for one engineer who knows the tool, what drives them, how it is checked, the way back.

A first time takes half as long again, or twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .inventory import Workload


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a move: the work, how it is checked, and the way back."""

    title: str
    low: float
    high: float
    does: str
    verify: str
    rollback: str
    driver: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A step as the table has it: hours, and what makes them more."""

    title: str
    low: float
    high: float
    does: str
    verify: str
    rollback: str = "nothing has changed for users yet: stop here"
    more: Callable[[Workload], tuple[float, float, str]] | None = None

    def on(self, workload: Workload) -> Step | None:
        """Return the step for a workload; None when it has nothing to do there."""
        low, high, driver = self.more(workload) if self.more else (0.0, 0.0, "")
        if self.high + high == 0:
            return None
        return Step(
            self.title,
            round(self.low + low, 1),
            round(self.high + high, 1),
            self.does,
            self.verify,
            self.rollback,
            driver,
        )


def copy_hours(gb: float, mbit: float) -> float:
    """Hours a line of so many Mbit/s takes for so many GB."""
    return gb * 8000 / mbit / 3600


def steps(templates: Iterable[Template], workload: Workload) -> tuple[Step, ...]:
    """Fill a table's steps in for a workload."""
    return tuple(step for template in templates if (step := template.on(workload)))
