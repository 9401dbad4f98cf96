"""Both risks and the expected downtime of workloads before and after a change, from their plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..assess.adapter import planned
from ..assess.situation import standing
from ..assess.views import view

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import date

    from ..assess.figure import Span
    from ..assess.inventory import Inventory, Workload
    from ..assess.planned import Planned
    from ..assess.views import View
    from ..registry import Registry
    from ..topology import Topology


def risks(
    inventory: Inventory, plans: tuple[Topology | None, Topology], registry: Registry, names: Collection[str], on: date
) -> dict[str, tuple[str, ...]]:
    """Return sentences about each named workload that the inventory has.

    The inventory describes the workload and its data; who runs it comes from the plans alone, before and after.
    """
    known = {entry.stack or name: entry for name, entry in inventory.workloads.items() if entry.stack or name in names}
    before, after = (planned(one, registry) if one else {} for one in plans)
    found = {}
    for name in names:
        if name in known and name in after:
            entry = known[name]
            old, new = (_view(entry, side.get(name), inventory, on) for side in (before, after))
            found[name] = _sentences(old, new) if new else ()
    return found


def _view(entry: Workload, plan: Planned | None, inventory: Inventory, on: date) -> View | None:
    return view(entry, standing(entry, plan, inventory.dao, inventory.vendors), on) if plan else None


def _sentences(before: View | None, after: View) -> tuple[str, ...]:
    rows: dict[str, Callable[[View], str]] = {
        "Risk of an outage or deplatforming": lambda view: str(view.availability.grade),
        "Risk of data exposure": lambda view: str(view.exposure.grade),
        "Expected downtime": lambda view: _hours(view.downtime),
    }
    return tuple(_change(what, read(before) if before else None, read(after)) for what, read in rows.items())


def _change(what: str, before: str | None, after: str) -> str:
    return f"{what}: {after}" + ("" if before is None else ", as before" if before == after else f", before {before}")


def _hours(span: Span) -> str:
    return f"{span.low.value:.1f} to {span.high.value:.1f} h a year"
