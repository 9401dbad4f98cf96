"""A verdict on a document: what the network refuses and what is unwise, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ....text.escape import outside
from . import text
from .rules import RULES
from .rules.rule import Finding, Level

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One broken rule: the path (dotted, with the line from 1 where there is text), the rule, and the remedy."""

    path: str
    line: int | None
    rule: str
    message: str

    def __str__(self) -> str:
        at = ", ".join(filter(None, (f"line {self.line}" if self.line else "", outside(self.path, 200))))
        return f"{at}{': ' if at else ''}{outside(self.message, 500)} [{self.rule}]"


@dataclass(frozen=True)
class Report:
    """A verdict. Lines are looked up in the text only when the problems are read."""

    found: tuple[tuple[str, Finding], ...] = ()
    source: str = field(default="", repr=False, compare=False)

    @property
    def accepted(self) -> bool:
        """Whether the network accepts the document."""
        return all(RULES[rule].level is not Level.ERROR for rule, _ in self.found)

    @cached_property
    def errors(self) -> tuple[Problem, ...]:
        """What the network refuses, by line."""
        return self._problems(Level.ERROR)

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """What the network accepts and is unwise, by line."""
        return self._problems(Level.WARNING)

    def _problems(self, level: Level) -> tuple[Problem, ...]:
        made = {
            Problem(dotted(finding.path), self._line(finding), rule, finding.message): None
            for rule, finding in self.found
            if RULES[rule].level is level
        }
        return tuple(sorted(made, key=lambda problem: (problem.line or 0, problem.path)))

    @cached_property
    def _lines(self) -> dict[Path, int]:
        return text.lines(self.source) if self.source else {}

    def _line(self, finding: Finding) -> int | None:
        if finding.line is not None or not self.source:
            return finding.line
        path = finding.path
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def unreadable(message: str, line: int | None) -> Report:
    """Return the verdict on a document that cannot be read."""
    return Report((("unreadable", Finding((), message, line=line)),))


def dotted(path: Path) -> str:
    """Return a path for people: `services.web.expose[0].port`."""
    made = ""
    for part in path:
        made += f"[{part}]" if isinstance(part, int) else f".{part}" if made else f"{part}"
    return made
