"""The plan for each workload: by the stack file if one is given, else by the DAO's wish or the advice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..config.models import Mode, did_you_mean
from ..errors import ConfigError, Fault
from .inventory import Confidentiality, State
from .planned import Builds, kinds_of
from .recommend import recommend, refusal
from .situation import CENTRAL, Course

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.models import StackConfig
    from .inventory import Inventory, Workload
    from .planned import Planned


def proposed(inventory: Inventory, builds: Builds) -> dict[str, Course]:
    """Return the DAO's wishes, and the moves to weigh where it has none.

    Raises ConfigError for wishes that are refused or that this installation cannot build.
    """
    courses = {}
    found = []
    for name, workload in inventory.workloads.items():
        wish = workload.plan
        if workload.stack:
            why = "it stands by its stack file already; `unmoor assess --stack NAME` assesses it by its plan"
            courses[name] = Course(Mode.CENTRALIZED, why=why)
            continue
        if wish is None:
            courses[name] = buildable(workload, recommend(workload), builds)
            continue
        course = Course(
            mode=wish.mode,
            decentralized=wish.decentralized if wish.mode is not Mode.CENTRALIZED else (),
            origin=f"inventory workloads.{name}.plan",
            why=wish.why or recommend(workload).why,
        )
        if wish.mode is not Mode.CENTRALIZED:
            reason = refusal(workload)
            course = course if reason else buildable(workload, course, builds)
            reason = reason or ("" if course.moves else course.why)
            if reason:
                message = f"{wish.mode} is refused: {reason}; choose centralized"
                found.append(Fault(f"workloads.{name}.plan.mode", message))
        courses[name] = course
    if found:
        raise ConfigError("the inventory plans what may not be", found)
    return courses


def buildable(workload: Workload, course: Course, builds: Builds) -> Course:
    """Return a course with the kind that builds it; if no kind can, one that stays, with the reason."""
    if course.mode is Mode.CENTRALIZED:
        return course
    kind = builds.kind(workload)
    if kind is None:
        meant = " or ".join(kinds_of(workload.work, workload.state)) or "its work"
        why = f"this tool has no kind for it yet (it would be {meant})"
        return _stays(course, why, "move it by hand, or wait for the kind; the steps below keep leaving possible")
    wanted = {course.centralized, *course.decentralized} if course.mode is Mode.ACTIVE_STANDBY else course.decentralized
    missing = [target for target in dict.fromkeys(wanted) if target not in kind.bills]
    if not missing:
        return replace(course, kind=kind)
    runs = ", ".join(sorted(kind.bills))
    why = f"its kind {kind.name} does not run on {' and '.join(sorted(missing))}; it runs on {runs}"
    return _stays(course, why, "the steps below keep leaving possible")


def _stays(course: Course, why: str, instead: str) -> Course:
    return Course(Mode.CENTRALIZED, origin=course.origin, why=why, instead=instead, considered=course)


def from_stack(
    inventory: Inventory,
    stack: StackConfig,
    name: str,
    plans: Mapping[str, Planned] | None = None,
    base: Mapping[str, Planned] | None = None,
) -> tuple[dict[str, Course], tuple[str, ...]]:
    """Return the courses of a stack file, and the names that stand only in it; other workloads stay where they are.

    `plans` are the workloads of the file as it plans them, which give bill, sites and parties. `base` are those of the
    file it is compared with, by which a workload stands today; without one, a workload that the inventory has under
    `stack` stands by the plan itself. Raises ConfigError when the stack lacks a workload that the inventory names in
    it, or plans what is refused.
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
            courses[key] = _not_in(workload, name)
            continue
        seen.add(wanted)
        moves = planned.mode is not Mode.CENTRALIZED
        if moves and (why := refusal(workload)):
            found.append(Fault(f"workloads.{key}", f"the stack {name!r} has {planned.mode}, which is refused: {why}"))
        targets = planned.placement.decentralized
        courses[key] = Course(
            mode=planned.mode,
            decentralized=(targets if planned.mode is Mode.DECENTRALIZED else targets[:1]) if moves else (),
            active=planned.active,
            centralized=planned.placement.centralized or CENTRAL,
            origin=f"stack {name}",
            why=f"the stack {name} has it {planned.mode}",
            planned=(plans or {}).get(wanted),
            standing=_standing(workload, wanted, plans, base),
        )
    if found:
        raise ConfigError(f"the inventory and the stack {name!r} do not agree", found)
    return courses, tuple(one for one in stack.workloads if one not in seen)


def _standing(
    workload: Workload, name: str, plans: Mapping[str, Planned] | None, base: Mapping[str, Planned] | None
) -> Planned | None:
    """Return the plan by which a workload stands today: the base's, or this one if the inventory has it there."""
    if base is not None:
        return base.get(name)
    return (plans or {}).get(name) if workload.stack else None


def _not_in(workload: Workload, name: str) -> Course:
    advice = recommend(workload)
    return Course(
        mode=Mode.CENTRALIZED,
        origin=f"stack {name}",
        why=f"it does not stand in the stack {name}",
        refused=advice.refused,
        instead=advice.instead,
    )


def notes(inventory: Inventory, courses: Mapping[str, Course]) -> dict[str, tuple[str, ...]]:
    """Return what a reader should know about each workload next to its numbers."""
    return {name: tuple(_notes(one, courses[name])) for name, one in inventory.workloads.items()}


def _notes(workload: Workload, course: Course) -> list[str]:
    found = list(workload.notes)
    data = workload.data
    if data and workload.state is State.DATABASE:
        if data.backup_hours is None:
            found.append("The inventory knows of no backup.")
        elif len(data.copies) < 2:
            where = "with one company" if data.copies else "nowhere else"
            found.append(f"A backup every {data.backup_hours:g} hours, kept {where}: so much can an outage lose.")
    if course.moves and data and data.confidentiality is Confidentiality.PERSONAL:
        found.append("Personal data will lie with an operator that you do not know: the privacy notice must name that.")
    if workload.size is None and workload.needs is not None:
        size = workload.needs
        found.append(
            f"Its size is assumed, as usual for {workload.work}: {size.cpu:g} threads, {size.memory_gib:g} GiB of "
            f"memory, {size.disk_gib:g} GiB of disk."
        )
    return found
