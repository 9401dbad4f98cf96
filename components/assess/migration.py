"""How a workload moves: steps with hours and drivers, prerequisites, what to measure, and the order of all moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.models import Mode
from . import effort
from .cost import kept
from .drills import homework
from .effort import copy_hours
from .exposure import custody
from .figure import HOURS, Figure, Span, given, span, total
from .history import vendor
from .inventory import Work
from .recipes import FLIP, GATEWAY, LEAVE, ONCE, TEMPLATES
from .recommend import recommend
from .situation import Course

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .effort import Step
    from .history import Vendor
    from .inventory import Inventory, Workload

#: The order of moves: what risks least and teaches most goes first.
ORDER: tuple[Work, ...] = (
    Work.DOCS,
    Work.FRONTEND,
    Work.STATUS,
    Work.DASHBOARD,
    Work.BOT,
    Work.API,
    Work.INDEXER,
    Work.BLOG,
    Work.WIKI,
    Work.OTHER,
    Work.DATABASE_APP,
    Work.FORUM,
    Work.MAIL,
    Work.RPC,
    Work.STORAGE,
    Work.GOVERNANCE,
    Work.TREASURY,
    Work.NODE,
    Work.VALIDATOR,
)


@dataclass(frozen=True, slots=True)
class Migration:
    """The work on one workload: its move, or the homework of one that stays."""

    steps: tuple[Step, ...]
    prerequisites: tuple[str, ...]
    measure: tuple[str, ...]
    hours: Span
    #: hours that pass without work: copying over the uplink, waiting for signatures
    waiting: Figure


def migration(workload: Workload, course: Course, inventory: Inventory) -> Migration:
    """Return the steps of one workload's move, or its homework if it stays."""
    taken = effort.steps(_templates(workload, course, inventory), workload, _words(workload, course, inventory))
    return Migration(
        steps=taken,
        prerequisites=tuple(_prerequisites(workload, course, inventory)),
        measure=tuple(_measure(workload, course)),
        hours=hours("effort", taken),
        waiting=_waiting(workload, course, inventory),
    )


def staying(workload: Workload, inventory: Inventory) -> Migration:
    """Return the homework of a workload that stays where it is."""
    advice = recommend(workload)
    return migration(workload, advice if advice.refused else Course(Mode.CENTRALIZED), inventory)


def left(workload: Workload, course: Course, inventory: Inventory) -> tuple[Vendor, ...]:
    """Return the vendors that run it today and are at no site of the plan: those that are left."""
    companies = {site.company for site in course.plan(inventory.dao).sites}
    parties = (vendor(party, inventory.vendors) for party in workload.parties["compute"])
    return tuple({one.company: one for one in parties if one.company not in companies}.values())


def _templates(workload: Workload, course: Course, inventory: Inventory) -> tuple[effort.Template, ...]:
    if course.moves and course.standing is not None:
        return FLIP
    if course.moves:
        leave = (LEAVE,) if left(workload, course, inventory) else ()
        return (*TEMPLATES.get(workload.work, TEMPLATES[Work.OTHER]), *leave)
    if workload.work is Work.NODE and course.refused and workload.hosts:
        return (GATEWAY, *homework(workload))
    return homework(workload)


_BALANCERS = (
    ("alb", "the load balancer at AWS"),
    ("cloudfront-plan", "CloudFront's one origin"),
    ("cloudfront", "CloudFront's one origin"),
)


def _words(workload: Workload, course: Course, inventory: Inventory) -> dict[str, str]:
    """Return a workload's words for the texts of its steps."""
    gone = left(workload, course, inventory) if course.moves else ()
    today = gone or tuple(vendor(party, inventory.vendors) for party in workload.parties["compute"])
    parts = {part.what for part in workload.parts}
    front = [name for what, name in _BALANCERS if what in parts]
    edges = [f"what {vendor(party, inventory.vendors).name} does today" for party in workload.parties.get("edge", ())]
    secrets = ", ".join(secret.name for secret in workload.secrets)
    return {
        "kept": kept(workload),
        "hosts": ", ".join(workload.hosts) or "no public name",
        "vendor": " and ".join(one.name for one in today),
        "leave": "; ".join(filter(None, (one.leave for one in today))) or "everything it lets out",
        "secrets": secrets or "it holds none itself; the deployment's own for stores, lease and DNS",
        "balancer": ", ".join(dict.fromkeys(front or edges)) or "nothing: no balancer stands today",
    }


def hours(label: str, taken: tuple[Step, ...]) -> Span:
    """Return the sum of the hours of steps."""
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


def _prerequisites(workload: Workload, course: Course, inventory: Inventory) -> Iterator[str]:
    yield from workload.blockers
    if not course.moves:
        return
    plan = course.plan(inventory.dao)
    if any(site.rented for site in plan.sites):
        yield f"escrow funded for {inventory.dao.runway_days:g} days, with an alarm at 14"
    if len(plan.sites) == 1 and plan.sites[0].rented:
        yield "a schedule that runs `pulumi up --refresh`, so that a lost lease is rented again within the hour"
    if workload.hosts:
        yield f"the zone of {', '.join(workload.hosts)} at the DNS authority of the plan, TTL 60 two days before"
    if workload.data and workload.data.gb:
        yield "two stores at two companies, with credentials that may write but not delete"
    if names := custody(workload):
        yield f"{', '.join(names)} out of its environment: custody secrets never go to a lease"
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
        rule = f"{signers.needed} of {signers.of} signatures, by the DAO's own rule"
        lines.append(given(rule, signers.hours, HOURS, "inventory: signers"))
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
    """Return the hours that the DAO spends once, for any number of moves."""
    return hours("once for the DAO", ONCE)


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a move in the timeline, in weeks from the start."""

    name: str
    starts: float
    weeks: float
    hours: Span


def order(inventory: Inventory, courses: Mapping[str, Course]) -> tuple[str, ...]:
    """Return the moves in order: by the table, and never before what they wait for."""
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


#: The slot of the drills of everything that stays.
HOMEWORK = "homework"


def timeline(inventory: Inventory, migrations: Mapping[str, Migration], names: tuple[str, ...]) -> tuple[Slot, ...]:
    """Return the work one after another at the DAO's hours a week, the middle of each range: once, moves, homework."""
    rest = [one.hours for name, one in migrations.items() if name not in names and one.steps]
    blocks = [(name, migrations[name].hours) for name in names]
    if names:
        blocks.insert(0, ("once for the DAO", once()))
    if rest:
        blocks.append((HOMEWORK, span("homework of what stays", rest, HOURS)))
    at = 0.0
    slots = []
    for name, work in blocks:
        weeks = work.middle / inventory.dao.hours_week
        slots.append(Slot(name, round(at, 2), round(weeks, 2), work))
        at += weeks
    return tuple(slots)
