"""`unmoor assess`: what a DAO runs, what moving it costs and buys, as tables and as a report."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import models as config
from ..errors import ConfigError, MarketError
from ..prices import book as prices

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..assess.assessment import Assessment
    from ..assess.inventory import Inventory

INVENTORY = Path("stacks") / "inventory.yaml"


def inputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the inventory, the plan and the day of an assessment."""
    for option in (
        click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="Assess as of this day; default today."),
        click.option(
            "--stack",
            "-s",
            help="Take the plan from stacks/Pulumi.NAME.yaml; default: the inventory's wishes, else the advice.",
        ),
        click.option(
            "--inventory",
            "-i",
            type=click.Path(path_type=Path),
            default=INVENTORY,
            show_default=True,
            help="What the DAO runs.",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True)
class Assessed:
    """An assessment, with hash and signers of its plan if that is a stack file's."""

    assessment: Assessment
    plan_hash: str = ""
    quorum: tuple[int, int] | None = None


def assessment(inventory: Path, stack: str | None, on: datetime | None) -> Assessed:
    """Assess an inventory by the plan of a stack file, or by its own and the advice."""
    # The process is short and makes many small values without cycles: collecting would take a third of its time.
    gc.disable()
    from ..assess import adapter, courses, reading
    from ..assess import assessment as whole
    from ..project import registry

    today = on.date() if on else date.today()  # noqa: DTZ011 the operator's day
    what = reading.load(inventory, today)
    if stack is not None:
        return _by_stack(what, stack, today)
    book = prices.book()
    plan = whole.advised(what, courses.proposed(what, adapter.builds(registry())), book, today)
    return Assessed(whole.assess(what, plan, book, today, "the inventory's wishes, else the advice"))


def _by_stack(what: Inventory, stack: str, today: date) -> Assessed:
    from ..assess import adapter, courses
    from ..assess import assessment as whole
    from ..plan.canonical import plan_hash
    from ..plan.stack import from_file, project_of
    from ..project import registry, stack_file, stack_name

    path = stack_file(stack)
    settings, found = config.read(config.load_file(path))
    if settings is None:
        raise ConfigError(f"{path} is not valid", found)
    name = stack_name(path)
    known = registry(project_of(path))
    topology = from_file(path, known, built=False)
    plan, only = courses.from_stack(what, settings, name, adapter.planned(topology, known))
    made = whole.assess(what, plan, prices.book(), today, f"stack {name}", only)
    signers = topology.signers
    return Assessed(made, plan_hash(topology), (signers.quorum, len(signers.keys)) if signers else None)


def _screened(found: Assessment) -> dict[str, int] | None:
    """Ask the market which sizes fit, if a key is set; return None if it was not asked or did not answer."""
    from ..targets.akash import KEY_VARIABLE

    if not os.environ.get(KEY_VARIABLE):
        return None
    from ..assess import market

    click.echo("asking providers which sizes they would take …", err=True)
    try:
        return market.screened(found.inventory, market.asker())
    except MarketError as error:
        click.echo(f"! {error.title}; the price book decides what fits", err=True)
        return None


@click.command()
@inputs
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write report.html, .md, .json and CSV here."
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as one JSON object.")
def cli(inventory: Path, stack: str | None, on: datetime | None, out: Path | None, *, as_json: bool) -> None:
    """Assess what a DAO runs: cost, risk, single points of failure, what moving takes and buys.

    Three columns are compared: today; staying, with backups and exits drilled; and the plan. Without --stack the plan
    is the inventory's wishes and, for all else, only the moves that are worth it. Nothing is contacted, but for one
    thing: where AKASH_CONSOLE_API_KEY is set, providers are asked which sizes they would take. Trace any number with
    `unmoor explain WORKLOAD TOPIC`.
    """
    from ..assess.report.document import document
    from ..assess.vote import Known

    found = assessment(inventory, stack, on)
    report = document(found.assessment, Known(found.plan_hash, found.quorum, _screened(found.assessment)))
    if out:
        from ..assess.report import files

        for path in files.write(report, out):
            click.echo(f"wrote {path}", err=True)
    if as_json:
        from ..assess.report import files

        click.echo(files.as_json(report), nl=False)
        return
    from rich.console import Console

    from ..assess.report import terminal

    width = None if sys.stdout.isatty() else 100
    terminal.show(report, Console(file=sys.stdout, width=width, highlight=False))
