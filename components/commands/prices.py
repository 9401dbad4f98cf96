"""`unmoor prices`: the dated price book, shown and refreshed."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from .. import files
from ..errors import ConfigError
from ..limits import PRICES_S
from ..prices import book as prices

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATE = click.DateTime(["%Y-%m-%d"])


@click.group()
def cli() -> None:
    """Show the price book, or read it again from those who set the prices."""


@cli.command()
@click.argument("words", nargs=-1)
@click.option("--date", "on", type=_DATE, help="Count ages to this day; default today.")
def show(words: tuple[str, ...], on: datetime | None) -> None:
    """Print prices whose path has all WORDS, with source and age."""
    today = _today(on)
    book = prices.book()
    click.echo(f"{book.origin}, compiled {book.compiled}, {book.region}")
    found = [price for path, price in book.prices.items() if all(word in path for word in words)]
    if not found:
        raise ConfigError(f"no price has {' and '.join(words)} in its path; `unmoor prices show` prints all")
    for price in found:
        age = price.source.age_days(today)
        state = "never verified" if age is None else f"{age} days old{', stale' if price.source.stale(today) else ''}"
        click.echo(
            f"{price.path:52} {price.usd:>12g}  {price.source.key} ({state}){f'; {price.note}' if price.note else ''}"
        )
    for key in sorted({price.source.key for price in found}):
        click.echo(f"{key}: {book.sources[key].title}")


@cli.command()
@click.option("--date", "on", type=_DATE, help="Date the prices; default today.")
def refresh(on: datetime | None) -> None:
    """Read AWS, Akash and Flux again and write stacks/pricebook.json, which wins over the shipped one.

    The file has one price a line: its diff is the review. A price that is far off is left out and reported.
    """
    from ..prices import refresh as again

    today = _today(on)
    book = prices.book()
    found = again.refresh(book, _sizes(), today, _lines, lambda text: click.echo(text, err=True))
    text = again.written(book, found, today)
    lines = again.changes(book, found)
    files.write(prices.OWN, text)
    for line in lines or ["no price changed; their sources are fresh again"]:
        click.echo(line)
    for line in found.failures:
        click.echo(f"! {line}")
    click.echo(f"wrote {prices.OWN}", err=True)


def _today(on: datetime | None) -> date:
    return on.date() if on else date.today()  # noqa: DTZ011 the operator's day


def _sizes() -> Iterator[str]:
    """Yield the paths of the inventory's sizes, so that they are priced too."""
    from ..assess import reading
    from .assess import INVENTORY

    groups = {"ec2": "aws/ec2_linux_ondemand_hour", "rds": "aws/rds_postgres_single_az_hour"}
    if INVENTORY.exists():
        inventory = reading.load(INVENTORY, date.max)
        for workload in inventory.workloads.values():
            for part in workload.parts:
                if part.what in groups:
                    yield f"{groups[part.what]}/{part.type}"  # type: ignore[union-attr]


def _lines(address: str) -> Iterator[str]:
    """Yield the lines at an address as they arrive."""
    import httpx

    try:
        with httpx.stream("GET", address, timeout=PRICES_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            yield from answer.iter_lines()
    except httpx.HTTPError as error:
        raise OSError(f"{address}: {error}") from None
