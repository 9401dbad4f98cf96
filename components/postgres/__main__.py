"""Run the agent of one site: `python -m unmoor.postgres FILE --site NAME --data DIR`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigError, Fault, UnmoorError
from ..limits import FAULT_CHARS
from ..text.escape import bounded
from .agent import Agent, Where
from .settings import load, missing


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--site", required=True, help="The site that this process runs: one of the file's `sites`.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help="The site's directory; empty at first.",
)
@click.option("--listen", default="127.0.0.1", show_default=True, help="PostgreSQL's address for the application.")
@click.option("--port", default=5432, show_default=True, type=click.IntRange(1, 65535), help="PostgreSQL's port.")
@click.option("--http", default="127.0.0.1:8008", show_default=True, help="The address of /health, /role and /lag.")
def cli(file: Path, site: str, data: Path, listen: str, port: int, http: str) -> None:
    """Run the agent of one site until SIGTERM: it directs PostgreSQL, its archive and its backups.

    The record of the writer decides whether PostgreSQL writes or follows. Secrets come from the environment variables
    that FILE names. Exit 1 for invalid settings, before anything is changed.
    """
    settings = load(file)
    found = missing(settings)
    if site not in settings.sites:
        found.append(Fault("--site", f"{site!r} is not a site of the file; choose {' or '.join(settings.sites)}"))
    host, _, number = http.rpartition(":")
    if not host or not number.isdecimal():
        found.append(Fault("--http", f"{http!r} is not an address; write HOST:PORT"))
    if found:
        raise ConfigError(f"the agent of {settings.workload} cannot start", found)
    agent = Agent(settings, Where(site, data, listen, port, (host, int(number))), _report)

    def ended(*_: Any) -> None:
        agent.stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, ended)
    agent.run()


def _report(text: str) -> None:
    click.echo(f"agent: {bounded(text, FAULT_CHARS)}", err=True)


def main() -> int:
    """Run the command and return its exit code: 1 after an operator's mistake, which is printed without a traceback."""
    try:
        cli.main(standalone_mode=False)
    except UnmoorError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
