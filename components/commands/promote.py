"""`unmoor promote`: make a site the writer although the other one does not answer. A person decides."""

from __future__ import annotations

import time

import click

from ..errors import StepError
from ..postgres import moves
from .drill import has_file, opened
from .which import stack_option


@click.command()
@stack_option(unless=has_file)
@click.argument("name", is_eager=True)
@click.option("--to", required=True, help="The site that shall write.")
@click.option("--accept-loss", is_flag=True, help="Promote although the site may lack more than `max_lag_s` of writes.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--within", default=300, show_default=True, type=click.IntRange(10), help="Seconds until it is given up.")
def cli(stack: str, name: str, to: str, accept_loss: bool, yes: bool, within: int) -> None:
    """Make site --to the writer of database NAME when the other one is gone. Writes that were not archived are lost.

    Shows what is known and asks. The site is promoted when the record has not been renewed for its time-to-live: until
    then the old site might still write. An old site that answers is not cut off: it archives its last writes first,
    and then nothing is lost. If it comes back later, its copy is replaced.
    """
    read = opened(name, stack)
    if to not in read.sites:
        raise click.BadParameter(f"{to!r} is no site; choose {' or '.join(read.sites)}")
    seen, now = moves.known(read), time.time()
    for line in moves.lines(read, seen, now):
        click.echo(line)
    if seen.record is None:
        raise StepError("there is no record of a writer; `unmoor switch NAME --first SITE` begins one")
    if found := moves.lossy(read, seen, to, now):
        if not accept_loss:
            moves.demanded(f"{to} is not promoted without --accept-loss", found)
        for each in found:
            click.echo(f"  {each}")
    question = f"Promote {to}? What {seen.record.holder} has acknowledged and not archived is lost."
    if not yes:
        click.confirm(question, abort=True, err=True)
    begun = time.monotonic()
    record = moves.move(read, to, accept_loss=True, within_s=within, report=lambda text: click.echo(text, err=True))
    click.echo(f"{name}: {to} writes in epoch {record.epoch}, {time.monotonic() - begun:.1f} s after the decision")
