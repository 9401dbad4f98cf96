"""All chapters in the order in which a reader needs them; each one decides when it applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import content, ending, everyday, incidents, moves, repairs, vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .case import Case
    from .chapter import Chapter

#: Part of the runbook → its chapters: functions of a workload's plan that return None where they do not apply.
CHAPTERS: dict[str, tuple[Callable[[Case], Iterable[Chapter]], ...]] = {
    "Every day": (everyday.before, everyday.fund, everyday.approve, everyday.deploy, everyday.check),
    "Moving": (moves.stand_by, moves.swap, moves.leave, vendor.leave_vendor),
    "Content": (content.roll_back, content.roll_forward),
    "When something is gone": (
        incidents.cloud_gone,
        incidents.cloud_back,
        incidents.account_closed,
        incidents.lease_lost,
        incidents.name_server_lost,
        incidents.chain_halted,
        incidents.dns_gone,
        repairs.store_gone,
        repairs.refill,
        repairs.certificate,
        repairs.interrupted,
    ),
    "Rehearsing and ending": (content.restore_drill, moves.game_day, ending.rotate, ending.decommission),
}


def parts(case: Case) -> dict[str, list[Chapter]]:
    """Return the chapters that apply, by part of the runbook."""
    return {part: [chapter for write in chapters for chapter in write(case)] for part, chapters in CHAPTERS.items()}


def chapters(case: Case) -> list[Chapter]:
    """Return the chapters that apply, in order."""
    return [chapter for part in parts(case).values() for chapter in part]
