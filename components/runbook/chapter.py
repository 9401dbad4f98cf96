"""The parts of a runbook. Each step contains how it is done and checked, so none can be written that cannot be run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

#: Stands for any text within a line of expected output.
ANY = "…"
#: The form of a step's or a chapter's name: it names cells, and is typed after `--from`.
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Outcome(NamedTuple):
    """How a command ended: its exit status (None on a time-out), and all it printed."""

    code: int | None
    output: str


@dataclass(frozen=True)
class Check:
    """A command as typed in the repository's root, and what shows that it worked.

    `shows` are whole lines of output that must come in this order, with `…` for any text and any number of spaces.
    `fails` means that the command must fail. It is repeated for `within_s` seconds until it shows that, and one try may
    take `limit_s` seconds.
    """

    command: str
    shows: tuple[str, ...]
    fails: bool = False
    within_s: int = 0
    limit_s: int = 120

    def __post_init__(self) -> None:
        if not self.command.strip() or "\n" in self.command or self.command.startswith("$"):
            raise ValueError(f"not one line of shell: {self.command!r}")
        if not self.shows or not all(line.strip() and "\n" not in line for line in self.shows):
            raise ValueError(f"nothing to check {self.command!r} by: {self.shows!r}")
        if self.limit_s <= 0 or self.within_s < 0:
            raise ValueError(f"{self.command!r} has no time: {self.limit_s} s, {self.within_s} s")

    def fault(self, outcome: Outcome) -> str:
        """Return what is wrong with an outcome; empty if it is as expected."""
        if outcome.code is None:
            return f"it was not done after {self.limit_s} s"
        if self.fails != bool(outcome.code):
            return (
                "it succeeded, and was expected to fail" if self.fails else f"it ended with exit status {outcome.code}"
            )
        lines = iter(" ".join(line.split()) for line in outcome.output.splitlines())
        for wanted in self.shows:
            if not any(_pattern(wanted).fullmatch(line) for line in lines):
                return f"it did not print {wanted!r}" + (
                    " after what comes before it" if wanted != self.shows[0] else ""
                )
        return ""


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, " ".join(line.split()).split(ANY))))


@dataclass(frozen=True)
class Step:
    """One thing to do: how, how to verify it, and the way back.

    `rollback` is a command; without one the step has changed nothing. `otherwise` is what to do when it fails.
    `approval` names who has to agree before it is taken; `hours` is a person's time, not the machine's.
    """

    name: str
    title: str
    why: str
    do: Check
    verify: Check
    hours: float
    rollback: str = ""
    otherwise: str = ""
    approval: str = ""

    def __post_init__(self) -> None:
        _named(self.name)
        if not self.title or not self.why or self.hours <= 0:
            raise ValueError(f"step {self.name} holds too little")
        if self.do == self.verify:
            raise ValueError(f"step {self.name} is verified by itself")


@dataclass(frozen=True)
class Chapter:
    """Steps that belong together, and when to take them."""

    name: str
    title: str
    when: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        _named(self.name)
        names = [step.name for step in self.steps]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"chapter {self.name} has no steps, or two of one name: {names}")

    @property
    def hours(self) -> float:
        """Hours of a person's time for all steps."""
        return round(sum(step.hours for step in self.steps), 2)


def _named(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a step or a chapter: {name!r}")
