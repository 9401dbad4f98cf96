"""Times that steps really took, next to the planned ones: a first flip tests the plan's hours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import files
from .execution import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .chapter import Chapter
    from .execution import Report

#: The file of all times, one JSON object a line, in the folder of the journals.
FILE = "times.jsonl"
_WIDTH = 28


def rows(stack: str, workload: str, chapter: Chapter, reports: Iterable[Report], day: str) -> list[dict[str, Any]]:
    """Return a row for each step that was taken: planned minutes of a person, and minutes until it was verified."""
    planned = {step.name: step.hours * 60 for step in chapter.steps}
    return [
        {
            "day": day,
            "stack": stack,
            "workload": workload,
            "chapter": chapter.name,
            "step": report.step,
            "state": str(report.state),
            "planned_min": round(planned[report.step], 1),
            "taken_min": round(report.seconds / 60, 1),
        }
        for report in reports
        if report.state in {State.DONE, State.FAILED}
    ]


def append(path: Path, found: Iterable[dict[str, Any]]) -> None:
    """Add rows to the file of times, and make the file if needed."""
    lines = "".join(json.dumps(row) + "\n" for row in found)
    if lines:
        files.write(path, (path.read_text(encoding="utf-8") if path.exists() else "") + lines)


def table(found: list[dict[str, Any]]) -> Iterator[str]:
    """Write planned and taken minutes as lines of text, with their sums; a failed step is marked."""
    if not found:
        return
    yield f"{'step':<{_WIDTH}} {'planned':>9} {'taken':>9}"
    for row in found:
        failed = "  failed" if row["state"] == str(State.FAILED) else ""
        yield f"{row['step']:<{_WIDTH}} {row['planned_min']:>5.1f} min {row['taken_min']:>5.1f} min{failed}"
    planned, taken = (sum(row[key] for row in found) for key in ("planned_min", "taken_min"))
    yield f"{'together':<{_WIDTH}} {planned:>5.1f} min {taken:>5.1f} min"
