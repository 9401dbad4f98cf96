"""The report of an import: a screen of figures, a document with every place, and the remaining hours."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..text.escape import markdown
from .notes import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .notes import Note, Notes

#: The report for machines in the folder of the import.
NAME = "moving-in.json"
#: Hours for one place by its level, low and high [estimate]: to write what a block showed, or to look at it.
HOURS: Mapping[Level, tuple[float, float]] = {Level.WORK: (0.1, 0.3), Level.CHECK: (0.02, 0.05), Level.LEFT: (0.0, 0.0)}
#: Hours to look through one page in a browser [estimate].
HOURS_PER_PAGE = (0.005, 0.02)
_TOPICS, _BLOCKS = 12, 24


@dataclass(frozen=True)
class Imported:
    """The result of an import."""

    notes: Notes
    pages: int
    files: int
    unlisted: int

    @property
    def hours(self) -> tuple[float, float]:
        """Remaining hours of a person's work, low and high."""
        return hours(Counter(note.level for note in self.notes.all), self.pages)

    @property
    def inventory(self) -> str:
        """The value of `drivers.imported` for the inventory, as YAML."""
        low, high = self.hours
        places = len(self.notes.of(Level.WORK)) + len(self.notes.of(Level.CHECK))
        return f"{{low_hours: {low:g}, high_hours: {high:g}, places: {places}}}"

    def plain(self) -> dict[str, Any]:
        """Return the report as plain data."""
        low, high = self.hours
        return {
            "format": 1,
            "pages": self.pages,
            "files": self.files,
            "unlisted": self.unlisted,
            "blocks": dict(sorted(self.notes.found.items())),
            "hours": {"low": low, "high": high},
            "notes": [
                {
                    "file": n.file,
                    "line": n.line,
                    "level": n.level.name.lower(),
                    "topic": n.topic,
                    "what": n.what,
                    "todo": n.todo,
                }
                for n in sorted(self.notes.all)
            ],
        }

    def json(self) -> str:
        """Return the report for machines."""
        return json.dumps(self.plain(), indent=1, ensure_ascii=False) + "\n"

    def screen(self) -> Iterator[str]:
        """Yield a screen: what was found, and what needs work, the most frequent first."""
        found = sorted(self.notes.found.items(), key=lambda row: (-row[1], row[0]))
        yield f"{self.pages} pages, {self.files} files"
        yield "blocks: " + (", ".join(f"{count} {name}" for name, count in found[:_BLOCKS]) or "none")
        for level in Level:
            notes = self.notes.of(level)
            topics = Counter(note.topic for note in notes)
            yield f"{level.value}: {len(notes)}"
            for topic, count in topics.most_common(_TOPICS if level is not Level.LEFT else 3):
                first = next(note for note in notes if note.topic == topic)
                place = f"{first.file}:{first.line}" if first.line else first.file
                yield f"  {count:4} {topic}, first in {place}"
            if len(topics) > _TOPICS:
                yield f"       and {len(topics) - _TOPICS} more"
        low, high = self.hours
        yield f"left for a person: {low:g} to {high:g} hours [estimate]; for the inventory:"
        yield f"  drivers: {{pages: {self.pages}, imported: {self.inventory}}}"

    def document(self) -> str:
        """Return every note as Markdown, with its place and what to do."""
        lines = ["# Moving in: what is left", "", *(f"* {line.strip()}" for line in list(self.screen())[:2]), ""]
        for level in Level:
            lines += [f"## {level.value.capitalize()}", ""]
            lines += [
                f"* `{_place(note)}`: {markdown(note.what)}; {markdown(note.todo)}" for note in self.notes.of(level)
            ] or ["Nothing."]
            lines.append("")
        return "\n".join(lines)


def hours(levels: Mapping[Level, int], pages: int) -> tuple[float, float]:
    """Return the remaining hours, low and high, for notes by level and pages to look at."""

    def end(at: int) -> float:
        return round(sum(HOURS[level][at] * count for level, count in levels.items()) + HOURS_PER_PAGE[at] * pages, 1)

    return end(0), end(1)


def _place(note: Note) -> str:
    return f"{note.file}:{note.line}".replace("`", "'") if note.line else note.file.replace("`", "'")
