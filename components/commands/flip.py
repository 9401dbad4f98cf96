"""`unmoor flip`: change a workload's mode in its stack file, if the result can be planned."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import click

from .. import files
from ..config import models as config
from ..config.models import Mode, Side
from ..plan.stack import project_of, topology
from ..project import registry, stack_file
from ..runbook import edit
from ..runbook.case import Course
from .plan import choose
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@click.command()
@click.argument("workload")
@click.argument("mode", type=click.Choice([str(mode) for mode in Mode]))
@click.option(
    "--active",
    type=click.Choice([str(side) for side in Side]),
    help="Which side answers in active-standby; as it is without this.",
)
@stack_option()
@click.option("--dry-run", is_flag=True, help="Show the line, and write nothing.")
def cli(workload: str, mode: str, active: str | None, stack: str, dry_run: bool) -> None:
    """Put WORKLOAD into MODE: change that one line of its stack file, comments and order kept.

    The result is planned first; when it cannot be, every fault is printed and the file stays as it is. Nothing is
    deployed: `pulumi preview` shows what the line does, and `pulumi up` does it.
    """
    path = stack_file(stack)
    old = config.load_file(path)
    before = path.read_bytes().decode("utf-8")
    side = Side(active) if active else Side.CENTRALIZED
    after = edit.flip(before, str(path), workload, Course(Mode(mode), side), say_active=active is not None)
    new = config.parse(after, str(path))
    root = project_of(path)
    choose(topology(new, registry(root), root, built=False), (workload,), stack)
    word = put(path, before, after, dry_run=dry_run)
    click.echo(f"{workload}: {_shown(old, workload)} → {_shown(new, workload)}; {word}")


def _shown(settings: Mapping[str, Any], workload: str) -> str:
    """Return a workload's course as its stack file has it, which may be invalid."""
    written = settings["workloads"][workload]
    mode, side = written.get("mode", "no mode"), written.get("active", Side.CENTRALIZED)
    return f"{mode}, active {side}" if mode == Mode.ACTIVE_STANDBY else str(mode)


def put(path: Path, before: str, after: str, *, dry_run: bool) -> str:
    """Show the changes of a stack file, write it unless they are only shown, and return the word for what was done."""
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), n=1, lineterm=""):
        click.echo(click.style(line, fg={"+": "green", "-": "red"}.get(line[:1])))
    word = "written already" if before == after else "not written" if dry_run else "written"
    if word == "written":
        files.write(path, after)
    return word
