"""Rules across several settings of an inventory, beyond the single values that its models check."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.models import Mode, did_you_mean
from ..errors import Fault
from . import history
from .inventory import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from .inventory import Inventory, Workload

#: How similar a name and a known vendor's must be for the name to count as a slip.
_ALIKE = 0.82


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule inside a workload: the settings it reads, and what is wrong, as (setting, message)."""

    reads: tuple[str, ...]
    check: Callable[[Workload], Iterator[tuple[str, str]]]


def _database(workload: Workload) -> Iterator[tuple[str, str]]:
    if workload.state is State.DATABASE and workload.data is None:
        yield "data", "is required for a workload with a database; give at least `data: {gb: 5}`"


def _disk(workload: Workload) -> Iterator[tuple[str, str]]:
    data, size = workload.data, workload.size
    if data and size and workload.state is not State.EXTERNAL and data.gb > size.disk_gib:
        yield "size.disk_gib", f"{size.disk_gib:g} holds less than data.gb {data.gb:g}; correct one of them"


def _cost(workload: Workload) -> Iterator[tuple[str, str]]:
    cost = workload.cost
    if not (workload.parts or cost.stated or cost.measured or cost.unknown):
        yield "cost", "no figure; give `parts`, `cost.stated` or `cost.measured`, or `cost: {unknown: who knows it}`"


def _external(workload: Workload) -> Iterator[tuple[str, str]]:
    if workload.state is State.EXTERNAL and workload.plan and workload.plan.mode is not Mode.CENTRALIZED:
        reason = "since a vendor runs it as its own service; choose centralized, or describe what would replace it"
        yield "plan.mode", f"{workload.plan.mode} is not possible for state external, {reason}"


RULES: tuple[Rule, ...] = (
    Rule(("state", "data"), _database),
    Rule(("state", "data", "size"), _disk),
    Rule(("parts", "cost"), _cost),
    Rule(("state", "plan"), _external),
)


def faults(inventory: Inventory, today: date, repaired: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Yield every broken rule. A rule on a path in `repaired` is skipped, because that fault is reported already."""
    if inventory.as_of > today and "as_of" not in repaired:
        yield Fault("as_of", f"{inventory.as_of} lies in the future; it is {today}")
    for name, workload in inventory.workloads.items():
        path = f"workloads.{name}"
        for rule in RULES:
            if not any(_touches(repaired, f"{path}.{setting}") for setting in rule.reads):
                yield from (Fault(f"{path}.{setting}", message) for setting, message in rule.check(workload))
        yield from _dates(workload, path, today)
        yield from _vendors(workload, path, inventory)
        for index, other in enumerate(workload.after):
            if other not in inventory.workloads:
                meant = did_you_mean(other, inventory.workloads)
                yield Fault(f"{path}.after[{index}]", f"no workload {other!r}{meant}")
    yield from _hosts(inventory)
    yield from _circles(inventory)


def _touches(repaired: frozenset[str], path: str) -> bool:
    return any(one == path or one.startswith((f"{path}.", f"{path}[")) for one in repaired)


def _dates(workload: Workload, path: str, today: date) -> Iterator[Fault]:
    data = workload.data
    for where, when in (
        ("data.restore_proved", data.restore_proved if data else None),
        ("exit_rehearsed", workload.exit_rehearsed),
    ):
        if when and when > today:
            yield Fault(f"{path}.{where}", f"{when} lies in the future; it is {today}")


def _vendors(workload: Workload, path: str, inventory: Inventory) -> Iterator[Fault]:
    """Yield names that are nearly a known vendor's: a slip would split one company in two."""
    known = history.known_vendors()
    for layer, parties in workload.parties.items():
        for party in parties:
            if party in known or party in inventory.vendors:
                continue
            close = difflib.get_close_matches(party, known, n=1, cutoff=_ALIKE)
            if close:
                yield Fault(
                    f"{path}.parties.{layer}",
                    f"no vendor {party!r}; did you mean {close[0]}? If it is another company, "
                    f"describe it under vendors.{party}",
                )


def _hosts(inventory: Inventory) -> Iterator[Fault]:
    """Yield hosts that two workloads claim: they would be counted twice."""
    owner: dict[str, str] = {}
    for name, workload in inventory.workloads.items():
        for index, host in enumerate(workload.hosts):
            first = owner.setdefault(host, name)
            if first != name:
                yield Fault(
                    f"workloads.{name}.hosts[{index}]",
                    f"{host} stands in workload {first!r} too; keep it in one, or merge the two",
                )


def _circles(inventory: Inventory) -> Iterator[Fault]:
    """Yield one fault for the workloads that wait for each other in a circle."""
    waiting = {name: {*one.after} & {*inventory.workloads} for name, one in inventory.workloads.items()}
    while ready := [name for name, others in waiting.items() if not others]:
        waiting = {name: others.difference(ready) for name, others in waiting.items() if name not in ready}
    if waiting:
        yield Fault(
            f"workloads.{min(waiting)}.after", f"{', '.join(sorted(waiting))} wait for each other; drop one `after`"
        )
