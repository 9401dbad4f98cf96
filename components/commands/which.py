"""Which stack a command is about: the named one, else the only one, else the one that was asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..plan.neighbours import TEMPLATE
from ..project import bare, root, stack_name

if TYPE_CHECKING:
    from collections.abc import Callable

#: The variable by which Pulumi's own command line chooses a stack.
_VARIABLE = "PULUMI_STACK"


def stack_option(unless: Callable[[click.Context], bool] = lambda _: False) -> Callable[..., Any]:
    """Return the option --stack, which may be left out where the project has one stack file or PULUMI_STACK is set.

    `unless`: whether the command needs no stack, judged by its arguments so far; the value is then empty.
    """

    def chosen(context: click.Context, _option: click.Parameter, value: str | None) -> str:
        return "" if unless(context) else _chosen(value)

    return click.option(
        "--stack",
        "-s",
        callback=chosen,
        help="A stack's name (stacks/Pulumi.NAME.yaml) or a path to a stack file. "
        f"Default: {_VARIABLE}, else the only stack file.",
    )


def _chosen(value: str | None) -> str:
    named = value or os.environ.get(_VARIABLE)
    if named:
        return bare(named)
    there = sorted(stack_name(path) for path in (root() / "stacks").glob("Pulumi.*.yaml"))
    stacks = [name for name in there if name != TEMPLATE]
    if len(stacks) == 1:
        click.echo(f"stack {stacks[0]}", err=True)
        return stacks[0]
    if not stacks:
        raise click.UsageError("there is no stack file yet; `unmoor init` writes one")
    if not sys.stdin.isatty():
        raise click.UsageError(f"several stacks are here; choose one with --stack: {', '.join(stacks)}")
    return str(click.prompt("Which stack?", type=click.Choice(stacks), err=True))
