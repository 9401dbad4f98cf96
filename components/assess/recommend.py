"""The mode that suits a workload by what it keeps: a table, read from the top.

Whether to advise it is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.models import Mode
from .inventory import State, Work
from .situation import Course

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inventory import Workload

#: The most data, in GB, that a lease can pass on to the next one in acceptable time.
TOO_MUCH_GIB = 1024


@dataclass(frozen=True, slots=True)
class Advice:
    """One row: when it applies, and what to weigh then."""

    when: Callable[[Workload], bool]
    mode: Mode
    why: str
    decentralized: tuple[str, ...] = ()
    refused: bool = False
    instead: str = ""


#: The first row that applies counts; the last one always applies.
TABLE: tuple[Advice, ...] = (
    Advice(
        lambda w: w.state is State.KEYS or w.work is Work.VALIDATOR,
        Mode.CENTRALIZED,
        "a standby with the same keys signs twice, and signing twice burns stake",
        refused=True,
        instead="keep one signer; spread nodes over hosting companies by hand; never a standby",
    ),
    Advice(
        lambda w: w.state is State.EXTERNAL,
        Mode.CENTRALIZED,
        "a vendor runs it as its own service, so there is nothing to move; what counts is being able to leave",
        refused=True,
        instead="export the data every week to a store of your own, and keep a second vendor set up",
    ),
    Advice(
        lambda w: bool(w.blockers),
        Mode.CENTRALIZED,
        "something must change before it can move: see its blockers",
        instead="remove the blockers, then assess it again",
    ),
    Advice(
        lambda w: w.needs is not None and w.needs.disk_gib > TOO_MUCH_GIB,
        Mode.CENTRALIZED,
        f"it holds over {TOO_MUCH_GIB} GiB: no lease carries that to the next, and losing one means days of syncing",
        refused=True,
        instead="where users reach it by a name, move only a gateway with a cache and a rate limit",
    ),
    Advice(
        lambda w: w.work is Work.STATUS,
        Mode.DECENTRALIZED,
        "it reports on both sides, so it should share neither of them",
        decentralized=("flux",),
    ),
    Advice(
        lambda w: w.state is State.SINGLETON,
        Mode.DECENTRALIZED,
        "two copies would act twice, so one lease that is rented again in minutes serves better than a standby",
        decentralized=("akash",),
    ),
    Advice(
        lambda w: w.state is State.DATABASE,
        Mode.ACTIVE_STANDBY,
        "the standby replays the archive, and the switch comes once a rehearsal has proved it",
        decentralized=("akash",),
    ),
    Advice(
        lambda w: w.state is State.REBUILDABLE,
        Mode.ACTIVE_STANDBY,
        "its data comes back from the chain, so a standby needs no archive, only time",
        decentralized=("akash",),
    ),
    Advice(
        lambda _: True,
        Mode.ACTIVE_STANDBY,
        "it keeps nothing, so both sides can serve at once and the switch is DNS alone",
        decentralized=("akash",),
    ),
)


def recommend(workload: Workload) -> Course:
    """Return the move that suits a workload by what it keeps, or the reason why none does."""
    advice = next(row for row in TABLE if row.when(workload))
    return Course(
        mode=advice.mode,
        decentralized=advice.decentralized,
        why=advice.why,
        refused=advice.why if advice.refused else "",
        instead=advice.instead,
    )


def refusal(workload: Workload) -> str:
    """Return why a workload may not be given a standby or be moved; empty if it may."""
    return recommend(workload).refused
