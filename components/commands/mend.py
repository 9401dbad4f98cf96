"""`unmoor mend`: make a stack's state readable again after a kill or a loss of power."""

from __future__ import annotations

import click

from ..errors import ConfigError
from ..project import root, stack_file, stack_name
from ..stores import checkpoint
from .which import stack_option


@click.command()
@stack_option()
def cli(stack: str) -> None:
    """Make the state of a stack readable again when `pulumi` ends with `failed to load checkpoint`.

    Only a state in a folder (PULUMI_BACKEND_URL or backend.url is file://…) can be left so. A note that was cut off is
    removed, and a state that was cut off is kept, and the newest whole copy takes its place: the next
    `pulumi up --refresh` finds by name what was made since. See first that no update of the stack runs.
    Exit 1 when no copy is whole.
    """
    from ..doctor.project import backend, settings

    folder = root()
    project = settings(folder)
    if "name" not in project:
        raise ConfigError(f"{folder / 'Pulumi.yaml'}: is no project; run it where Pulumi.yaml is")
    url = backend(project)
    if not url:
        raise ConfigError(
            "PULUMI_BACKEND_URL is not set and Pulumi.yaml has no backend.url; export it as for `pulumi up`"
        )
    place = checkpoint.folder(url)
    if place is None:
        click.echo(f"nothing to mend: {url.partition('://')[0]}:// writes a state whole or not at all")
        return
    done = checkpoint.mend(folder / place, str(project["name"]), stack_name(stack_file(stack)))
    click.echo("\n".join(done) or "nothing to mend: the state is whole")
