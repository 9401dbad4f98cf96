"""`unmoor mend`: make a stack's state readable again after a kill or a loss of power."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..errors import ConfigError
from ..project import root, stack_file, stack_name
from ..stores import checkpoint
from .which import stack_option

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLE = "PULUMI_BACKEND_URL"


@click.command()
@stack_option()
def cli(stack: str) -> None:
    """Make the state of a stack readable again when `pulumi` ends with `failed to load checkpoint`.

    Only a state in a folder (PULUMI_BACKEND_URL or backend.url is file://…) can be left so. A note that was cut off is
    removed, and a state that was cut off is kept, and the newest whole copy takes its place: the next
    `pulumi up --refresh` finds by name what was made since. See first that no update of the stack runs.
    Exit 1 when no copy is whole.
    """
    folder, project = root(), _project()
    url = os.environ.get(_VARIABLE, "") or project[1]
    if not url:
        raise ConfigError(f"{_VARIABLE} is not set and Pulumi.yaml has no backend.url; export it as for `pulumi up`")
    place = checkpoint.folder(url)
    if place is None:
        click.echo(f"nothing to mend: {url.partition('://')[0]}:// writes a state whole or not at all")
        return
    done = checkpoint.mend(_below(folder, place), project[0], stack_name(stack_file(stack)))
    click.echo("\n".join(done) or "nothing to mend: the state is whole")


def _project() -> tuple[str, str]:
    """Return the project's name and the URL of its backend, empty where it names none."""
    from ..config.yaml_text import load

    file = root() / "Pulumi.yaml"
    try:
        held = load(file.read_text(encoding="utf-8"), file.name)
        return str(held["name"]), str((held.get("backend") or {}).get("url") or "")
    except (OSError, KeyError, TypeError, AttributeError):
        raise ConfigError(f"{file}: is no project; run it where Pulumi.yaml is") from None


def _below(folder: Path, place: Path) -> Path:
    return place if place.is_absolute() else folder / place
