"""Notes on what an import could not carry, or carried in another form: where, what, and what to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How much work a note needs."""

    WORK = "by hand"  #: the meaning is not carried; readable text stands in its place
    CHECK = "look at"  #: carried on an assumption that the note states
    LEFT = "left out"  #: decoration, or something that the vendor does not publish either


@dataclass(frozen=True, order=True)
class Note:
    """One place that was not carried unchanged: the file, its line from 1 (0: the whole file), what, what to do."""

    file: str
    line: int
    level: Level
    what: str
    todo: str
    topic: str = ""  #: groups notes on the screen

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}; {self.todo}"


@dataclass
class Notes:
    """All notes of an import, and how many of each block were found and carried."""

    all: list[Note] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)

    def add(self, file: str, line: int, level: Level, what: str, todo: str, topic: str = "") -> None:
        """Add a note; text from the source in `what` must have gone through `text.escape`."""
        self.all.append(Note(file, line, level, what, todo, topic or what))

    def of(self, level: Level) -> list[Note]:
        """Return the notes of one level, in the order of files and lines."""
        return sorted(note for note in self.all if note.level is level)
