"""`unmoor step`: take one step of a deployment, as Pulumi runs it."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from typing import Any, NoReturn

import click

from ..dns import programs
from ..errors import StepError, UnmoorError
from ..limits import STEP_INPUT_BYTES, STEP_OUTPUT_BYTES
from ..steps import STEPS
from ..text.escape import outside, printable

#: Every program: the library's own, and those of authorities.
PROGRAMS = {**STEPS, **programs()}


@click.command()
@click.argument("name", type=click.Choice(list(PROGRAMS)))
@click.option("--wait", is_flag=True, help="For drain: wait now; without it there is nothing to wait for yet.")
def cli(name: str, wait: bool) -> None:
    """Take the step NAME with the JSON object on standard input.

    Progress goes to standard error, and one short JSON line to standard output. Exit 1 with a sentence when the step
    did not succeed; taking it again is always safe.
    """
    # Threads that wait on the network must not outlive the step, so a signal ends the process at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        given = _given()
    except ValueError as error:
        click.echo(f"step {name}: standard input is not one JSON object: {outside(error)}", err=True)
        sys.exit(1)
    module = importlib.import_module(f"..{PROGRAMS[name].module}", __package__)
    try:
        done = module.take(given | ({"wait": True} if wait else {}), _say)
        line = json.dumps(done, separators=(",", ":"), sort_keys=True)
        # pulumi-command stops reading at a line of 64 KiB, and keeps what it read in state.
        if len(line) >= STEP_OUTPUT_BYTES:
            raise StepError(f"step {name}: its result is longer than {STEP_OUTPUT_BYTES:,} bytes")
    except UnmoorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(line)


def _given() -> dict[str, Any]:
    """Read the object on standard input. Raises ValueError for anything else."""
    text = sys.stdin.read(STEP_INPUT_BYTES + 1) if sys.stdin else ""
    if len(text) > STEP_INPUT_BYTES:
        raise ValueError(f"it is longer than {STEP_INPUT_BYTES:,} bytes")
    try:
        given = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(given, dict):
        raise ValueError("not an object")  # noqa: TRY004 the caller expects one type of exception
    return given


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _say(sentence: str) -> None:
    click.echo(printable(sentence), err=True)
