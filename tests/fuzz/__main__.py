"""`python -m tests.fuzz [--seconds N] [NAME ...]`: make up inputs until the time is over, and keep what is a find."""

# ruff: noqa: T201  it is a program

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings

from .doors import CORPUS, DOORS, push

if TYPE_CHECKING:
    from pathlib import Path

#: The variable by which `python -m tests fuzz` asks for long runs.
LONG = "TESTS_FUZZ"
#: How long each door is fuzzed, in seconds: within the whole suite, which has half an hour; and in CI's own job for it.
SUITE_S, JOB_S = 3.0, 60.0
_ROUND = 100


def fuzz(name: str, seconds: float, start: int) -> tuple[int, bytes | None]:
    """Push inputs through a door for so long; give how many, and the first find, made small, if there is one."""
    end, count, smallest = time.monotonic() + seconds, 0, None
    while time.monotonic() < end:

        @seed(start + count)
        @settings(
            max_examples=_ROUND, database=None, deadline=None, phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
        )  # fmt: skip
        @given(DOORS[name].inputs())
        def go(raw: bytes) -> None:
            nonlocal smallest
            try:
                push(name, raw)
            except BaseException:
                smallest = raw
                raise

        try:
            go()
        except Exception:  # noqa: BLE001 any exception is a find
            traceback.print_exc(limit=-6)
            return count, smallest
        count += _ROUND
    return count, None


def keep(name: str, find: bytes) -> Path:
    """Put a find into the corpus, which every run of the tests pushes through its door; return its file."""
    kept = CORPUS / name / hashlib.sha256(find).hexdigest()[:16]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(find)
    return kept


def main() -> int:
    """Fuzz the doors named, or all, and keep each find; 0 if there was none."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=JOB_S, help="for each door")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="to do it again")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DOORS))
    given_ = parser.parse_args()
    unknown = [name for name in given_.names if name not in DOORS]
    if unknown:
        parser.error(f"no door {', '.join(unknown)}; choose from {', '.join(DOORS)}")
    finds = 0
    for name in given_.names or DOORS:
        count, find = fuzz(name, given_.seconds, given_.seed)
        print(
            f"{name}: {count:,} inputs, {'nothing found' if find is None else 'a find'} (seed {given_.seed})",
            flush=True,
        )
        if find is not None:
            finds += 1
            print(f"kept as {keep(name, find)}", flush=True)
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
