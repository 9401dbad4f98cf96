"""Run histories and print a minimal one for each violation: `python -m tests.histories writer --count N --seed S`."""

# ruff: noqa: T201 it prints what it found

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from . import stores
from .plan import SHAPES, Plan, planned
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from components.stores.writer import Records


def run(plan: Plan, open_record: Callable[[str], Records], clock: str = "monotonic") -> World:
    """Run one history with its record at a key that no other history uses."""
    run.count += 1  # type: ignore[attr-defined]
    records = open_record(f"histories/{plan.kind}-{plan.seed}-{run.count}.json")  # type: ignore[attr-defined]
    if plan.careless:
        records._client = stores.Careless(records._client)
    world = World(plan, records, clock)
    world.run()
    return world


run.count = 0  # type: ignore[attr-defined]


def minimal(plan: Plan, open_record: Callable[[str], Records]) -> World:
    """Remove the happenings that a history's violation does not need; return the smallest history that has one."""
    smallest = run(plan, open_record)
    dropped = True
    while dropped:
        dropped = False
        for each in plan.happenings:
            fewer = replace(plan, happenings=tuple(other for other in plan.happenings if other is not each))
            if (world := run(fewer, open_record)).violations:
                plan, smallest, dropped = fewer, world, True
                break
    return smallest


def main(arguments: list[str] | None = None) -> int:
    """Run the histories and return the exit code: 1 if one of them has a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument(
        "kind",
        choices=[*SHAPES, "postgres"],
        help="a simulated workload with a database, a simulated singleton, or two real PostgreSQLs",
    )
    parser.add_argument("--count", type=int, default=50, help="how many to run (50)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the first history; equal seeds give equal histories"
    )
    parser.add_argument("--store", choices=stores.NAMES, default="memory", help="where the record is (memory)")
    given = parser.parse_args(arguments)
    if given.kind == "postgres":
        from tests.stateful import history

        return history.main(given.count, given.seed)
    begun, acknowledged, epochs, given_up, bad = time.monotonic(), 0, 0, 0, 0
    with stores.opened(given.store) as open_record:
        for seed in range(given.seed, given.seed + given.count):
            plan = planned(given.kind, seed)
            world = run(plan, open_record)
            acknowledged += len(world.acks)
            epochs += world.last.epoch if world.last else 0
            given_up += world.lost
            if world.violations:
                bad += 1
                smallest = minimal(plan, open_record)
                print(f"seed {seed}: {len(smallest.plan.happenings)} of {len(plan.happenings)} happenings are needed")
                print("\n".join(f"  {line}" for line in smallest.lines))
                print("\n".join(f"  VIOLATED {each}" for each in smallest.violations[:10]))
    print(
        f"{given.count} histories of {given.kind} on {given.store} in {time.monotonic() - begun:.1f} s: "
        f"{acknowledged:,} writes acknowledged, {epochs} epochs, {given_up} writes given up by lossy orders, "
        f"{bad} histories with a violation"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
