"""`unmoor step`: take one step of a deployment, as Pulumi runs it."""

from __future__ import annotations

import importlib
import json
import signal
import sys

import click

from ..errors import StepError, UnmoorError
from ..steps import STEPS

#: pulumi-command stops reading at a line of 64 KiB, and keeps what it read in state.
LONGEST = 4096


@click.command()
@click.argument("name", type=click.Choice(list(STEPS)))
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
        given = json.load(sys.stdin)
        if not isinstance(given, dict):
            raise TypeError("not an object")
    except (ValueError, TypeError) as error:
        click.echo(f"step {name}: standard input is not one JSON object: {error}", err=True)
        sys.exit(1)
    module = importlib.import_module(f"..{STEPS[name].module}", __package__)
    try:
        done = module.take(given | ({"wait": True} if wait else {}), _say)
        line = json.dumps(done, separators=(",", ":"), sort_keys=True)
        if len(line) >= LONGEST:
            raise StepError(f"step {name}: its result is longer than {LONGEST} bytes")
    except UnmoorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(line)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
