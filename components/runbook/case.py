"""The input of a runbook: a workload's plan, the stack around it, and the result of each flip."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..config.models import Mode, Side
from ..errors import ConfigError, PlanError
from ..plan import copies
from ..plan.canonical import plan_hash
from ..plan.planner import plan
from ..plan.stack import releases
from ..targets import akash, aws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ..config.models import StackConfig, Store
    from ..errors import Fault
    from ..registry import Registry
    from ..topology import Site, Topology, WorkloadPlan

#: The form of a stack's name in Pulumi.
_STACK = re.compile(r"[A-Za-z0-9_.-]{1,100}")
#: The target whose leases are paid from an account that can run dry.
RENTED = akash.TARGET.name
#: The only target that one company can end completely.
CLOUD = aws.TARGET.name
CLOUD_KEY = "AWS_SECRET_ACCESS_KEY"


class Course(NamedTuple):
    """A mode with its active side, as the stack file sets it."""

    mode: Mode
    active: Side

    def __str__(self) -> str:
        return f"{self.mode}, active {self.active}" if self.mode is Mode.ACTIVE_STANDBY else str(self.mode)


#: From one end to the other; a flip goes to a neighbour only, so that each one can be reverted.
RING = (
    Course(Mode.CENTRALIZED, Side.CENTRALIZED),
    Course(Mode.ACTIVE_STANDBY, Side.CENTRALIZED),
    Course(Mode.ACTIVE_STANDBY, Side.DECENTRALIZED),
    Course(Mode.DECENTRALIZED, Side.DECENTRALIZED),
)


class Prospect(NamedTuple):
    """The workload in another course, and the hash of the stack's plan then."""

    plan: WorkloadPlan
    hash: str


@dataclass(frozen=True)
class Case:
    """One workload of one stack, and its prospect in each course that its other settings allow."""

    stack: str
    topology: Topology
    plan: WorkloadPlan
    prospects: Mapping[Course, Prospect]
    #: The environment variables that an update of each target requires.
    credentials: Mapping[str, tuple[str, ...]]
    #: The vendor that published the pages before; "" if none is known.
    old_site: str = ""
    #: What is in the way of each other course.
    closed: Mapping[Course, tuple[Fault, ...]] = field(default_factory=dict)

    @property
    def course(self) -> Course:
        """The present course of the workload."""
        return Course(self.plan.mode, self.plan.active)

    @property
    def hash(self) -> str:
        """The hash of the stack's plan as the file stands."""
        return plan_hash(self.topology)

    @property
    def adjacent(self) -> tuple[Course, ...]:
        """The courses next to the present one on the ring."""
        at = RING.index(self.course)
        return tuple(RING[index] for index in (at - 1, at + 1) if 0 <= index < len(RING))

    @property
    def neighbours(self) -> tuple[Course, ...]:
        """The courses that one flip leads to."""
        return tuple(course for course in self.adjacent if course in self.prospects)

    @property
    def alone(self) -> bool:
        """Whether the stack has no other workload."""
        return len(self.topology.workloads) == 1

    @property
    def everywhere(self) -> tuple[Site, ...]:
        """Every site the workload can have on any course, each once."""
        sites = {site.name: site for prospect in self.prospects.values() for site in prospect.plan.sites}
        return tuple(sites[name] for name in sorted(sites))

    @property
    def rent_usd_month(self) -> float:
        """USD a month of leases: those of other workloads as they are, and this one's in its most expensive course."""
        others = sum(_rent(other) for other in self.topology.workloads if other.name != self.plan.name)
        return round(others + max(_rent(prospect.plan) for prospect in self.prospects.values()), 2)

    @property
    def keeps(self) -> bool:
        """Whether stores hold what the workload serves."""
        return bool(self.stores)

    @property
    def stores(self) -> Mapping[str, Store]:
        """The stores that hold what the workload serves."""
        return copies.stores(self.plan, self.topology)

    @property
    def pinnable(self) -> bool:
        """Whether the stack file can name a kept version to serve."""
        return self.keeps and "version" in type(self.plan.options).model_fields

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the environment variables that must be set, sorted."""
        stores = self.plan.stores.values()
        named = {name for store in stores for name in (store.access_key, store.secret_key) if name}
        return tuple(sorted(named | {name for site in self.everywhere for name in self.credentials[site.target]}))

    @property
    def owner(self) -> str:
        """Who has to approve a change."""
        return "a signer" if self.topology.require_approval else f"the owner of {self.plan.name}"


def _rent(plan: WorkloadPlan) -> float:
    return sum(line.usd_month for line in plan.bill if line.payee == RENTED)


def case(
    stack: str,
    config: StackConfig,
    workload: str,
    registry: Registry,
    root: Path,
    settings: Mapping[str, Any] | None = None,
) -> Case:
    """Plan a workload as it is, and in every course that can be planned.

    `settings` are those of other plug-ins, which the hash covers.

    Raises PlanError with every fault, and ConfigError for a stack or a workload that does not exist.
    """
    if not _STACK.fullmatch(stack):
        raise ConfigError(f"{stack!r} is not the name of a stack; its file is stacks/Pulumi.NAME.yaml")
    made, found = releases(config, registry, root)
    topology = plan(config, registry, made, found, settings)
    now = next((each for each in topology.workloads if each.name == workload), None)
    if now is None:
        names = ", ".join(each.name for each in topology.workloads)
        raise ConfigError(f"no workload {workload!r} in stack {stack}; choose from {names}")

    def planned(changed: StackConfig) -> Topology:
        return plan(changed, registry, made, settings=settings)

    prospects: dict[Course, Prospect] = {}
    closed: dict[Course, tuple[Fault, ...]] = {}
    for course in RING:
        try:
            prospects[course] = _prospect(config, workload, course, planned)
        except PlanError as error:
            closed[course] = tuple(error.faults)
    credentials = {name: target.credentials for name, target in registry.targets.items()}
    return Case(stack, topology, now, prospects, credentials, closed=closed)


def _prospect(
    config: StackConfig, workload: str, course: Course, planned: Callable[[StackConfig], Topology]
) -> Prospect:
    as_it_is = config.workloads[workload]
    # `adopt` is dropped on the way: while the host may be given back to the old vendor, the centralized side has it.
    adopt = as_it_is.adopt if course.active is Side.CENTRALIZED else ()
    changed = as_it_is.model_copy(update={"mode": course.mode, "active": course.active, "adopt": adopt})
    stack = config.model_copy(update={"workloads": {**config.workloads, workload: changed}})
    topology = planned(stack)
    return Prospect(next(each for each in topology.workloads if each.name == workload), plan_hash(topology))
