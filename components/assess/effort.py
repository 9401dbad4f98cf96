"""A step of a move: hours for one engineer who knows the tool, their drivers, the check, and the way back.

A first time takes one and a half times to twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .inventory import Workload


class Duty(StrEnum):
    """What the charter requires in the steps of every move."""

    BACKUP = "data backup"
    DNS = "DNS forwarding"
    BALANCE = "load balancing"
    CREDENTIALS = "credential management"
    OTHER = ""


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
    duty: Duty = Duty.OTHER


@dataclass(frozen=True, slots=True)
class Template:
    """A step as the table has it: hours, and what increases them. `{words}` are filled in for each workload."""

    title: str
    low: float
    high: float
    does: str
    verify: str
    rollback: str = "nothing has changed for users yet: stop here"
    duty: Duty = Duty.OTHER
    more: Callable[[Workload], tuple[float, float, str]] | None = None

    def on(self, workload: Workload, words: Mapping[str, str]) -> Step | None:
        """Return the step for a workload; None if it does not apply."""
        low, high, driver = self.more(workload) if self.more else (0.0, 0.0, "")
        if self.high + high == 0:
            return None
        return Step(
            self.title.format_map(words),
            round(self.low + low, 1),
            round(self.high + high, 1),
            self.does.format_map(words),
            self.verify.format_map(words),
            self.rollback.format_map(words),
            driver,
            self.duty,
        )


def copy_hours(gb: float, mbit: float) -> float:
    """Return the hours that a line of `mbit` Mbit/s takes for `gb` GB."""
    return gb * 8000 / mbit / 3600


def steps(templates: Iterable[Template], workload: Workload, words: Mapping[str, str]) -> tuple[Step, ...]:
    """Return a table's steps, filled in for a workload."""
    return tuple(step for template in templates if (step := template.on(workload, words)))
