"""`unmoor adopt`: name in the stack file what stands at a live host; give the host back; or forget what stood there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from ..authority import Adopts
from ..config import models as config
from ..config.standing import phrase, phrases
from ..errors import PlanError
from ..plan.stack import project_of, topology
from ..project import registry, stack_file
from ..runbook import edit
from .flip import put
from .plan import choose, load
from .which import stack_option

if TYPE_CHECKING:
    from pathlib import Path

    from ..config.standing import StandingRecord
    from ..topology import Topology, WorkloadPlan


@click.command()
@click.argument("workload")
@stack_option()
@click.option("--undo", is_flag=True, help="Put back what stood at the host, in one change, now.")
@click.option("--forget", is_flag=True, help="Take the lines out: nothing is put back when the workload ends.")
@click.option("--dry-run", is_flag=True, help="Show the lines, and write nothing.")
@click.option("--yes", is_flag=True, help="With --undo: do not ask.")
def cli(workload: str, stack: str, undo: bool, forget: bool, dry_run: bool, yes: bool) -> None:
    """Adopt the live names of WORKLOAD: write what stands there today into its stack file, as `adopt`.

    Nothing is deployed. The next `pulumi up` builds and probes the new site, then replaces those records by its own in
    one change. `pulumi destroy` puts them back. --undo puts them back at any time, and leaves the sites unchanged.
    After --undo the next update takes the names again, and `pulumi preview` shows it. The command needs read access to
    the zone, and with --undo the right to change its records.
    """
    if undo and forget:
        raise click.UsageError("--undo puts back what --forget forgets; choose one")
    if undo and dry_run:
        raise click.UsageError(
            "--dry-run shows lines of the stack file, and --undo writes none; `unmoor plan` shows them"
        )
    path = stack_file(stack)
    planned = load(path, built=False)
    plan = choose(planned, (workload,), stack)[0]
    if undo:
        _give_back(plan, planned, path, yes=yes)
        return
    records = () if forget else _records(plan, planned, path)
    before = path.read_bytes().decode("utf-8")
    after = edit.adopt(before, str(path), workload, records)
    root = project_of(path)
    choose(topology(config.parse(after, str(path)), registry(root), root, built=False), (workload,), stack)
    word = put(path, before, after, dry_run=dry_run)
    stood = dataclasses.replace(plan, adopt=records).adopted
    what = f"{phrase(plan.adopt)} is forgotten" if forget else phrases(stood, "{1} stands at {0}")
    click.echo(f"{workload}: {what}; {word}")


def _authorities(planned: Topology, path: Path) -> list[Adopts]:
    known = registry(project_of(path)).authorities
    named = [known[name] for name in planned.zone.authorities]
    return [authority for authority in named if isinstance(authority, Adopts)]


def _records(plan: WorkloadPlan, planned: Topology, path: Path) -> tuple[StandingRecord, ...]:
    """Return what stands at the public names now, and what stood at the adopted ones before.

    Raises PlanError where there is nothing new, or nothing that can be adopted.
    """
    bare = dataclasses.replace(plan, adopt=())
    surveys = [authority.survey(bare, planned.zone) for authority in _authorities(planned, path)]
    records = next((survey.records for survey in surveys if survey.records), ())
    if records:
        new = {record.at for record in records}
        return (*(record for record in plan.adopt if record.at not in new), *records)
    if found := [fault for survey in surveys for fault in survey.faults]:
        raise PlanError(f"{plan.host} cannot be adopted", found)
    raise PlanError(f"nothing of another party stands at {plan.host}, so there is nothing to adopt")


def _give_back(plan: WorkloadPlan, planned: Topology, path: Path, *, yes: bool) -> None:
    if not plan.adopt:
        raise click.UsageError(f"{plan.name} has no `adopt` in {path}, so it is not known what stood at {plan.host}")
    if not yes:
        back = phrases(plan.adopted, "{} back to {}")
        click.confirm(f"Lead visitors of {back}?", abort=True, err=True)
    done = [
        authority.give_back(plan, planned.zone, lambda line: click.echo(line, err=True))
        for authority in _authorities(planned, path)
    ]
    word = "given back" if any(done) else "was given back already"
    click.echo(
        f"{', '.join(plan.adopted)} {word}; the next update takes what the stack file adopts again, and `pulumi "
        "preview` shows it"
    )
