"""`unmoor assess`: what a DAO runs, what moving it costs and buys, as tables and as a report."""

from __future__ import annotations

import gc
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import models as config
from ..errors import ConfigError
from ..prices import book as prices

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..assess.assessment import Assessment

INVENTORY = Path("stacks") / "inventory.yaml"


def inputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is assessed, against which plan, as of when."""
    for option in (
        click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="Assess as of this day; default today."),
        click.option(
            "--stack",
            "-s",
            help="Take the plan from stacks/Pulumi.NAME.yaml; default: the inventory's, and our advice.",
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


def assessment(inventory: Path, stack: str | None, on: datetime | None) -> Assessment:
    """Assess an inventory by the plan of a stack file, or by its own and our advice."""
    gc.disable()  # a short life with many small values, none of them in circles: collecting costs a third of the time
    from ..assess import assessment as whole
    from ..assess import courses, reading

    today = on.date() if on else date.today()  # noqa: DTZ011 the operator's day
    what = reading.load(inventory, today)
    if stack is None:
        only: tuple[str, ...] = ()
        plan, origin = courses.proposed(what), "the inventory's wishes, else our advice"
    else:
        path = Path(stack) if stack.endswith((".yaml", ".yml")) else Path("stacks") / f"Pulumi.{stack}.yaml"
        settings, found = config.read(config.load_file(path))
        if settings is None:
            raise ConfigError(f"{path} is not valid", found)
        name = path.stem.removeprefix("Pulumi.")
        plan, only = courses.from_stack(what, settings, name)
        origin = f"stack {name}"
    return whole.assess(what, plan, prices.book(), today, origin, only)


@click.command()
@inputs
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write report.html, .md, .json and CSV here."
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as one JSON object.")
def cli(inventory: Path, stack: str | None, on: datetime | None, out: Path | None, *, as_json: bool) -> None:
    """Assess what a DAO runs: cost, risk, who alone can stop it, what moving takes and buys.

    Nothing is contacted. Trace any number with `unmoor explain WORKLOAD TOPIC`.
    """
    from ..assess.report.document import document

    report = document(assessment(inventory, stack, on))
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

    width = None if sys.stdout.isatty() else 160
    terminal.show(report, Console(file=sys.stdout, width=width, highlight=False))
