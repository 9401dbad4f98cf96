"""How a workload moves: steps with hours and drivers, prerequisites, what to measure, and the order of all moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.models import Mode
from . import effort
from .effort import copy_hours
from .figure import HOURS, Figure, Span, given, total
from .inventory import SecretClass, State, Work
from .recipes import EXPORT, GATEWAY, ONCE, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .effort import Step
    from .inventory import Inventory, Workload
    from .situation import Course

#: Who goes first: what risks least and teaches most.
ORDER: tuple[Work, ...] = (
    Work.STATUS,
    Work.DOCS,
    Work.FRONTEND,
    Work.DASHBOARD,
    Work.BOT,
    Work.API,
    Work.INDEXER,
    Work.OTHER,
    Work.DATABASE_APP,
    Work.FORUM,
    Work.MAIL,
    Work.NODE,
    Work.VALIDATOR,
)


@dataclass(frozen=True, slots=True)
class Migration:
    """The way of one workload."""

    steps: tuple[Step, ...]
    prerequisites: tuple[str, ...]
    measure: tuple[str, ...]
    hours: Span
    #: hours that pass without work: copying over the uplink, waiting for signatures
    waiting: Figure


def migration(workload: Workload, course: Course, inventory: Inventory) -> Migration:
    """Lay out the move of one workload, or what to do when it stays."""
    taken = effort.steps(_templates(workload, course), workload)
    return Migration(
        steps=taken,
        prerequisites=tuple(_prerequisites(workload, course)),
        measure=tuple(_measure(workload, course)),
        hours=hours("effort", taken),
        waiting=_waiting(workload, course, inventory),
    )


def _templates(workload: Workload, course: Course) -> tuple[effort.Template, ...]:
    if course.moves:
        return TEMPLATES.get(workload.work, TEMPLATES[Work.OTHER])
    if workload.state is State.EXTERNAL:
        return (EXPORT,)
    if workload.work is Work.NODE and course.refused:
        return (GATEWAY,)
    return ()


def hours(label: str, taken: tuple[Step, ...]) -> Span:
    """Add the hours of steps up."""
    low, high = (
        total(
            f"{label}, {end}",
            (
                given(step.title, getattr(step, end), HOURS, step.driver or "seed of the manual's table")
                for step in taken
            ),
            HOURS,
        )
        for end in ("low", "high")
    )
    return Span(label, low, high)


def _prerequisites(workload: Workload, course: Course) -> Iterator[str]:
    yield from workload.blockers
    if not course.moves:
        return
    yield "escrow funded for 60 days, with an alarm at 14"
    if len(course.decentralized) == 1 and course.mode is Mode.DECENTRALIZED:
        yield "a schedule that runs `pulumi up --refresh`, so that a lost lease is rented again within the hour"
    if workload.hosts:
        yield f"the zone of {', '.join(workload.hosts)} at the DNS authority of the plan, TTL 60 two days before"
    if workload.data and workload.data.gb:
        yield "two stores at two companies, with credentials that may write but not delete"
    if any(secret.kind is SecretClass.CUSTODY for secret in workload.secrets):
        names = ", ".join(secret.name for secret in workload.secrets if secret.kind is SecretClass.CUSTODY)
        yield f"{names} out of its environment: custody secrets never go to a lease"
    yield from (f"{other} has moved" for other in workload.after)


def _measure(workload: Workload, course: Course) -> Iterator[str]:
    if not course.moves:
        return
    yield "requests that fail during the flip (none should)"
    if course.mode is Mode.ACTIVE_STANDBY or len(course.decentralized) > 1:
        yield "seconds from breaking the primary to the first answer from the standby"
    else:
        yield "minutes from losing the lease to the first answer from the next one"
    yield "the lease's own uptime, by a probe from outside"
    if workload.data and workload.data.gb:
        yield "age of the newest row after a restore (the proved loss), and the time it took"
    yield "the month's bill against this estimate"


def _waiting(workload: Workload, course: Course, inventory: Inventory) -> Figure:
    dao = inventory.dao
    lines = []
    if course.moves:
        signers = workload.signers or dao.signers
        lines.append(given(f"{signers.needed} of {signers.of} signatures", signers.hours, HOURS, "inventory: signers"))
    if course.moves and workload.data and workload.data.gb:
        gb = given("data", workload.data.gb, "GB", "inventory: data.gb")
        line = given("uplink", dao.uplink_mbit, "Mbit/s", "inventory: dao.uplink_mbit")
        lines.append(
            Figure(
                "copying the data",
                round(copy_hours(gb.value, line.value), 1),
                HOURS,
                "GB x 8000 / Mbit/s / 3600",
                (gb, line),
            )
        )
    return total("waiting", lines, HOURS)


def once() -> Span:
    """Return the hours that the DAO spends once, whatever moves."""
    return hours("once for the DAO", ONCE)


@dataclass(frozen=True, slots=True)
class Slot:
    """When a move takes place, in weeks from the start."""

    name: str
    starts: float
    weeks: float
    hours: Span


def order(inventory: Inventory, courses: Mapping[str, Course]) -> tuple[str, ...]:
    """Put the moves in order: by the table, and never before what they wait for."""
    workloads = inventory.workloads
    waiting = sorted(
        (name for name, course in courses.items() if course.moves),
        key=lambda name: (ORDER.index(workloads[name].work), name),
    )
    done: list[str] = []
    while waiting:
        ready = next(name for name in waiting if not {*workloads[name].after} & {*waiting})
        waiting.remove(ready)
        done.append(ready)
    return tuple(done)


def timeline(inventory: Inventory, migrations: Mapping[str, Migration], names: tuple[str, ...]) -> tuple[Slot, ...]:
    """Lay the moves out one after another at the DAO's hours a week, the middle of each range."""
    at = 0.0
    slots = []
    first = ("once for the DAO", once())
    for name, work in (first, *((name, migrations[name].hours) for name in names)):
        weeks = work.middle / inventory.dao.hours_week
        slots.append(Slot(name, round(at, 2), round(weeks, 2), work))
        at += weeks
    return tuple(slots)
