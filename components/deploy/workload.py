"""A topology as Pulumi resources: one resource for each action, in the plan's order, with exactly the plan's edges."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pulumi

from ..action import STACK, ZONES, Account, Create, Entry, Ref, Run, round_of, zone_at
from ..kind import Context, Deployed
from .command import run, run_on_delete
from .tags import tagged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..action import Action
    from ..authority import DeployedZone
    from ..registry import Registry
    from ..topology import Topology, WorkloadPlan


class Workload(pulumi.ComponentResource):
    """One workload: the parent of everything that its actions register."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("unmoor:index:Workload", name, None, opts)


def deploy(
    topology: Topology,
    registry: Registry,
    opts: pulumi.ResourceOptions | None = None,
    rounds: Mapping[str, int] = MappingProxyType({}),
    left: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Register everything in a topology, and return the stack's outputs.

    `opts` goes to each Workload, and so to everything below it: parent, providers, aliases, protect, transforms.
    Outputs are plain values, so that a preview shows a flip as `~ mode: "centralized" => "active-standby"` and its
    price. `accounts` are the targets' facts about their accounts, such as the days for which leases are paid. `rounds`
    is how many times each adopted name was adopted, as `standing.demand` returns it, and `left` is what `standing.left`
    returns.
    """
    accounts = _Deployment(topology, registry, opts, rounds, left).run()
    workloads = {plan.name: outputs(plan, rounds) for plan in topology.workloads}
    return {"workloads": workloads, **({"accounts": accounts} if accounts else {})}


def outputs(plan: WorkloadPlan, rounds: Mapping[str, int] = MappingProxyType({})) -> dict[str, Any]:
    """Describe a workload in the words of its stack file, for previews and other stacks."""
    stood = [str(record) for record in plan.adopt]
    others = {name: rounds.get(name, 0) for name in plan.adopted if name != plan.host}
    known = {"stood": stood, "round": rounds.get(plan.host or "", 0)} | ({"rounds": others} if others else {})
    when_set = {
        "adopted": known if stood else None,
        "label": plan.label,
        "split": dict(plan.weights),
    }
    return {name: value for name, value in when_set.items() if value} | {
        "mode": str(plan.mode),
        "active": str(plan.active),
        "url": plan.url,
        "hosts": [*(name.host for name in plan.names), *(site.site_host for site in plan.sites)],
        "sites": {site: str(role) for site, role in plan.roles.items()},
        "release": plan.release.id,
        "usd_month": plan.usd_month,
    }


@dataclass(frozen=True)
class _Made:
    """The result of an action: its resource, and the outputs that Refs may name."""

    resource: pulumi.Resource
    outputs: Mapping[str, Any]


class _Deployment:
    """One run of `deploy`."""

    def __init__(
        self,
        topology: Topology,
        registry: Registry,
        opts: pulumi.ResourceOptions | None,
        rounds: Mapping[str, int],
        left: Mapping[str, str],
    ) -> None:
        self._topology, self._registry, self._opts, self._rounds, self._left = topology, registry, opts, rounds, left
        self._plans = {plan.name: plan for plan in topology.workloads}
        self._parents: dict[str, Workload] = {}
        self._zones: tuple[DeployedZone, ...] = ()
        self._handles: dict[Ref, Any] = {}
        self._made: dict[str, _Made] = {}
        self._accounts: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Register all actions, then close the components; return what is known of accounts, by target."""
        for name in self._plans:
            tags = pulumi.ResourceOptions(transformations=[tagged(name)])
            self._parents[name] = Workload(name, pulumi.ResourceOptions.merge(self._opts, tags))
        # The zone is looked up as a child of a Workload, so that it uses the providers in `opts`.
        first = next(iter(self._parents.values()))
        names = self._topology.zone.authorities
        self._zones = tuple(
            self._registry.authorities[name].zone(self._topology.zone, pulumi.InvokeOptions(parent=first))
            for name in names
        )
        handles = {name: dict(zone.handle) for name, zone in zip(names, self._zones, strict=True)}
        self._handles = {STACK: f"{pulumi.get_project()}/{pulumi.get_stack()}", ZONES: [*handles.values()]} | {
            zone_at(name): handle for name, handle in handles.items()
        }
        hosts = [name for plan in self._plans.values() for name in plan.adopted]
        self._handles |= {round_of(host): self._rounds.get(host, 0) for host in hosts}
        for action in self._topology.actions:
            self._made[action.name] = self._make(action)
        for parent in self._parents.values():
            parent.register_outputs({})
        return self._accounts

    def _make(self, action: Action) -> _Made:
        if isinstance(action.does, Account):
            return self._account(action.name, action.does, self._behind(action))
        context = self._context(action)
        match action.does:
            case Create():
                return self._create(action, context)
            case Run(program, given, on_delete, renew, removes):
                inputs, watched = self._value(given), [self._value(ref) for ref in renew]
                if on_delete:
                    return _step(run_on_delete(action.name, program, inputs, watched, context.opts))
                return _step(run(action.name, program, inputs, context.opts, removes=removes, renew=watched))
            case Entry(authority, what):
                zone = self._zones[self._topology.zone.authorities.index(authority)]
                return _step(zone.register(action.name, self._value(what), context.opts))

    def _account(self, name: str, does: Account, behind: list[pulumi.Resource]) -> _Made:
        """Register the comparison of an account, which belongs to the stack and stands at the level of Workloads."""
        register = self._registry.targets[does.target].account
        if register is None:
            raise AssertionError("only a target with an account is compared")
        opts = pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=behind))
        resource, self._accounts[does.target] = register(name, self._value(does.what), opts)
        return _Made(resource, {})

    def _create(self, action: Action, context: Context) -> _Made:
        site = self._plans[action.workload].site(action.name)
        deployed: Deployed = self._registry.implementations(site.kind)[site.target].deploy(site, context)
        known = {
            "endpoint": deployed.endpoint,
            "at": deployed.endpoint.apply(lambda endpoint: endpoint.at),
            "zone": deployed.endpoint.apply(lambda endpoint: endpoint.zone),
            "operator": deployed.operator,
            "identity": deployed.identity,
        }
        return _Made(deployed.resource, {**known, **deployed.outputs})

    def _behind(self, action: Action) -> list[pulumi.Resource]:
        return [self._made[name].resource for name in action.needs]

    def _context(self, action: Action) -> Context:
        behind = self._behind(action)
        opts = pulumi.ResourceOptions(parent=self._parents[action.workload], depends_on=behind)
        created = action.does if isinstance(action.does, Create) else Create()
        if created is action.does and behind:
            opts.transformations = [_waiting_for(behind)]
        return Context(
            opts=opts,
            plan=self._plans[action.workload],
            value=self._value,
            run=lambda *given: run(*given).stdout,
            avoid=self._values(created.avoid),
            apart=created.apart,
            shared={name: self._made[name].outputs for name in created.shares},
            left=self._left.get(action.name, ""),
            zones=self._zones,
        )

    def _values(self, these: Sequence[Ref]) -> tuple[Any, ...]:
        return tuple(self._value(ref) for ref in these)

    def _value(self, data: Any) -> Any:
        """Return plain data with Outputs in place of Refs, in a form that the SDK can serialize."""
        if isinstance(data, Ref):
            return self._made[data.of].outputs[data.output] if data.of else self._handles[data]
        if isinstance(data, dict):
            return {str(key): self._value(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self._value(value) for value in data]
        return str(data) if isinstance(data, str) else data


def _waiting_for(behind: Sequence[pulumi.Resource]) -> pulumi.ResourceTransformation:
    """Make everything inside a site wait for the site's dependencies: the SDK does not pass on a parent's edges."""

    def wait(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        merged = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(depends_on=list(behind)))
        return pulumi.ResourceTransformationResult(args.props, merged)

    return wait


def _step(resource: Any) -> _Made:
    return _Made(resource, {"id": resource.id})
