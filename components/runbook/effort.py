"""The hours of a person's time for a change of mode, from the chapters that describe it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from . import moves
from .case import RING, Case, Course, Prospect

if TYPE_CHECKING:
    from ..topology import Topology, WorkloadPlan


def hours(before: WorkloadPlan, after: WorkloadPlan, topology: Topology) -> float:
    """Return the hours of all flips from one course of a workload to another; 0 where there is no flip to describe.

    A change over several flips is the sum of theirs, because the runbook leads through each neighbour.
    """
    start, end = (RING.index(Course(plan.mode, plan.active)) for plan in (before, after))
    step = 1 if end > start else -1
    return round(sum(_flip(before, topology, RING[at], RING[at + step]) for at in range(start, end, step)), 2)


def _flip(plan: WorkloadPlan, topology: Topology, here: Course, there: Course) -> float:
    """Return the hours of one flip. Its steps are the same for all sites, so one plan is enough."""
    prospect = Prospect(plan, "any")
    now = dataclasses.replace(plan, mode=here.mode, active=here.active)
    case = Case("any", topology, now, dict.fromkeys(RING, prospect), {})
    return sum(step.hours for step in moves.flip(case, there))
