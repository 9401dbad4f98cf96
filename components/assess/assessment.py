"""The whole assessment: an inventory and its plans in, every figure of the report out.

Everything has three columns: today; stay, with the homework done (copies, drills, a rehearsed exit); and the plan, in
which what moves has moved and what stays has done its homework. The benefit of moving is the third column minus the
second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..config.models import Mode
from ..errors import ConfigError
from . import cost, courses, history, migration, risk
from .figure import HOURS_YEAR, Basis, Figure, Span, span, total
from .layers import LAYERS
from .level import Grade
from .situation import ADVICE, NETWORKS, Course, homework, planned, standing, today
from .tariff import Coster, usage
from .value import Value, value
from .views import View, view
from .weigh import Verdict, Weighed, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from ..errors import Fault
    from ..prices.book import PriceBook
    from .inventory import Inventory, Workload
    from .migration import Migration, Slot

__all__ = ["Assessed", "Assessment", "View", "advised", "assess"]


@dataclass(frozen=True, slots=True)
class Assessed:
    """The assessment of one workload. If it stays, `after` is the result of its homework."""

    name: str
    workload: Workload
    course: Course
    before: View
    stay: View
    after: View
    cost_before: Figure
    cost_stay: Figure
    cost_after: Figure
    cost_also_known: tuple[Figure, ...]
    #: rent of its leases, USD a month, and what more they may cost
    rent: Figure
    rent_more: Figure
    #: what the same size costs on each network, and how it would be rated wholly there
    elsewhere: Mapping[str, tuple[Figure, View]]
    migration: Migration
    #: the drills alone, for the second column
    homework: Migration
    value: Value
    #: the move on the scales, or the one that was weighed and not advised; None where nothing was weighed
    weighed: Weighed | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """The assessment of all workloads."""

    inventory: Inventory
    on: date
    origin: str
    book: PriceBook
    workloads: tuple[Assessed, ...]
    shared: Figure
    shared_stay: Figure
    cost_before: Figure
    cost_stay: Figure
    cost_after: Figure
    rent: Figure
    rent_more: Figure
    downtime_before: Span
    downtime_stay: Span
    downtime_after: Span
    value: Value
    order: tuple[str, ...]
    timeline: tuple[Slot, ...]
    #: hours of work: once, the moves, and the homework of what stays; and of homework for all, without a move
    work_moves: Span
    work_rest: Span
    work_stay: Span
    #: sentences about data that is old, or parties that are not known
    warnings: tuple[str, ...]

    def of(self, name: str) -> Assessed:
        """Return one workload's part."""
        return next(one for one in self.workloads if one.name == name)

    def grades(self, column: str) -> dict[str, dict[Grade, int]]:
        """Count the grades of both risks in a column: before, stay or after."""
        views: list[View] = [getattr(one, column) for one in self.workloads]
        return {
            "availability": {grade: sum(view.availability.grade is grade for view in views) for grade in Grade},
            "exposure": {grade: sum(view.exposure.grade is grade for view in views) for grade in Grade},
        }


def advised(inventory: Inventory, plan: Mapping[str, Course], book: PriceBook, on: date) -> dict[str, Course]:
    """Return the plan without the moves that are not worth it; the DAO's own wishes stay.

    Parts without a price are left for `assess` to report.
    """
    coster = Coster(book, on, usage(inventory.workloads.values()))
    return {name: _advised(coster, inventory, name, course) for name, course in plan.items()}


def _advised(coster: Coster, inventory: Inventory, name: str, course: Course) -> Course:
    if not course.moves or course.origin != ADVICE:
        return course
    try:
        weighed = _weigh(coster, inventory, name, course)
    except ConfigError:
        return course
    if weighed.verdict is not Verdict.STAY:
        return course
    return Course(Mode.CENTRALIZED, why=weighed.why, instead=weighed.change, considered=course)


def _weigh(coster: Coster, inventory: Inventory, name: str, course: Course) -> Weighed:
    workload, own = inventory.workloads[name], inventory.vendors
    stay = view(workload, homework(workload, inventory.dao, own, coster.on), coster.on)
    after = view(workload, planned(workload, course, inventory.dao, own, coster.on), coster.on)
    bills = (
        cost.costs_stay(coster, name, workload, inventory.dao),
        cost.costs_after(coster, name, workload, course, inventory.dao),
    )
    return weigh(workload, stay, after, bills)


def assess(
    inventory: Inventory,
    plan: Mapping[str, Course],
    book: PriceBook,
    on: date,
    origin: str = "the advice",
    only_in_stack: tuple[str, ...] = (),
) -> Assessment:
    """Assess every workload. Raises ConfigError with every part that has no price."""
    coster = Coster(book, on, usage(inventory.workloads.values()))
    notes = courses.notes(inventory, plan)
    found: list[Fault] = []
    workloads = []
    for name in inventory.workloads:
        try:
            workloads.append(_one(coster, inventory, name, plan[name], notes[name]))
        except ConfigError as error:
            found += error.faults
    if found:
        raise ConfigError("some parts have no price; state the cost, or choose a size that is in the price book", found)
    return _whole(coster, inventory, plan, workloads, origin, only_in_stack)


def _one(coster: Coster, inventory: Inventory, name: str, course: Course, notes: tuple[str, ...]) -> Assessed:
    workload, own, dao, on = inventory.workloads[name], inventory.vendors, inventory.dao, coster.on
    known = today(workload, own) if course.standing is None else standing(workload, course.standing, dao, own)
    before = view(workload, known, on)
    stay = view(workload, homework(workload, dao, own, on, course.standing), on)
    moves = course.moves or course.planned is not None
    after = view(workload, planned(workload, course, dao, own, on), on) if moves else stay
    cost_before = cost.costs_today(coster, name, workload, course)
    cost_stay = cost.costs_stay(coster, name, workload, dao, course)
    cost_after = cost.costs_after(coster, name, workload, course, dao) if moves else cost_stay
    way = migration.migration(workload, course, inventory)
    sites = course.plan(dao).sites if moves else ()
    return Assessed(
        name=name,
        workload=workload,
        course=course,
        before=before,
        stay=stay,
        after=after,
        cost_before=cost_before,
        cost_stay=cost_stay,
        cost_after=cost_after,
        cost_also_known=cost.also_known(coster, name, workload),
        rent=cost.rent(coster, name, workload, course, dao) if moves else total("rent of leases", ()),
        rent_more=cost.dearer(coster, workload.needs, sum(site.target == "akash" for site in sites)),
        elsewhere=dict(_elsewhere(coster, inventory, name, workload)),
        migration=way,
        homework=migration.staying(workload, inventory),
        value=value(
            (cost_before, cost_stay, cost_after),
            way.hours,
            dao.rate_usd_hour,
            (stay.downtime, after.downtime),
            (stay.dependence.score, after.dependence.score),
            workload.usd_hour_down,
        ),
        weighed=_scales(coster, inventory, name, course, (stay, after), (cost_stay, cost_after)),
        notes=notes,
    )


def _scales(
    coster: Coster,
    inventory: Inventory,
    name: str,
    course: Course,
    views: tuple[View, View],
    bills: tuple[Figure, Figure],
) -> Weighed | None:
    """Weigh the move, or the one that was considered, if it can be built."""
    if course.moves:
        return weigh(inventory.workloads[name], *views, bills)
    if course.considered is not None:
        return _weigh(coster, inventory, name, course.considered)
    return None


def _elsewhere(
    coster: Coster, inventory: Inventory, name: str, workload: Workload
) -> Iterator[tuple[str, tuple[Figure, View]]]:
    """Yield, for each network, the price of the size there and the ratings of running wholly there."""
    if workload.needs is None:
        return
    for network in NETWORKS:
        course = Course(Mode.DECENTRALIZED, (network,), origin="comparison")
        situation = planned(workload, course, inventory.dao, inventory.vendors, coster.on)
        price = cost.on_network(coster, network, name, workload, f"the same size on {network}")
        yield network, (price, view(workload, situation, coster.on))


def _sums(
    coster: Coster, inventory: Inventory, plan: Mapping[str, Course], workloads: list[Assessed]
) -> tuple[Figure, ...]:
    """Add up the three bills; a workload whose bill is unknown is in none of them."""
    known = [one for one in workloads if one.cost_before.basis is not Basis.UNKNOWN]
    columns = (
        ("today, all workloads", "cost_before", None),
        ("stay, all workloads", "cost_stay", cost.shared_stay(coster, inventory)),
        ("after the plan, all workloads", "cost_after", cost.shared(coster, inventory, plan)),
    )
    moving = any(one.course.moves for one in workloads)
    found = []
    for label, column, shared in columns:
        once = columns[1][2] if column == "cost_after" and not moving else shared
        lines = [_named(one.name, getattr(one, column)) for one in known]
        found.append(total(label, [*lines, *([once] if once is not None and once.value else [])]))
    return (*found, columns[1][2] or total("", ()), (columns[2][2] if moving else columns[1][2]) or total("", ()))


def _whole(
    coster: Coster,
    inventory: Inventory,
    plan: Mapping[str, Course],
    workloads: list[Assessed],
    origin: str,
    only_in_stack: tuple[str, ...],
) -> Assessment:
    before, stay, after, shared_stay, shared = _sums(coster, inventory, plan, workloads)
    down = tuple(
        span(f"hours without a workload, {title}", (getattr(one, column).downtime for one in workloads), HOURS_YEAR)
        for title, column in (("today", "before"), ("with homework", "stay"), ("after the plan", "after"))
    )
    order = migration.order(inventory, plan)
    migrations = {one.name: one.migration for one in workloads}
    moves = [one for one in workloads if one.course.moves]
    rest = [one.migration.hours for one in workloads if not one.course.moves]
    work = span("moves", (*((migration.once(),) if moves else ()), *(one.migration.hours for one in moves)), "h")
    scores = tuple(
        _mean_score(workloads, title, column)
        for title, column in (("with homework", "stay"), ("after the plan", "after"))
    )
    return Assessment(
        inventory=inventory,
        on=coster.on,
        origin=origin,
        book=coster.book,
        workloads=tuple(workloads),
        shared=shared,
        shared_stay=shared_stay,
        cost_before=before,
        cost_stay=stay,
        cost_after=after,
        rent=total("rent of leases, all workloads", [one.rent for one in moves]),
        rent_more=total("rent, if providers ask Console's estimate", [one.rent_more for one in moves]),
        downtime_before=down[0],
        downtime_stay=down[1],
        downtime_after=down[2],
        value=value(
            (_known(before), _known(stay), _known(after)), work, inventory.dao.rate_usd_hour, (down[1], down[2]),
            (scores[0], scores[1]), None,
        ),
        order=order,
        timeline=migration.timeline(inventory, migrations, order),
        work_moves=work,
        work_rest=span("homework of what stays", rest, "h"),
        work_stay=span("homework of everything", [one.homework.hours for one in workloads], "h"),
        warnings=tuple(_warnings(coster, inventory, workloads, shared, only_in_stack)),
    )  # fmt: skip


def _known(figure: Figure) -> Figure:
    """Return a sum of known bills as known."""
    return replace(figure, basis=Basis.ESTIMATED) if figure.basis is Basis.UNKNOWN else figure


def _mean_score(workloads: Iterable[Assessed], title: str, column: str) -> Figure:
    figures = tuple(getattr(one, column).dependence.score for one in workloads)
    mean = round(sum(figure.value for figure in figures) / len(figures))
    return Figure(f"independence {title}", mean, "of 100", "mean over the workloads", figures)


def _named(name: str, figure: Figure) -> Figure:
    return Figure(name, figure.value, figure.unit, figure.label, (figure,), basis=figure.basis)


def _warnings(
    coster: Coster, inventory: Inventory, workloads: list[Assessed], shared: Figure, only_in_stack: tuple[str, ...]
) -> Iterator[str]:
    bills = [(one.name, figure) for one in workloads for figure in (one.cost_before, one.cost_after)]
    yield from _stale([*bills, ("what all share", shared)])
    for one in workloads:
        if one.cost_before.basis is Basis.UNKNOWN:
            yield f"What {one.workload.title} costs today is unknown; the totals leave it out."
    if age := max(0, (coster.on - inventory.as_of).days - risk.PROOF_DAYS):
        yield f"The inventory is {age + risk.PROOF_DAYS} days old."
    for name, made in history.compiled().items():
        if (coster.on - made).days > risk.PROOF_DAYS:
            yield f"The data in {name}.json is {(coster.on - made).days} days old."
    unknown = sorted(
        {
            party
            for one in inventory.workloads.values()
            for layer in LAYERS
            for party in one.parties.get(layer, ())  # type: ignore[call-overload]
            if not history.vendor(party, inventory.vendors).known
        }
    )
    if unknown:
        yield f"Nothing is known about {', '.join(unknown)}: average values are assumed; describe them under “vendors”."
    if only_in_stack:
        yield f"The stack has workloads that the inventory does not have: {', '.join(only_in_stack)}."


def _stale(bills: Iterable[tuple[str, Figure]]) -> Iterator[str]:
    """Yield one sentence for each stale source: the figures that it affects, and their sum."""
    touched: dict[str, dict[str, float]] = {}
    for name, figure in bills:
        for source, usd in figure.stale_lines():
            sums = touched.setdefault(source.split(": ", 1)[-1], {})
            sums[name] = max(sums.get(name, 0.0), usd)
    for title, sums in sorted(touched.items()):
        names = ", ".join(f"{name} ({usd:,.2f} USD)" for name, usd in sums.items())
        yield f"These figures rest on prices that are old or unverified: {names}. Source: {title}."
