"""What a change of a stack file does, workload by workload: two plans in, one value out that can be printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config.models import Mode
from ..exposure import Reach
from ..kind import State
from ..plan.canonical import plan_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..assess.assessment import Assessed, Assessment
    from ..registry import Registry
    from ..topology import Topology, WorkloadPlan


@dataclass(frozen=True)
class Side:
    """One workload before or after a change."""

    mode: str
    sites: tuple[str, ...]
    records: tuple[str, ...]
    usd_month: float
    failover_s: int | None
    risk: str
    exposure: str
    residual: tuple[str, ...]
    downtime: str


@dataclass(frozen=True)
class WorkloadReview:
    """What a change does to one workload; `refused` says why it must not be merged."""

    name: str
    before: Side | None
    after: Side | None
    interruption: str
    data: str
    hours: str
    refused: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Tell whether anything differs."""
        return self.before != self.after or bool(self.refused)


@dataclass(frozen=True)
class Review:
    """What a change does to a stack."""

    stack: str
    base: str
    workloads: tuple[WorkloadReview, ...]
    plan: str
    approved_by: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Tell whether something in it must not be merged."""
        return any(one.refused for one in self.workloads)

    @property
    def usd_month(self) -> tuple[float, float]:
        """USD a month of the whole stack, before and after."""
        sides = [(one.before, one.after) for one in self.workloads]
        return (
            round(sum(b.usd_month for b, _ in sides if b), 2),
            round(sum(a.usd_month for _, a in sides if a), 2),
        )


def review(
    stack: str,
    base: str,
    plans: tuple[Topology | None, Topology],
    assessments: tuple[Assessment | None, Assessment | None],
    registry: Registry,
    approved_by: tuple[str, ...] = (),
) -> Review:
    """Compare two plans of one stack; the first is None when the stack is new."""
    before, after = plans
    old = {plan.name: plan for plan in before.workloads} if before else {}
    new = {plan.name: plan for plan in after.workloads}
    names = [*new, *(name for name in old if name not in new)]
    return Review(
        stack=stack,
        base=base,
        workloads=tuple(_workload(name, old.get(name), new.get(name), assessments, registry) for name in names),
        plan=plan_hash(after),
        approved_by=approved_by,
    )


def _workload(
    name: str,
    old: WorkloadPlan | None,
    new: WorkloadPlan | None,
    assessments: tuple[Assessment | None, Assessment | None],
    registry: Registry,
) -> WorkloadReview:
    assessed = tuple(_assessed(assessment, name) for assessment in assessments)
    stateful = registry.kinds[(new or old).kind].state is State.WRITER  # type: ignore[union-attr]
    return WorkloadReview(
        name=name,
        before=_side(old, assessed[0]) if old else None,
        after=_side(new, assessed[1]) if new else None,
        interruption=_interruption(old, new, stateful=stateful),
        data=_data(old, new, stateful=stateful),
        hours=_hours(assessed[1]) if old and new and old.mode != new.mode else "",
        refused=tuple(_refused(old, new, stateful=stateful)),
        cautions=tuple(_cautions(old, new)),
    )


def _assessed(assessment: Assessment | None, name: str) -> Assessed | None:
    if assessment is None:
        return None
    return next((one for one in assessment.workloads if (one.workload.stack or one.name) == name), None)


def _side(plan: WorkloadPlan, assessed: Assessed | None) -> Side:
    return Side(
        mode=str(plan.mode) if plan.mode is not Mode.ACTIVE_STANDBY else f"{plan.mode} (active: {plan.active})",
        sites=tuple(f"{site.name} on {site.target}" for site in plan.sites),
        records=tuple(f"{plan.host} {role} → {site}" for site, role in plan.roles.items()),
        usd_month=plan.usd_month,
        failover_s=plan.failover_s if len(plan.sites) > 1 else None,
        risk=str(assessed.after.availability.grade) if assessed else "",
        exposure=str(assessed.after.exposure.grade) if assessed else "",
        residual=assessed.after.dependence.stoppers() if assessed else (),
        downtime=_span(assessed.after.downtime) if assessed else "",
    )


def _span(span: object) -> str:
    low, high = span.low.value, span.high.value  # type: ignore[attr-defined]
    return f"{low:.1f} to {high:.1f} h a year"


def _hours(assessed: Assessed | None) -> str:
    if assessed is None:
        return ""
    span = assessed.migration.hours
    return f"{span.low.value:.0f} to {span.high.value:.0f} h for the whole move"


def _interruption(old: WorkloadPlan | None, new: WorkloadPlan | None, *, stateful: bool) -> str:
    if old is None:
        return "none: it is new"
    if new is None:
        return "for ever: it is removed"
    if old.host != new.host:
        return f"{old.host} stops answering; {new.host} takes its place"
    if old.roles == new.roles:
        return "none"
    if stateful:
        return "minutes: writing stops while the writer moves"
    return "none: the new site answers before a name moves, and the old one stays until its answers have expired"


def _data(old: WorkloadPlan | None, new: WorkloadPlan | None, *, stateful: bool) -> str:
    if new is None:
        return "its kept versions stay in the stores; nothing else does"
    stores = ", ".join(sorted(new.stores))
    if stateful:
        return f"what was written since the last archived segment; archives in {stores}"
    gone = sorted(set(old.stores) - set(new.stores)) if old else []
    return f"none: content is kept in {stores}" + (f"; no longer in {', '.join(gone)}" if gone else "")


def _refused(old: WorkloadPlan | None, new: WorkloadPlan | None, *, stateful: bool) -> Iterator[str]:
    if old and new is None and stateful:
        yield "it has state and is removed; take a proved backup and move the name away first"
    if not (old and new):
        return
    if stateful and {old.mode, new.mode} == {Mode.CENTRALIZED, Mode.DECENTRALIZED}:
        yield (
            "it has state and skips active-standby; go through active-standby, "
            "so that the writer moves once it is in step"
        )
    if old.host == new.host and _by_name(old) != _by_name(new):
        yield (
            f"the records of {old.host} would turn between addresses and names, and no CNAME may stand with other "
            "records: the update would fail at the first; keep the ingress, or destroy the stack and deploy it anew"
        )
    if old.stores and new.stores and not set(old.stores) & set(new.stores):
        yield (
            "every store changes at once, so the last copy of older versions would be left behind; "
            "keep one store until the others have them"
        )


def _by_name(plan: WorkloadPlan) -> bool:
    return any(site.exposure.reach is Reach.NAME for site in plan.everywhere)


def _cautions(old: WorkloadPlan | None, new: WorkloadPlan | None) -> Iterator[str]:
    if new is None:
        yield "the workload is removed"
        return
    if len({store.vendor for store in new.stores.values()}) == 1:
        yield "all stores are at one vendor, who alone can delete every copy; name a second"
    if new.mode is not Mode.ACTIVE_STANDBY and len(new.sites) == 1 and old and len(old.sites) > 1:
        yield "there is no standby any more: a lost lease or account is an outage until the next update"
    if old and {old.mode, new.mode} == {Mode.CENTRALIZED, Mode.DECENTRALIZED}:
        yield "active-standby is skipped; it would show the new site under load before the old one goes"
    if old and old.host != new.host:
        yield f"links to {old.host} break"
