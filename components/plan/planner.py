"""Configuration and releases in, topology out: sites, names, actions and bills."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..action import STACK, ZONES, Account, Action, Phase, Ref, Run
from ..authority import OnServers
from ..config.models import Mode, did_you_mean, faults
from ..config.own_names import WORKLOAD
from ..errors import Fault, PlanError
from ..exposure import Proof
from ..kind import State
from ..topology import Control, Line, Site, Topology, WorkloadPlan, ZonePlan
from . import adoption, common, hosts, operators, refusals, servers, slots
from .wire import ordered, wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from ..config.models import Placement, StackConfig, Workload
    from ..kind import Implementation, Kind
    from ..registry import Registry
    from ..release import Release


def plan(
    stack: StackConfig,
    registry: Registry,
    releases: Mapping[str, Release],
    known: Sequence[Fault] = (),
    settings: Mapping[str, Any] | None = None,
) -> Topology:
    """Plan a whole stack: no disk, no network, no clock.

    `releases` holds what each workload serves; a workload without one is checked as far as possible. `known` are faults
    that were found before, `settings` those of other plug-ins. Raises PlanError with every fault.
    """
    found = list(known)
    zone = _zone(stack, registry, releases, found)
    plans = [_workload(stack, zone, name, registry, releases, found) for name in stack.workloads]
    standing = [plan for plan in plans if plan]
    standing += _common(stack, zone, standing, registry, found)
    clashing = hosts.clashes(stack, registry, standing)
    found += [fault for each in clashing.values() for fault in each]
    apart = [plan for plan in standing if plan.name not in clashing]
    found += [fault for each in _on_servers(zone, registry) for fault in each.refuses_zone(apart, zone)]
    if found:
        raise PlanError("the stack configuration is not valid", servers.as_written(found))
    actions = [action for plan in standing for action in _wired(plan, standing, zone, registry)]
    return Topology(
        zone=zone,
        acme=stack.acme,
        workloads=tuple(standing),
        require_approval=stack.require_approval,
        signers=stack.signers,
        settings=dict(settings or {}),
        actions=ordered([*actions, *_accounts(standing, actions, registry)]),
    )


def _common(
    stack: StackConfig, zone: ZonePlan, plans: Sequence[WorkloadPlan], registry: Registry, found: list[Fault]
) -> Iterator[WorkloadPlan]:
    """Plan what sites of these workloads have in common."""
    for name, sites in common.wanted(plans, registry).items():
        kind = registry.kinds[name]
        wrong = list(common.faults(stack, kind, sites))
        found += wrong
        alone = stack.model_copy(update={"workloads": {name: common.workload(name, sites[0].target)}})
        release = kind.declared(kind.options())
        made = _workload(alone, zone, name, registry, {name: release} if release else {}, found)
        if made and not wrong:
            yield made


def options(workload: Workload, kind: Kind[Any], name: str) -> tuple[BaseModel | None, list[Fault]]:
    """Read a workload's options by its kind's model. Return None and every fault if they are not valid."""
    from pydantic import ValidationError

    try:
        return kind.options.model_validate(workload.options), []
    except ValidationError as error:
        return None, faults(error, kind.options, ("workloads", name, "options"))


def _on_servers(zone: ZonePlan, registry: Registry) -> list[OnServers]:
    answering = [registry.authorities[name] for name in zone.authorities] if zone.own else []
    return [each for each in answering if isinstance(each, OnServers)]


def _zone(stack: StackConfig, registry: Registry, releases: Mapping[str, Release], found: list[Fault]) -> ZonePlan:
    names = stack.dns.authorities or tuple(registry.authorities)[:1]
    choices = ", ".join(sorted(registry.authorities))
    found += [
        Fault(
            f"dns.authorities[{index}]",
            f"no authority {name!r}{did_you_mean(name, registry.authorities)}; choose from {choices}",
        )
        for index, name in enumerate(names)
        if name not in registry.authorities
    ]
    found += [
        Fault(f"dns.authorities[{index}]", f"{name} is named twice; take it out, or name another one")
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    known = tuple(name for name in dict.fromkeys(names) if name in registry.authorities)
    found += servers.faults(stack, registry, known)
    own = servers.own(stack, registry, releases.get(WORKLOAD))
    return ZonePlan(stack.zone, stack.dns.zone_id, stack.ttl, known, stack.dns.delegation, own)


def _workload(
    stack: StackConfig,
    zone: ZonePlan,
    name: str,
    registry: Registry,
    releases: Mapping[str, Release],
    found: list[Fault],
) -> WorkloadPlan | None:
    workload, path, first = stack.workloads[name], f"workloads.{name}", len(found)
    found += hosts.outside(stack, workload, path)
    before = len(found)
    found += [*refusals.stores(stack, workload, path), *adoption.host_faults(workload, path)]
    ours = servers.are(stack, name) or isinstance(workload, common.Common)
    kind = (registry.kinds if ours else registry.written).get(workload.kind)
    if kind is None:
        choices = ", ".join(sorted(registry.written))
        what = f"no kind {workload.kind!r}{did_you_mean(workload.kind, registry.written)}; choose from {choices}"
        found.append(Fault(f"{path}.kind", what))
        return None
    on = registry.implementations(kind.name)
    placement = slots.filled(workload.placement, registry) if kind.written else workload.placement
    found += [*refusals.kind(workload, kind, path), *refusals.placement(placement, kind, on, path)]
    found += refusals.site_hosts(stack, name, placement, "zone" if ours else path)
    chosen, wrong = options(workload, kind, name)
    found += wrong
    found += refusals.sharing(workload, kind, chosen, placement, path)
    if len(found) > before or chosen is None or name not in releases:
        return None
    everywhere = _sites(stack, name, workload, kind.name, placement, chosen, on)
    taken = [everywhere[slot] for slot in slots.taken(workload.mode, workload.active, placement)]
    waiting = 1 if workload.mode is Mode.ACTIVE_STANDBY and kind.cold(chosen) else len(taken)
    draft = WorkloadPlan(
        name=name,
        kind=kind.name,
        mode=workload.mode,
        active=slots.taken(workload.mode, workload.active, placement)[0].side,
        host=workload.host,
        release=releases[name],
        placement=placement,
        options=chosen,
        sites=tuple(taken[:waiting]),
        cold=tuple(taken[waiting:]),
        everywhere=tuple(everywhere.values()),
        names=(),
        stores={store: stack.stores[store] for store in workload.backup.stores} if workload.backup else {},
        retain=workload.backup.retain if workload.backup else 0,
        adopt=workload.adopt,
        label=stack.label or "",
        weights={everywhere[slot].name: share for slot, share in slots.weights(workload, placement).items()},
    )
    draft = dataclasses.replace(draft, names=tuple(kind.names(draft)))
    found += refusals.planned(draft, zone, registry, on, path)
    return None if len(found) > first else _priced(draft, zone, registry, on)


def _sites(
    stack: StackConfig,
    name: str,
    workload: Workload,
    kind: str,
    placement: Placement,
    chosen: BaseModel,
    on: Mapping[str, Implementation[Any]],
) -> dict[slots.Slot, Site]:
    """Return the site of every slot, whether or not it stands in this mode."""
    filled = slots.everywhere(placement)
    exposures = {slot: on[slots.target(placement, slot)].exposure(chosen, stack.acme) for slot in filled}
    challenged = any(exposure.proof is Proof.PASSED_ON for exposure in exposures.values())

    def host_of(slot: slots.Slot) -> str:
        return slots.site_host(stack, name, placement, slot)

    return {
        slot: Site(
            name=slots.site_name(name, placement, slot),
            workload=name,
            kind=kind,
            target=slots.target(placement, slot),
            host=workload.host,
            site_host=host_of(slot),
            peer=host_of(slots.peer(placement, slot)) if challenged else "",
            exposure=exposures[slot],
            acme=stack.acme,
            options=chosen,
            redirect_from=workload.redirect_from,
        )
        for slot in filled
    }


def _priced(
    draft: WorkloadPlan, zone: ZonePlan, registry: Registry, on: Mapping[str, Implementation[Any]]
) -> WorkloadPlan:
    """Add what people read: the bill, the losses, the companies with control, and the time of a failover."""
    answering = [registry.authorities[name] for name in zone.authorities]
    named = [dataclasses.replace(line, payee=each.name) for each in answering for line in each.bill(draft, zone)]
    bill: list[Line] = []
    for site in draft.sites:
        lines = on[site.target].bill(draft.options, draft.release)
        bill += [dataclasses.replace(line, site=site.name, payee=site.target) for line in lines]
        bill += [line for line in named if line.site == site.name]
    bill += [line for line in named if line.site not in draft.roles]
    losses = [
        f"{site.name}: {loss}"
        for site in draft.sites
        for loss in (*on[site.target].losses(draft.options), *on[site.target].notes(draft))
    ]
    losses += [note for authority in answering for note in authority.notes(draft, zone)]
    detection = max((authority.detection_s() for authority in answering), default=0)
    kept = {
        site.name: max((authority.answer_ttl(site.exposure, zone.ttl) for authority in answering), default=zone.ttl)
        for site in draft.sites
    }
    return dataclasses.replace(
        draft,
        bill=tuple(bill),
        cold_usd_month=sum(
            line.usd_month for site in draft.cold for line in on[site.target].bill(draft.options, draft.release)
        ),
        losses=tuple(losses),
        central=_central(draft, zone, registry),
        failover_s=detection + max(kept.values()),
        kept_s=kept,
    )


def _central(plan: WorkloadPlan, zone: ZonePlan, registry: Registry) -> tuple[Control, ...]:
    """Return who alone can switch the workload off: the domain where known, the zone, the sites, or the copies."""
    above = zone.name.rpartition(".")[2]
    domain = [zone.delegation.registrar, f"the registry of {above}"] if zone.delegation and plan.names else []
    state = registry.kinds[plan.kind].state
    parties: Mapping[str, list[str | None]] = {
        "the zone": servers.companies(zone, registry),
        "every site": [registry.targets[site.target].company for site in plan.sites],
        "every copy": [store.vendor for store in plan.stores.values()] if state is not State.NONE else [],
    }
    alone = [
        Control(companies[0], what)
        for what, companies in parties.items()
        if companies and companies[0] and len(set(companies)) == 1
    ]
    return (*(Control(each, "the domain") for each in domain), *alone)


def _wired(plan: WorkloadPlan, plans: Sequence[WorkloadPlan], zone: ZonePlan, registry: Registry) -> list[Action]:
    kind, on = registry.kinds[plan.kind], registry.implementations(plan.kind)
    entries = [action for name in zone.authorities for action in registry.authorities[name].actions(plan, zone)]
    actions = [*kind.actions(plan), *(entry for entry in entries if entry.site is None)]
    actions += _claims(plan, actions)
    for site in plan.sites:
        actions += [
            Action(
                site.name,
                Phase.CREATE,
                "create",
                site.name,
                dataclasses.replace(
                    operators.created(plan, site, plans, zone, registry),
                    shares=common.shared(on, site.target, plan.options),
                ),
                site=site.name,
                detail=f"on {site.target}, site host {site.site_host}",
            ),
            *on[site.target].actions(site, plan),
            *(entry for entry in entries if entry.site == site.name and entry.phase <= Phase.REACH),
            *_probes(plan, site, kind),
            *(entry for entry in entries if entry.site == site.name and entry.phase > Phase.REACH),
        ]
        if plan.names:
            actions.append(_confirm(plan, site, kind))
    return wire(plan, actions, kind.rollout)


def _claims(plan: WorkloadPlan, prepared: Iterable[Action]) -> Iterator[Action]:
    """Return the action that claims a workload's names in its stores before anything is written under one of them."""
    if plan.stores:
        stores = {name: store.model_dump(exclude_none=True) for name, store in sorted(plan.stores.items())}
        names = list(plan.claimed)
        yield Action(
            f"{plan.name}-claim",
            Phase.PREPARE,
            "claim",
            plan.name,
            Run("claim", {"stack": STACK, "names": names, "stores": stores}, removes=True, renew=tuple(names)),
            detail=f"{', '.join(names)} in {', '.join(sorted(plan.stores))}",
            before=tuple(action.name for action in prepared if action.phase is Phase.PREPARE),
        )


def _accounts(plans: Sequence[WorkloadPlan], actions: Sequence[Action], registry: Registry) -> Iterable[Action]:
    """Return the comparison of each account of a target in a placement, in every mode: orphans may stand there.

    It waits for every action of that target's workloads: what no site has then is an orphan.
    """
    for name, target in registry.targets.items():
        there = [plan for plan in plans if any(site.target == name for site in plan.everywhere)]
        if target.account is None or not there:
            continue
        sites = {site.name: Ref(site.name, "identity") for plan in there for site in plan.sites if site.target == name}
        hosts = sorted({host for plan in plans for site in plan.everywhere for host in site.hosts})
        names = {plan.name for plan in there}
        yield Action(
            f"{name}-account",
            Phase.CONFIRM,
            "compare",
            f"{name} account",
            Account(name, {"sites": sites, "hosts": hosts}),
            detail="what bears this stack's mark and belongs to no site is closed once no record leads to it",
            needs=tuple(action.name for action in actions if action.workload in names),
        )


def _probes(plan: WorkloadPlan, site: Site, kind: Kind[Any]) -> Iterable[Action]:
    check, words = kind.awaits(plan, site, moved=False)
    # The role does not change the answer. It is in the input so that a swap probes again before its record moves.
    role = {"role": str(plan.roles[site.name])}
    gate = {"site_host": site.site_host, "zones": ZONES}
    yield Action(
        f"{site.name}-probe",
        Phase.CHECK,
        "probe",
        site.name,
        dataclasses.replace(check, given={**check.given, **role, **gate}),
        site=site.name,
        detail=words,
    )
    if plan.names:
        yield Action(
            f"{site.name}-drain",
            Phase.DRAIN,
            "drain",
            site.name,
            Run("drain", {"ttl": plan.kept_s[site.name]}, on_delete=True, renew=(Ref(site.name, "identity"),)),
            site=site.name,
            detail=f"on removal, {plan.kept_s[site.name]} s after its record",
        )


def _confirm(plan: WorkloadPlan, site: Site, kind: Kind[Any]) -> Action:
    check, words = kind.awaits(plan, site, moved=True)
    more = {"role": str(plan.roles[site.name]), "moved": True}
    return Action(
        f"{site.name}-confirm",
        Phase.CONFIRM,
        "confirm",
        site.name,
        dataclasses.replace(check, given={**check.given, **more}),
        site=site.name,
        detail=words,
    )
