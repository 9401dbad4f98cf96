"""Tests of every real store: its histories, which must be those of the store in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from components.stores.record import Record, State
from components.stores.tenure import Outcome

from . import __main__ as program
from . import stores
from .plan import planned

if TYPE_CHECKING:
    from collections.abc import Callable

    from components.stores.writer import Records

#: The kinds and first seeds, ten seeds for each test; `python -m tests.histories` runs any number.
BATCHES = [("singleton", 0), *(("writer", seed) for seed in range(0, 50, 10))]


def as_in_memory(kind: str, first: int, open_record: Callable[[str], Records]) -> None:
    """Run histories in a real store; each must pass, and equal the one in memory line by line."""
    with stores.opened("memory") as in_memory:
        for seed in range(first, first + 10):
            real, simulated = (program.run(planned(kind, seed), each) for each in (open_record, in_memory))
            assert real.violations == [], "\n".join([*real.lines, *real.violations])
            assert real.lines == simulated.lines


def one_winner(open_record: Callable[[str], Records], rounds: int, writers: int) -> None:
    """Let many writers write at once on one condition, in many rounds: exactly one may succeed."""
    records = open_record("race.json")
    etag: str | None = None
    with ThreadPoolExecutor(writers) as pool:
        for serial in range(rounds):
            racers = [
                Record(stores.WORKLOAD, f"racer-{n}", 0, State.CLAIMED, by=str(n), serial=serial)
                for n in range(writers)
            ]
            outcomes = list(pool.map(lambda each, etag=etag: records.write(each, etag)[0], racers))
            found, etag = records.read()
            assert outcomes.count(Outcome.TOOK) == 1
            assert found == racers[outcomes.index(Outcome.TOOK)]
