"""The minutes that steps took are kept, and shown next to those planned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from components.runbook import times
from components.runbook.chapter import Chapter, Check, Step
from components.runbook.execution import Report, State

if TYPE_CHECKING:
    from pathlib import Path


def step(name: str, hours: float) -> Step:
    return Step(name, name.title(), "why", Check("do", ("done",)), Check("verify", ("seen",)), hours)


CHAPTER = Chapter("flip", "Flip", "when", (step("mode", 0.5), step("update", 0.25), step("watch", 1)))
REPORTS = [
    Report("mode", State.SKIPPED, 0.0),
    Report("update", State.DONE, 95.0),
    Report("watch", State.FAILED, 30.0),
]


def test_planned_stands_next_to_taken_for_every_step_that_was_taken():
    found = times.rows("prod", "docs", CHAPTER, REPORTS, "2026-11-26")
    assert [(row["step"], row["planned_min"], row["taken_min"], row["state"]) for row in found] == [
        ("update", 15, 1.6, "done"),
        ("watch", 60, 0.5, "failed"),
    ]
    head, update, watch, together = times.table(found)
    assert head.split() == ["step", "planned", "taken"]
    assert update.split() == ["update", "15.0", "min", "1.6", "min"]
    assert watch.endswith("failed")
    assert together.split() == ["together", "75.0", "min", "2.1", "min"]


def test_times_are_added_to_a_file_and_never_replaced(tmp_path: Path):
    path = tmp_path / ".runbook" / times.FILE
    found = times.rows("prod", "docs", CHAPTER, REPORTS, "2026-11-26")
    times.append(path, found)
    times.append(path, found)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == ["update", "watch"] * 2


def test_nothing_taken_is_nothing_written(tmp_path: Path):
    times.append(tmp_path / times.FILE, times.rows("prod", "docs", CHAPTER, [REPORTS[0]], "2026-11-26"))
    assert list(tmp_path.iterdir()) == []
    assert list(times.table([])) == []
