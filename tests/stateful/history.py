"""Histories of two real PostgreSQLs: `python -m tests.histories postgres --count N --seed S` prints each violation."""

# ruff: noqa: T201 it prints what it found

from __future__ import annotations

import time
import traceback

from sandbox.pair import world

from .happenings import HAPPENINGS, Run, chosen


def run(seed: int) -> tuple[list[str], list[str], Run | None]:
    """Run one history in a new world; return its lines, its violations, and the run."""
    names = chosen(seed)
    lines, begun = list[str](), time.monotonic()
    with world.opened() as made:
        history = Run(made, made.client())
        try:
            made.begin()
            history.well()
            for name in names:
                lines.append(f"{time.monotonic() - begun:6.1f} s  {name}")
                HAPPENINGS[name](history)
            return lines + history.notes, history.violations(), history
        except Exception:  # noqa: BLE001 any failure is a violation
            history.client.close()
            last = [each for name in world.SITES for each in (f"-- {name}", *made.sites[name].log.splitlines()[-30:])]
            return [*lines, *history.notes, *last], [traceback.format_exc()], history


def main(count: int, seed: int) -> int:
    """Run histories and return the exit code: 1 if one has a violation, or programs are missing."""
    if not world.installed():
        print("PostgreSQL 15 with amcheck, pgBackRest and Go are needed; install postgresql-15 and pgbackrest")
        return 1
    begun, acknowledged, lost, bad = time.monotonic(), 0, 0, 0
    for each in range(seed, seed + count):
        lines, violations, history = run(each)
        acknowledged += len(history.client.acks) if history else 0
        lost += len(history.lost) if history else 0
        print(f"seed {each}: {', '.join(chosen(each))}: {'VIOLATED' if violations else 'holds'}", flush=True)
        if violations:
            bad += 1
            print("\n".join(f"  {line}" for line in lines))
            print("\n".join(f"  VIOLATED {line}" for line in violations[:10]), flush=True)
    print(
        f"{count} histories of postgres in {time.monotonic() - begun:.0f} s: {acknowledged:,} rows acknowledged, "
        f"{lost} given up by lossy orders, {bad} histories with a violation"
    )
    return 1 if bad else 0
