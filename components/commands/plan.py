"""`unmoor plan`: print the topology of a stack file, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..kinds import KINDS
from ..plan.stack import from_file
from ..web import http as front

if TYPE_CHECKING:
    from ..plan.topology import Topology, WorkloadPlan


def stack_path(stack: str) -> Path:
    """Return the stack file for a stack's name, in the project we stand in, or the path itself when it is one."""
    if stack.endswith((".yaml", ".yml")):
        return Path(stack)
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").exists()), here)
    path = project / "stacks" / f"Pulumi.{stack}.yaml"
    return path.relative_to(here) if path.is_relative_to(here) else path


@click.command()
@click.option(
    "--stack", "-s", required=True, help="A stack's name (stacks/Pulumi.NAME.yaml) or a path to a stack file."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("workloads", nargs=-1)
def cli(stack: str, as_json: bool, workloads: tuple[str, ...]) -> None:
    """Print what a stack file means: sites, records, steps and monthly cost.

    Nothing is contacted and nothing is changed. Name WORKLOADS to see only those.
    Exit 1 with every fault when the file cannot be planned.
    """
    topology = from_file(stack_path(stack), KINDS)
    chosen = choose(topology, workloads, stack)
    if as_json:
        whole = topology.canonical()
        whole["workloads"] = {plan.name: whole["workloads"][plan.name] for plan in chosen}
        click.echo(json.dumps(whole, indent=2))
        return
    click.echo("\n\n".join(_text(plan) for plan in chosen))


def choose(topology: Topology, workloads: tuple[str, ...], stack: str) -> list[WorkloadPlan]:
    """Return the named workloads of a stack, or all; a name that is not there is wrong usage."""
    unknown = set(workloads) - {plan.name for plan in topology.workloads}
    if unknown:
        known = ", ".join(plan.name for plan in topology.workloads)
        raise click.BadParameter(f"no workload {', '.join(sorted(unknown))} in {stack}; choose from {known}")
    return [plan for plan in topology.workloads if not workloads or plan.name in workloads]


def _text(plan: WorkloadPlan) -> str:
    bold = click.style(plan.name, bold=True)
    lines = [f"{bold}  {plan.kind}, {plan.mode}, active side {plan.active}, {plan.host}"]
    for site in plan.sites:
        record = next(r for r in plan.records if r.site == site.name)
        lines.append(f"  {record.role:<8} {site.name:<20} on {site.target:<6} {site.direct}")
    worst = max(record.ttl for record in plan.records)
    lines += [
        f"  failover {'to ' + plan.records[1].site if len(plan.records) > 1 else 'none: one site only'}"
        + (
            f", seen by visitors within {plan.failover_s} s of an outage (checks {_checks()}, answers kept {worst} s)"
            if len(plan.records) > 1
            else ""
        ),
        f"  backup   every version in {', '.join(sorted(plan.backup.stores))}, {plan.backup.retain} kept",
        *(f"  note     {note}" for note in plan.notes),
        "  steps",
        *(f"    {step}" for step in plan.steps),
        f"  cost     {plan.usd_month:.2f} USD a month",
        *(f"    {line.usd_month:>8.2f}  {line.what}" for line in plan.bill),
    ]
    return "\n".join(lines)


def _checks() -> str:
    return f"{front.CHECK_THRESHOLD} x {front.CHECK_INTERVAL} s"
