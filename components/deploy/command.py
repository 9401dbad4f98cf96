"""A program of `steps` as a resource: one constant command line; everything variable is JSON on its standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_command as command

from ..steps import INTERPRETER, command_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(
    name: str,
    program: str,
    given: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
    *,
    removes: bool = False,
    renew: list[pulumi.Input[Any]] | None = None,
) -> command.local.Command:
    """Run a program when its input is new or has changed.

    With `removes` it runs once more when this resource is deleted, with `--wait`, and a new value in `renew` replaces
    it: the program runs for the new input, and at the end of the update once for the old. `given` becomes one JSON
    object on standard input. Credentials come from the environment of the process and never from here, because inputs
    are kept in state.
    """
    line = command_line(program)
    return command.local.Command(
        name,
        create=line,
        update=line,
        delete=f"{line} --wait" if removes else None,
        interpreter=list(INTERPRETER),
        stdin=pulumi.Output.json_dumps(dict(given), sort_keys=True),
        triggers=renew or None,
        add_previous_output_in_env=False,
        logging=command.local.Logging.STDERR,
        opts=opts,
    )


def run_on_delete(
    name: str, program: str, given: Mapping[str, Any], renew: list[pulumi.Input[Any]], opts: pulumi.ResourceOptions
) -> command.local.Command:
    """Run a program only when this resource is deleted, with `--wait`.

    Dependents of this resource are removed before the program runs, its own dependencies after it. A new value in
    `renew` replaces the resource, so that the program runs once with the old input.
    """
    return command.local.Command(
        name,
        delete=f"{command_line(program)} --wait",
        interpreter=list(INTERPRETER),
        stdin=pulumi.Output.json_dumps(dict(given)),
        triggers=renew,
        add_previous_output_in_env=False,
        logging=command.local.Logging.STDERR,
        opts=opts,
    )
