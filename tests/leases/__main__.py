"""Runs lease programs and prints a minimal one for each violation: `python -m tests.leases --programs N --seed S`."""

# ruff: noqa: T201 it prints what it found

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from .programs import Op, programs, run


def main(arguments: list[str] | None = None) -> int:
    """Run the programs; 1 if one of them violates an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.leases", description=__doc__)
    parser.add_argument("--programs", type=int, default=3000, help="how many to run")
    parser.add_argument("--seed", type=int, default=0, help="where to begin; the same seed gives the same programs")
    parser.add_argument("--stacks", type=int, default=1, choices=(1, 2), help="stacks in the one account")
    given_ = parser.parse_args(arguments)
    begun, ran = time.monotonic(), 0
    kinds: dict[str, tuple[list[Op], list[str], list[str]]] = {}
    left, start = given_.programs, given_.seed
    while left > 0:  # one search finds one kind of violation; go on behind it
        before = ran

        @seed(start)
        @settings(
            max_examples=left,
            deadline=None,
            database=None,
            verbosity=Verbosity.quiet,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        @given(programs(given_.stacks))
        def search(program: list[Op]) -> None:
            nonlocal ran
            ran += 1
            history = run(program, given_.stacks)
            if history.world.violations:
                kinds["last"] = (program, history.world.violations, history.log)
                raise AssertionError(history.world.violations[0])

        try:
            search()
        except AssertionError:
            program, violations, log = kinds.pop("last")
            kinds[f"{start}"] = (program, violations, log)
            if len(kinds) >= 5:
                break
        left -= max(1, ran - before)
        start += 1
    for at, (program, violations, log) in kinds.items():
        print(f"seed {at}: {len(program)} steps")
        print("\n".join(f"  {line}" for line in log))
        print("\n".join(f"  VIOLATED {each}" for each in violations))
    print(
        f"{ran} programs in {time.monotonic() - begun:.1f} s, {len(kinds)} of them minimal and violating an invariant"
    )
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
