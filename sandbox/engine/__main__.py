"""`python -m sandbox.engine [--ready] [NAME ...]`: get the engine and the tools, and print the folders they are in."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import click

from components.errors import UnmoorError
from sandbox.engine import resolve

if TYPE_CHECKING:
    from types import FrameType

NAMES = ("pulumi", *resolve.TOOLS)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


@click.command()
@click.option("--ready", is_flag=True, help="Get nothing; exit 1 if something would have to be got.")
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(*, ready: bool, names: tuple[str, ...]) -> None:
    """Get the engine (pulumi) and the tools (caddy, pebble), all if none is named, and print where they are."""
    signal.signal(signal.SIGTERM, _end)
    try:
        for name in names or NAMES:
            folder = resolve.ready(name) if ready else _get(name)
            if folder is None:
                click.echo(f"{name}: not built yet", err=True)
                sys.exit(1)
            click.echo(folder)
    except UnmoorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _get(name: str) -> object:
    return resolve.engine() if name == "pulumi" else resolve.tool(resolve.TOOLS[name])


if __name__ == "__main__":
    main()
