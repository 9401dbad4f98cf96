"""`unmoor explain`: trace a number of the assessment to its inputs and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..config.models import did_you_mean
from .assess import assessment, inputs

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

TOPICS = ("cost", "risk", "residual", "value", "migration")


@click.command()
@click.argument("workload")
@click.argument("topic", type=click.Choice(TOPICS))
@click.option("--depth", type=click.IntRange(1), help="Print so many levels of the derivation; default all.")
@inputs
def cli(workload: str, topic: str, depth: int | None, inventory: Path, stack: str | None, on: datetime | None) -> None:
    """Explain where a number comes from, down to inputs and sources.

    WORKLOAD is a name of the inventory, or `all` for the sums.

    \b
    cost       the bill today, with homework, and with the plan, line by line
    risk       both risks by their points, and the expected downtime
    residual   the companies that alone can still stop it
    value      savings, payback, hours and independence won
    migration  the steps, with hours, checks and the way back
    """  # noqa: D301 click reads the backspace
    from ..assess import explain

    whole = assessment(inventory, stack, on).assessment
    if workload == "all":
        click.echo("\n".join(explain.lines(explain.explain_all(whole, topic), depth)))
        return
    known = [one.name for one in whole.workloads]
    if workload not in known:
        meant = did_you_mean(workload, known)
        raise click.BadParameter(f"no workload {workload!r} in {inventory}{meant}; choose from all, {', '.join(known)}")
    click.echo("\n".join(explain.lines(explain.explain(whole.of(workload), topic), depth)))
