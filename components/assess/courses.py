"""What is planned for each workload: by the stack file where one is given, else by the DAO's wish or our advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.models import Mode, did_you_mean
from ..errors import ConfigError, Fault
from .inventory import Confidentiality, State
from .recommend import recommend, refusal
from .situation import Course

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.models import StackConfig
    from .inventory import Inventory, Workload


def proposed(inventory: Inventory) -> dict[str, Course]:
    """Return the DAO's wishes, and our advice where it has none. Raises ConfigError for wishes that are refused."""
    courses = {}
    found = []
    for name, workload in inventory.workloads.items():
        wish = workload.plan
        if wish is None:
            courses[name] = recommend(workload)
            continue
        if wish.mode is not Mode.CENTRALIZED and (why := refusal(workload)):
            found.append(Fault(f"workloads.{name}.plan.mode", f"{wish.mode} is refused: {why}; choose centralized"))
        courses[name] = Course(
            mode=wish.mode,
            decentralized=wish.decentralized if wish.mode is not Mode.CENTRALIZED else (),
            origin=f"inventory workloads.{name}.plan",
            why=wish.why or recommend(workload).why,
        )
    if found:
        raise ConfigError("the inventory plans what may not be", found)
    return courses


def from_stack(inventory: Inventory, stack: StackConfig, name: str) -> tuple[dict[str, Course], tuple[str, ...]]:
    """Return what a stack file says, and the names that stand only in it; the others stay where they are.

    Raises ConfigError when the stack lacks a workload that the inventory names in it, or plans what is refused.
    """
    courses: dict[str, Course] = {}
    found: list[Fault] = []
    seen = set()
    for key, workload in inventory.workloads.items():
        wanted = workload.stack or key
        planned = stack.workloads.get(wanted)
        if planned is None:
            if workload.stack:
                known = stack.workloads
                found.append(
                    Fault(
                        f"workloads.{key}.stack",
                        f"the stack {name!r} has no workload {wanted!r}{did_you_mean(wanted, known)}",
                    )
                )
            courses[key] = _left(workload, name)
            continue
        seen.add(wanted)
        moves = planned.mode is not Mode.CENTRALIZED
        if moves and (why := refusal(workload)):
            found.append(Fault(f"workloads.{key}", f"the stack {name!r} says {planned.mode}, which is refused: {why}"))
        targets = planned.placement.decentralized
        courses[key] = Course(
            mode=planned.mode,
            decentralized=(targets if planned.mode is Mode.DECENTRALIZED else targets[:1]) if moves else (),
            active=planned.active,
            origin=f"stack {name}",
            why=recommend(workload).why,
        )
    if found:
        raise ConfigError(f"the inventory and the stack {name!r} do not agree", found)
    return courses, tuple(one for one in stack.workloads if one not in seen)


def _left(workload: Workload, name: str) -> Course:
    advice = recommend(workload)
    return Course(
        mode=Mode.CENTRALIZED,
        origin=f"stack {name}",
        why=f"it does not stand in the stack {name}",
        refused=advice.refused,
        instead=advice.instead,
    )


def notes(inventory: Inventory, courses: Mapping[str, Course]) -> dict[str, tuple[str, ...]]:
    """Say what a reader should know about each workload beside its numbers."""
    return {name: tuple(_notes(one, courses[name])) for name, one in inventory.workloads.items()}


def _notes(workload: Workload, course: Course) -> list[str]:
    said = list(workload.notes)
    data = workload.data
    if data and workload.state is State.DATABASE:
        if data.backup_hours is None:
            said.append("Nobody backs it up, as far as the inventory says.")
        elif len(data.copies) < 2:  # noqa: PLR2004 one copy is none
            where = "with one company" if data.copies else "nowhere else"
            said.append(f"A backup every {data.backup_hours:g} hours, kept {where}: so much can an outage lose.")
    if course.moves and data and data.confidentiality is Confidentiality.PERSONAL:
        said.append("Personal data will lie at a host nobody has to know: say so in the privacy notice.")
    if course.decentralized and "flux" in course.decentralized:
        said.append("unmoor does not run workloads on Flux yet: this one is set up by hand.")
    return said
