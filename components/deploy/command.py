"""A step as a resource: one constant command line, all variation as JSON on its standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_command as command

from ..steps import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def step(name: str, program: str, given: Mapping[str, Any], opts: pulumi.ResourceOptions) -> command.local.Command:
    """Take a step when its input is new or has changed; nobody reads what it prints.

    `given` becomes one JSON object on standard input. Credentials come from the environment of the
    process, never from here: inputs are kept in state.
    """
    line = command_line(program)
    return command.local.Command(
        name,
        create=line,
        update=line,
        stdin=pulumi.Output.json_dumps(dict(given), sort_keys=True),
        add_previous_output_in_env=False,
        logging=command.local.Logging.STDERR,
        opts=opts,
    )


def drain(name: str, ttl: int, identity: pulumi.Input[str], opts: pulumi.ResourceOptions) -> command.local.Command:
    """Wait out `ttl` seconds before what stands behind this step is removed or replaced.

    Only its deletion does anything: records that pointed at the site depend on this step, and this step
    on the site, so the engine removes the records, waits, and removes the site. A new `identity`
    replaces the step, so the site it replaces is waited for too.
    """
    return command.local.Command(
        name,
        delete=f"{command_line('drain')} --wait",
        stdin=pulumi.Output.json_dumps({"ttl": ttl}),
        triggers=[identity],
        add_previous_output_in_env=False,
        logging=command.local.Logging.STDERR,
        opts=opts,
    )
