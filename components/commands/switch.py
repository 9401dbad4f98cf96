"""`unmoor switch`: move a database's writer to the other site, and lose nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ..errors import StepError
from ..postgres import moves, proofs
from .drill import has_file, opened
from .which import stack_option

if TYPE_CHECKING:
    from ..postgres.settings import Settings


@click.command()
@stack_option(unless=has_file)
@click.argument("name", is_eager=True)
@click.option("--to", help="The site that shall write.")
@click.option("--first", help="Begin a new database: the site that writes first. Its agent makes an empty one.")
@click.option("--within", default=300, show_default=True, type=click.IntRange(10), help="Seconds until it is given up.")
def cli(stack: str, name: str, to: str | None, first: str | None, within: int) -> None:
    """Move the writer of database NAME to a site, without loss.

    NAME has its settings in postgres/NAME.yaml. To move the writer of a stack's workload with its names and keys,
    change `active:` and run `pulumi up`; this command moves only the writer.

    The old site stops and archives its last writes, the new one replays them and is promoted, and the old one follows.
    If a step fails before the new site has claimed the epoch, the old one writes again. The command may be killed at
    any moment and run again: the sites do the work.

    It is refused without a proof of a restore from each store (`unmoor drill`), and without a standby that reports.
    """
    read = opened(name, stack)
    if (to is None) == (first is None):
        raise click.UsageError("give --to for a switch, or --first for a new database")
    site = to or first or ""
    if site not in read.sites:
        raise click.BadParameter(f"{site!r} is no site; choose {' or '.join(read.sites)}")
    if first is not None:
        moves.first(read, first)
        click.echo(f"{name}: {first} writes first; start its agent")
        return
    seen = moves.known(read)
    moves.demanded(f"the writer of {name} does not move", moves.planned(read, seen, site, time.time()))
    for text in moves.slow(read, seen):
        click.echo(text, err=True)
    begun = time.monotonic()
    record = moves.move(read, site, accept_loss=False, within_s=within, report=lambda text: click.echo(text, err=True))
    click.echo(f"{name}: {site} writes in epoch {record.epoch}, {time.monotonic() - begun:.1f} s after the order")
    _probe(read, name, site)


def _probe(read: Settings, name: str, site: str) -> None:
    """Wait until the new site reports that it writes. Raises StepError if it does not."""
    store, end = proofs.opened(read, read.witness.store), time.monotonic() + 60
    while time.monotonic() < end:
        state = moves.reported(read, store, site)
        if state is not None and state.role == "primary" and not moves.silent(state, time.time()):
            click.echo(f"{name}: {site} reports that it takes writes")
            return
        time.sleep(1)
    raise StepError(f"{site} has the record and does not report that it writes; see the log of its agent")
