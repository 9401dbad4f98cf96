"""`unmoor doctor`: check what is ready for an update and what is not, each with the command that mends it."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

import click

from ..config.models import load_document
from ..needs import State
from ..plan.stack import project_of
from ..project import registry, stack_file
from .approve import scope
from .plan import load
from .which import stack_option

if TYPE_CHECKING:
    from ..doctor.run import Looked

#: How each state is printed.
_MARKS = {State.READY: ("ok", "green"), State.CAUTION: ("!", "yellow"), State.UNSEEN: ("?", "cyan")}
_NOT_READY = ("NO", "red")


@click.command()
@stack_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--all", "everything", is_flag=True, help="Print what is ready too.")
def cli(stack: str, as_json: bool, everything: bool) -> int:
    """Check everything that an update of a stack needs, change nothing, and print how to repair what is not ready.

    \b
    NO  an update would fail, or do harm; the command below repairs it
    !   an update works, and you should know this before
    ?   it could not be checked

    The checks are: the engine, its plug-ins, the virtual environment, the state and the disk for it, the AWS identity
    and its rights, the zone, its delegation and records, CAA, aliases of CloudFront, stores, the Console account and
    its market, the issuer. They run at the same time, each for at most 8 seconds.

    Exit 0 when an update can start, 1 when something is not ready.
    """  # noqa: D301 click reads the backspace
    import boto3  # noqa: F401 the import fails here, with a sentence that names the extra

    from ..doctor import project, room, run

    path = stack_file(stack)
    topology, folder = load(path, built=False), project_of(path)
    known = registry(folder)
    wanted = [
        *project.checks(folder, load_document(path), topology),
        *room.checks(folder),
        *run.checks(topology, known, "/".join(astuple(scope(path)))),
    ]
    found = run.look(wanted)
    stopped = [each for each in found if each.state is State.NOT_READY]
    if as_json:
        click.echo(json.dumps({"ready": not stopped, "checks": [_plain(each) for each in found]}, indent=2))
        return 1 if stopped else 0
    for each in found:
        _print(each, everything=everything)
    counted = {state: sum(each.state is state for each in found) for state in State}
    click.echo(", ".join(f"{count} {state}" for state, count in counted.items() if count))
    return 1 if stopped else 0


def _plain(looked: Looked) -> dict[str, object]:
    return {
        "name": looked.name,
        "state": str(looked.state),
        "findings": [
            {"state": str(each.state), "sentence": each.sentence, "mend": each.mend} for each in looked.findings
        ],
    }


def _print(looked: Looked, *, everything: bool) -> None:
    for each in looked.findings:
        if each.state is State.READY and not everything:
            continue
        mark, colour = _MARKS.get(each.state, _NOT_READY)
        click.echo(f"{click.style(f'{mark:<3}', fg=colour)} {looked.name}: {each.sentence}")
        if each.mend:
            click.echo(f"    {each.mend}")
