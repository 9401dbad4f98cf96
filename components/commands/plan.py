"""`unmoor plan`: print the topology of a stack file, offline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..config.own_names import KIND
from ..config.standing import phrase
from ..dns.zone import SHARE
from ..plan import copies
from ..plan.canonical import canonical, plan_hash
from ..plan.stack import from_file, project_of
from ..project import registry, stack_file
from ..release import NOT_BUILT
from ..text.escape import outside
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..dns.moving import Step
    from ..topology import Topology, WorkloadPlan


@click.command()
@stack_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("workloads", nargs=-1)
def cli(stack: str, as_json: bool, workloads: tuple[str, ...]) -> None:
    """Print what a stack file means: sites, names, actions and monthly cost.

    Nothing is contacted and nothing is changed. Name WORKLOADS to see only those.
    Exit 1 with every fault when the file cannot be planned.
    """
    topology = load(stack_file(stack), built=False)
    chosen = choose(topology, workloads, stack)
    if as_json:
        click.echo(json.dumps(_plain(topology, chosen), indent=2))
        return
    parts = [_text(plan, topology) for plan in chosen]
    if not workloads and (steps := moves(topology)):
        parts.append("\n".join([click.style("the zone", bold=True), *_moves(topology, steps)]))
    if not workloads and topology.of(""):
        parts.append("\n".join([click.style("the stack", bold=True), "  actions", *_actions(topology, "")]))
    click.echo("\n\n".join(parts))


def moves(topology: Topology) -> list[Step]:
    """Return the steps of an operator's move of the delegation to the stack's own servers, while both sets answer."""
    zone = topology.zone
    if zone.own is None or zone.delegation is None or len(zone.authorities) == 1:
        return []
    from ..dns.moving import outline

    new = {server.host for server in zone.own.servers}
    return outline(zone.name, set(zone.delegation.name_servers) - new, new)


def _moves(topology: Topology, steps: list[Step]) -> list[str]:
    zone = topology.zone
    lines = [f"  {' and '.join(zone.authorities)} both answer for {zone.name}; a person moves its delegation:"]
    for number, step in enumerate(steps, 1):
        lines += [f"  {number} {step.what}", f"    waits for {step.wait_for}"]
    last = f"  then `authorities: [{zone.authorities[-1]}]`; `unmoor zone move` shows which step is next"
    return [*lines, last]


def load(path: Path, *, built: bool = True) -> Topology:
    """Plan a stack file with its project's own registry; see `plan.stack.releases` for `built`."""
    return from_file(path, registry(project_of(path)), built=built)


def choose(topology: Topology, workloads: tuple[str, ...], stack: str) -> list[WorkloadPlan]:
    """Return the named workloads of a stack, or all. An unknown name is wrong usage."""
    unknown = set(workloads) - {plan.name for plan in topology.workloads}
    if unknown:
        known = ", ".join(plan.name for plan in topology.workloads)
        raise click.BadParameter(f"no workload {', '.join(sorted(unknown))} in {stack}; choose from {known}")
    return [plan for plan in topology.workloads if not workloads or plan.name in workloads]


def _plain(topology: Topology, chosen: list[WorkloadPlan]) -> dict[str, Any]:
    steps = moves(topology)
    return {
        "zone": canonical(topology.zone),
        "hash": plan_hash(topology),
        "workloads": {
            plan.name: canonical(plan, signed_only=False)
            | {
                "usd_month": plan.usd_month,
                "url": plan.url,
                "roles": {site: str(role) for site, role in plan.roles.items()},
                "actions": [str(action) for action in topology.of(plan.name)],
            }
            for plan in chosen
        },
        "actions": [str(action) for action in topology.of("")],
        **({"moves": [{"what": step.what, "waits_for": step.wait_for} for step in steps]} if steps else {}),
    }


def _text(plan: WorkloadPlan, topology: Topology) -> str:
    bold = click.style(plan.name, bold=True)
    names = ", ".join(name.host for name in plan.names) or "no public name"
    lines = [f"{bold}  {plan.kind}, {plan.mode}, active side {plan.active}, {names}"]
    lines += [f"  central  {outside(control)}" for control in plan.central]
    lines += [
        f"  {plan.roles[site.name]:<8} {site.name:<20} on {site.target:<6} {site.site_host}" for site in plan.sites
    ]
    lines += [
        f"  cold     {site.name:<20} on {site.target:<6} {site.site_host}, not built: a flip of `active` starts it"
        for site in plan.cold
    ]
    shares = plan.weights if any(action.verb == SHARE for action in topology.of(plan.name)) else {}
    if shares:
        parts = ", ".join(f"{share} to {site}" for site, share in shares.items())
        lines.append(f"  split    of 100 look-ups, {parts}")
    if plan.release == NOT_BUILT:
        lines.append("  release  not built yet; build it before `pulumi up`")
    lines += [
        f"  adopts   {phrase(stood)} at {name}, replaced in one change and put back at the end"
        for name, stood in plan.adopted.items()
    ]
    lines.append(f"  failover {_failover(plan, shares)}")
    if kept := copies.stores(plan, topology):
        lines.append(f"  backup   every version in {', '.join(sorted(kept))}, {plan.retain} kept")
    lines += [
        *(f"  note     {loss}" for loss in plan.losses),
        "  actions",
        *_actions(topology, plan.name),
        f"  cost     {plan.usd_month:.2f} USD a month{_cold_cost(plan)}",
        *(f"    {line.usd_month:>8.2f}  {line.what}" for line in plan.bill),
    ]
    return "\n".join(lines)


def _actions(topology: Topology, workload: str) -> list[str]:
    return [f"    {action}" for action in topology.of(workload)]


def _cold_cost(plan: WorkloadPlan) -> str:
    return f", and {plan.cold_usd_month:.2f} for the cold standby while it runs" if plan.cold else ""


def _failover(plan: WorkloadPlan, shares: Mapping[str, int]) -> str:
    if plan.cold:
        return f"none by itself: it stands still until you make {plan.cold[0].name} active and run `pulumi up`"
    if len(plan.sites) == 1:
        return "none: one site only"
    if plan.kind == KIND:
        return "by resolvers, which ask another server when one is silent"
    waiting = [site.name for site in plan.sites if not shares.get(site.name)]
    to = "from each site to the other" if not waiting else f"to {waiting[-1]}"
    return f"{to}, seen by visitors within {plan.failover_s} s of an outage"
