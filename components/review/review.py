"""What a change of a stack file does: two plans in, one value out that is printed or returned as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..action import Create
from ..config.models import Mode
from ..config.standing import phrase, phrases
from ..exposure import Reach
from ..kind import State
from ..plan.canonical import canonical, plan_hash, signed
from .diff import ABSENT, differences
from .meaning import Change, changes
from .text import gathered, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..action import Action
    from ..registry import Registry
    from ..topology import Line, Topology, WorkloadPlan
    from .approval import Judgement


@dataclass(frozen=True)
class WorkloadReview:
    """What a change does to one workload; `refused` is why it must not be merged.

    `hours` is the work of the flip by the runbook, None if nothing is flipped or the kind has no runbook. `risks` are
    sentences, none if no inventory has the workload. `losses` is what an operator should know of its sites.
    """

    name: str
    before: str | None
    after: str | None
    usd_month: tuple[float, float]
    interruption: str
    data: str
    hours: float | None
    risks: tuple[str, ...]
    refused: tuple[str, ...]
    cautions: tuple[str, ...]
    losses: tuple[str, ...]
    changed: bool


@dataclass(frozen=True)
class Resources:
    """How many resources an update adds, removes and changes, by the plans' actions."""

    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Review:
    """What a change does to a stack.

    `was` is the hash of the plan at the base, None for a new stack. `central` is who alone can switch off what, before
    and after, and `freed` which of it ends.
    """

    stack: str
    base: str
    was: str | None
    plan: str
    changes: tuple[Change, ...]
    workloads: tuple[WorkloadReview, ...]
    central: tuple[tuple[str, ...], tuple[str, ...]]
    freed: tuple[str, ...]
    bills: tuple[tuple[Line, ...], tuple[Line, ...]]
    usd_month: tuple[float, float]
    resources: Resources
    required: bool
    judgement: Judgement | None = None
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether what would be built differs, which is when the hashes do."""
        return self.was != self.plan

    @property
    def refused(self) -> tuple[str, ...]:
        """Why it must not be merged, each reason once, with its workloads."""
        return _sentences((one.name, text) for one in self.workloads for text in one.refused)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is allowed and should be read twice, each sentence once, even if nothing changes."""
        settings = gathered((one.where, one.meaning) for one in self.changes if one.caution)
        return (*(f"{some(where, 2)}: {text}" for text, where in settings.items()), *self.remarks)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The cautions that are not about one changed setting."""
        return (*_sentences((one.name, text) for one in self.workloads for text in one.cautions), *self.notes)

    def plain(self) -> dict[str, Any]:
        """Return the review for machines."""
        before, after = self.usd_month
        return {
            "stack": self.stack,
            "base": self.base,
            "hash": self.plan,
            "changed": self.changed,
            "refused": list(self.refused),
            "changes": [
                {"path": one.where, "old": _plain(one.old), "new": _plain(one.new)}
                | {"group": str(one.group), "meaning": one.meaning, "caution": one.caution}
                for one in self.changes
            ],
            "cautions": list(self.cautions),
            "losses": {one.name: list(one.losses) for one in self.workloads if one.changed},
            "usd_month": {"before": before, "after": after},
            "central": {"before": list(self.central[0]), "after": list(self.central[1])},
            "approval": {
                "required": self.required or self.judgement is not None,
                "quorum": self.judgement.by.quorum if self.judgement else 0,
                "approved_by": list(self.judgement.agreed) if self.judgement else [],
                "complete": self.judgement is None or self.judgement.complete,
            },
        }


def _plain(value: Any) -> Any:
    return None if value is ABSENT else value


def _sentences(pairs: Iterator[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{some(names)}: {text}" for text, names in gathered(pairs).items())


def review(
    stack: str,
    base: str,
    plans: tuple[Topology | None, Topology],
    registry: Registry,
    hours: Mapping[str, float] | None = None,
    risks: Mapping[str, tuple[str, ...]] | None = None,
    judgement: Judgement | None = None,
    notes: tuple[str, ...] = (),
) -> Review:
    """Compare two plans of one stack; the first is None if the stack is new.

    `hours` is the work of each flip, `risks` are sentences about workloads.
    """
    before, after = plans
    old = {plan.name: plan for plan in before.workloads} if before else {}
    new = {plan.name: plan for plan in after.workloads}
    trees = signed(before) if before else ABSENT, signed(after)
    found = changes(differences(*trees), before, after)
    owners = {name.host: plan.name for plan in old.values() for name in plan.names}
    names = [*new, *(name for name in old if name not in new)]
    left, right = alone(before), alone(after)
    named = {change.path[1] for change in found if change.path[0] == "workloads"}
    return Review(
        stack=stack,
        base=base,
        was=plan_hash(before) if before else None,
        plan=plan_hash(after),
        changes=tuple(found),
        workloads=tuple(
            _workload(
                name,
                old.get(name),
                new.get(name),
                registry,
                owners,
                (hours or {}).get(name),
                (risks or {}).get(name, ()),
                changed=name in named,
            )
            for name in names
        ),
        central=(central(left), central(right)),
        freed=central([one for one in left if one not in right]),
        bills=tuple(tuple(line for plan in one.values() for line in plan.bill) for one in (old, new)),  # type: ignore[arg-type]
        usd_month=(_usd(before), _usd(after)),
        resources=_resources(before, after),
        required=after.require_approval,
        judgement=judgement,
        notes=notes,
    )


def _usd(topology: Topology | None) -> float:
    return round(sum(plan.usd_month for plan in topology.workloads), 2) if topology else 0.0


_Alone = tuple[str, str, str]


def alone(topology: Topology | None) -> list[_Alone]:
    """Return who alone can switch off what of which workload: company, what, workload."""
    plans = topology.workloads if topology else ()
    return [(control.company, control.what, plan.name) for plan in plans for control in plan.central]


def central(found: Sequence[_Alone]) -> tuple[str, ...]:
    """Return the result of `alone` as sentences, one for each company and set of workloads."""
    by: dict[tuple[str, str], list[str]] = {}
    for company, what, name in found:
        by.setdefault((company, what), []).append(name)
    whats = gathered(
        (what, f"{company} alone can still switch off {some(names)}") for (company, what), names in by.items()
    )
    return tuple(f"{sentence}: {', '.join(parts)}" for sentence, parts in whats.items())


def _workload(
    name: str,
    old: WorkloadPlan | None,
    new: WorkloadPlan | None,
    registry: Registry,
    owners: Mapping[str, str],
    hours: float | None,
    risks: tuple[str, ...],
    *,
    changed: bool,
) -> WorkloadReview:
    stateful = registry.kinds[(new or old).kind].state is State.WRITER  # type: ignore[union-attr]
    return WorkloadReview(
        name=name,
        before=_mode(old),
        after=_mode(new),
        usd_month=(old.usd_month if old else 0.0, new.usd_month if new else 0.0),
        interruption=_interruption(old, new, stateful=stateful),
        data=_data(old, new, stateful=stateful),
        hours=hours,
        risks=risks,
        refused=tuple(_refused(old, new, owners, stateful=stateful)),
        cautions=tuple(_cautions(old, new)),
        losses=new.losses if new else (),
        changed=changed,
    )


def _mode(plan: WorkloadPlan | None) -> str | None:
    if plan is None:
        return None
    return f"{plan.mode} (active: {plan.active})" if plan.mode is Mode.ACTIVE_STANDBY else str(plan.mode)


def _resources(before: Topology | None, after: Topology) -> Resources:
    old, new = (_made(one) if one else {} for one in (before, after))
    both = old.keys() & new.keys()
    return Resources(
        len(new.keys() - old.keys()), len(old.keys() - new.keys()), sum(old[name] != new[name] for name in both)
    )


def _made(topology: Topology) -> dict[str, Any]:
    plans = {plan.name: plan for plan in topology.workloads}
    return {action.name: _inputs(action, plans) for action in topology.actions}


def _inputs(action: Action, plans: Mapping[str, WorkloadPlan]) -> Any:
    """Return what determines whether an update touches an action's resource."""
    if isinstance(action.does, Create):
        plan = plans[action.workload]
        return canonical([plan.site(action.name), plan.release, plan.stores])
    return canonical(action.does)


def _interruption(old: WorkloadPlan | None, new: WorkloadPlan | None, *, stateful: bool) -> str:
    if old is None:
        return _adopted(new) or "none: it is new"
    if new is None:
        return phrases(old.adopted, "{} goes back to {}") if old.adopted else "for ever: it is removed"
    if old.host != new.host:
        what = "leads visitors on" if old.host in _hosts(new) else "stops answering"
        return f"{old.host} {what}; {new.host} takes its place"
    if old.roles == new.roles:
        return "none"
    if stateful:
        return "minutes: writing stops while the writer moves"
    return "none: the new site answers before a name moves, and the old one stays until its answers have expired"


def _adopted(new: WorkloadPlan | None) -> str:
    if not (new and new.adopted):
        return ""
    return f"none: {phrases(new.adopted, '{} leads to {}')} until the new site answers, then moves in one change"


def _data(old: WorkloadPlan | None, new: WorkloadPlan | None, *, stateful: bool) -> str:
    if new is None:
        return "its kept versions stay in the stores; nothing else does"
    if not new.stores and not (old and old.stores) and not stateful:
        return "none: it keeps nothing"
    stores = ", ".join(sorted(new.stores)) or "no store"
    if stateful:
        return f"what was written since the last archived segment; archives in {stores}"
    gone = sorted(set(old.stores) - set(new.stores)) if old else []
    return f"none: content is kept in {stores}" + (f"; no longer in {', '.join(gone)}" if gone else "")


def _refused(
    old: WorkloadPlan | None, new: WorkloadPlan | None, owners: Mapping[str, str], *, stateful: bool
) -> Iterator[str]:
    if old and new is None and stateful:
        yield "it has state and is removed; take a proved backup and move the name away first"
    for host in [each for each in _hosts(new) if new and owners.get(each, new.name) != new.name]:
        yield (
            f"{host} is taken over from {owners[host]}, whose records stand until the end of the update, so "
            "it would fail at them; keep the workload's name, or free the host in an update before"
        )
    if not (old and new):
        return
    if old.label != new.label:
        yield (
            f"`label` changes from {old.label or 'none'} to {new.label or 'none'}: every site would be made anew "
            "next to the old one, whose names CloudFront gives to one distribution alone, so the update would fail late"
        )
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


def _hosts(plan: WorkloadPlan | None) -> list[str]:
    """Return the public names of a workload, the one that visitors stay at first."""
    return [name.host for name in plan.names] if plan else []


def _by_name(plan: WorkloadPlan) -> bool:
    return any(site.exposure.reach is Reach.NAME for site in plan.everywhere)


def _cautions(old: WorkloadPlan | None, new: WorkloadPlan | None) -> Iterator[str]:
    if new is None:
        yield "the workload is removed, with every site of it"
        return
    if old and old.adopt and not new.adopt:
        for name, stood in old.adopted.items():
            yield f"{phrase(stood)} is forgotten: it is not put back at {name} when the workload ends"
    if len({store.vendor for store in new.stores.values()}) == 1:
        yield "all stores are at one vendor, who alone can delete every copy; name a second"
    if gone := sorted(set(old.stores) - set(new.stores)) if old else []:
        yield f"{', '.join(gone)} gets no copies any more; {len(new.stores)} of {len(old.stores) if old else 0} remain"
    if len(new.sites) == 1 and old and len(old.sites) > 1:
        yield "there is no standby any more: a lost lease or account is an outage until the next update"
    if old and {old.mode, new.mode} == {Mode.CENTRALIZED, Mode.DECENTRALIZED}:
        yield "active-standby is skipped; it would show the new site under load before the old one goes"
    yield from (f"links to {host} break" for host in _hosts(old) if host not in _hosts(new))
