"""The whole assessment: an inventory and its plans in, every number of the report out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.models import Mode
from ..errors import ConfigError
from . import cost, courses, exposure, history, migration, risk
from .downtime import downtime
from .figure import HOURS_YEAR, Figure, Span, span, total
from .layers import LAYERS
from .level import Grade
from .residual import Dependence, dependence
from .risk import Facts, Rating
from .situation import NETWORKS, Course, Situation, planned, today
from .tariff import Coster
from .value import Value, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from ..errors import Fault
    from ..prices.book import PriceBook
    from .inventory import Inventory, Workload
    from .migration import Migration, Slot


@dataclass(frozen=True, slots=True)
class View:
    """A workload in one situation: today, after the plan, or wholly on one network."""

    situation: Situation
    dependence: Dependence
    downtime: Span
    availability: Rating
    exposure: Rating


@dataclass(frozen=True, slots=True)
class Assessed:
    """Everything about one workload."""

    name: str
    workload: Workload
    course: Course
    before: View
    after: View
    cost_before: Figure
    cost_after: Figure
    cost_beside: tuple[Figure, ...]
    #: what the same size costs on each network, and how it would be rated wholly there
    elsewhere: Mapping[str, tuple[Figure, View]]
    migration: Migration
    value: Value
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything about everything."""

    inventory: Inventory
    on: date
    origin: str
    book: PriceBook
    workloads: tuple[Assessed, ...]
    shared: Figure
    cost_before: Figure
    cost_after: Figure
    downtime_before: Span
    downtime_after: Span
    value: Value
    order: tuple[str, ...]
    timeline: tuple[Slot, ...]
    #: sentences about data that is old, or parties nobody knows
    warnings: tuple[str, ...]

    def of(self, name: str) -> Assessed:
        """Return one workload's part."""
        return next(one for one in self.workloads if one.name == name)

    def grades(self, *, after: bool) -> dict[str, dict[Grade, int]]:
        """Count the grades of both risks, before or after the plan."""
        views = [one.after if after else one.before for one in self.workloads]
        return {
            "availability": {grade: sum(view.availability.grade is grade for view in views) for grade in Grade},
            "exposure": {grade: sum(view.exposure.grade is grade for view in views) for grade in Grade},
        }


def assess(
    inventory: Inventory,
    plan: Mapping[str, Course],
    book: PriceBook,
    on: date,
    origin: str = "our advice",
    only_in_stack: tuple[str, ...] = (),
) -> Assessment:
    """Assess every workload. Raises ConfigError with every part that has no price."""
    coster = Coster(book, on)
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
    shared = cost.shared(coster, inventory, plan)
    order = migration.order(inventory, plan)
    migrations = {one.name: one.migration for one in workloads}
    before = total("today, all workloads", (_named(one.name, one.cost_before) for one in workloads))
    after = total(
        "after the plan, all workloads",
        (*(_named(one.name, one.cost_after) for one in workloads), *([shared] if shared.value else ())),
    )
    down = (
        span("hours without a workload, today", (one.before.downtime for one in workloads), HOURS_YEAR),
        span("hours without a workload, after the plan", (one.after.downtime for one in workloads), HOURS_YEAR),
    )
    return Assessment(
        inventory=inventory,
        on=on,
        origin=origin,
        book=book,
        workloads=tuple(workloads),
        shared=shared,
        cost_before=before,
        cost_after=after,
        downtime_before=down[0],
        downtime_after=down[1],
        value=_whole(inventory, workloads, before, after, down),
        order=order,
        timeline=migration.timeline(inventory, migrations, order),
        warnings=tuple(_warnings(coster, inventory, before, after, only_in_stack)),
    )


def _one(coster: Coster, inventory: Inventory, name: str, course: Course, notes: tuple[str, ...]) -> Assessed:
    workload = inventory.workloads[name]
    own = inventory.vendors
    before = _view(workload, today(workload, own), coster.on)
    after = _view(workload, planned(workload, course, inventory.dao, own, coster.on), coster.on)
    cost_before = cost.costs_today(coster, name, workload)
    cost_after = cost.costs_after(coster, name, workload, course, inventory.dao)
    way = migration.migration(workload, course, inventory)
    return Assessed(
        name=name,
        workload=workload,
        course=course,
        before=before,
        after=after,
        cost_before=cost_before,
        cost_after=cost_after,
        cost_beside=cost.beside(coster, name, workload),
        elsewhere=dict(_elsewhere(coster, inventory, name, workload)),
        migration=way,
        value=value(
            cost_before,
            cost_after,
            way.hours,
            inventory.dao.rate_usd_hour,
            (before.downtime, after.downtime),
            (before.dependence.score, after.dependence.score),
            workload.usd_hour_down,
        ),
        notes=notes,
    )


def _view(workload: Workload, situation: Situation, on: date) -> View:
    depends = dependence(situation)
    hours = downtime(workload, situation)
    facts = Facts(workload, situation, depends, hours, on)
    return View(situation, depends, hours, risk.availability(facts), exposure.exposure(facts))


def _elsewhere(
    coster: Coster, inventory: Inventory, name: str, workload: Workload
) -> Iterator[tuple[str, tuple[Figure, View]]]:
    """Yield, for each network, the price of the size there and the ratings of living wholly there."""
    if workload.size is None:
        return
    for network in NETWORKS:
        course = Course(Mode.DECENTRALIZED, (network,), origin="comparison")
        situation = planned(workload, course, inventory.dao, inventory.vendors, coster.on)
        price = cost.on_network(coster, network, name, workload, f"the same size on {network}")
        yield network, (price, _view(workload, situation, coster.on))


def _named(name: str, figure: Figure) -> Figure:
    return Figure(name, figure.value, figure.unit, figure.label, (figure,), basis=figure.basis)


def _whole(
    inventory: Inventory, workloads: list[Assessed], before: Figure, after: Figure, down: tuple[Span, Span]
) -> Value:
    work = span("effort of everything", (migration.once(), *(one.migration.hours for one in workloads)), "h")
    scores = tuple(
        Figure(
            f"independence {when}",
            round(sum(figure.value for figure in figures) / len(figures)),
            "of 100",
            "mean over the workloads",
            figures,
        )
        for when, figures in (
            ("today", tuple(one.before.dependence.score for one in workloads)),
            ("after the plan", tuple(one.after.dependence.score for one in workloads)),
        )
    )
    return value(before, after, work, inventory.dao.rate_usd_hour, down, (scores[0], scores[1]), None)


def _warnings(
    coster: Coster, inventory: Inventory, before: Figure, after: Figure, only_in_stack: tuple[str, ...]
) -> Iterator[str]:
    used = {leaf.source.split(": ", 1)[-1] for figure in (before, after) for leaf in figure.leaves() if leaf.stale}
    for source in sorted(used):
        yield f"Prices are stale or unverified: {source}. “unmoor prices refresh” reads them again."
    age = (coster.on - inventory.as_of).days
    if age > risk.PROOF_DAYS:
        yield f"The inventory is {age} days old."
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
        yield f"Nothing is known about {', '.join(unknown)}: average values are assumed; say more under “vendors”."
    if only_in_stack:
        yield f"The stack has workloads that the inventory does not know: {', '.join(only_in_stack)}."
