"""`unmoor inventory`: write a first inventory by a few questions, and the page that explains every setting."""

from __future__ import annotations

import difflib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import files
from ..errors import ConfigError
from .assess import INVENTORY

if TYPE_CHECKING:
    from ..assess.draft import About, Answers

_ALIKE = 0.75


@click.group()
def cli() -> None:
    """Write the inventory of what a DAO runs, and explain its settings."""


@cli.command()
@click.option(
    "--inventory", "-i", type=click.Path(path_type=Path), default=INVENTORY, show_default=True, help="Write this file."
)
@click.option("--zone", help="Look this DNS zone up first, and ask only about the names in it, as dao.example.")
@click.option("--resolver", help="With --zone: ask this one, HOST or HOST:PORT; default the machine's.")
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day it is true; default today.")
def init(inventory: Path, zone: str | None, resolver: str | None, on: datetime | None) -> None:
    """Ask what the DAO runs, workload by workload, and write an inventory that `unmoor assess` can read.

    Sizes, states and data are set to what is usual for the work; correct them in the file. An existing file is never
    changed: `unmoor discover` adds to one.
    """
    from ..assess import draft, reading
    from ..assess.discover import merge

    if inventory.exists():
        raise ConfigError(f"{inventory} exists already; edit it, or write another with --inventory")
    today = on.date() if on else date.today()  # noqa: DTZ011 the operator's day
    name = click.prompt("Name of the DAO").strip()
    if zone:
        about, answers = _from_zone(name, zone, resolver)
    else:
        registrar = _vendor("Registrar of its domain (a vendor; nothing if unknown)", optional=True)
        about = draft.About(name, registrar, _vendor("Who answers its DNS (nothing if unknown)", optional=True))
        answers = _workloads()
    if not answers:
        raise ConfigError("no workload was described, so nothing is written; start again, and name at least one")
    text = merge.new(draft.document(about, answers, today), today)
    reading.parse(text, today, str(inventory))
    files.write(inventory, text)
    click.echo(f"wrote {inventory}: {len(answers)} workloads; check it, then run `unmoor assess`")


def _workloads() -> list[Answers]:
    """Ask about workloads one by one until a title is empty."""
    found: list[Answers] = []
    while title := click.prompt(
        f"\nWorkload {len(found) + 1}: what do people call it? (nothing ends the list)", default="", show_default=False
    ).strip():
        found.append(_workload(title, "", ()))
    return found


def _from_zone(name: str, zone: str, resolver: str | None) -> tuple[About, list[Answers]]:
    """Look a zone up, and ask about each name in it with the findings as the default."""
    from ..assess import draft
    from ..assess.discover import dns

    found = dns.discover(dns.Asker(resolver), zone.rstrip(".").lower(), ())
    registrar = _vendor("Registrar of its domain (a vendor; nothing if unknown)", optional=True)
    answers = []
    for one in found.names:
        who = one.compute or ("" if one.proxied else one.edge)
        click.echo(
            f"\n{one.host}: {who or 'its vendor is hidden or unknown'}{', behind ' + one.edge if one.proxied else ''}"
        )
        if click.confirm("Take it into the inventory?", default=True):
            title = click.prompt("What do people call it?", default=one.host)
            answers.append(_workload(title, who, (one.host,), one.edge))
    return draft.About(name, registrar, found.dns[0] if found.dns else ""), answers


def _workload(title: str, compute: str, hosts: tuple[str, ...], edge: str = "") -> Answers:
    from ..assess.discover.seen import guess_work
    from ..assess.draft import Answers, state
    from ..assess.inventory import State, Work
    from ..assess.level import Level

    guess = guess_work(title.lower())
    work = Work(click.prompt("What does it do?", type=click.Choice([str(one) for one in Work]), default=guess))
    who = _vendor("Who runs it? (a vendor, as aws, gitbook, hetzner, or own)", default=compute)
    asked = hosts or _hosts()
    levels = click.Choice([str(one) for one in Level])
    importance = click.prompt("How bad is it when it is gone?", type=levels, default=str(Level.MODERATE))
    usd = _number("USD a month, as on the bill (nothing if unknown)")
    keeps = state(work, who)
    gb = _number("GB of data it keeps", default="5") if keeps in {State.DATABASE, State.REBUILDABLE} else None
    return Answers(title, work, who, asked, usd, gb or 0.0, importance, edge if edge != who else "")


def _hosts() -> tuple[str, ...]:
    text = click.prompt("Its public names, separated by spaces (nothing if none)", default="", show_default=False)
    return tuple(dict.fromkeys(text.replace(",", " ").lower().split()))


def _vendor(question: str, *, default: str = "", optional: bool = False) -> str:
    """Ask for a vendor; a name that is nearly a known one's is asked again."""
    from ..assess import history
    from ..assess.discover.seen import workload_name

    known = history.known_vendors()
    while True:
        text = click.prompt(question, default=default or ("" if optional else None), show_default=bool(default)).strip()
        if not text and optional:
            return ""
        name = workload_name(text)
        if name in known:
            return history.vendor(name, {}).key
        close = difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
        if not close:
            click.echo(f"{name} is not in the table of vendors: averages are assumed for it", err=True)
            return name
        if click.confirm(f"Do you mean {close[0]}?", default=True):
            return history.vendor(close[0], {}).key
        if click.confirm(f"Keep {name} as a company of its own?", default=False):
            return name


def _number(question: str, *, default: str = "") -> float | None:
    """Ask for a number of 0 or more; None for nothing. A decimal comma is understood."""
    while True:
        text = str(click.prompt(question, default=default, show_default=bool(default))).strip()
        if not text:
            return None
        try:
            value = float(text.replace(",", ".").lstrip("$"))
        except ValueError:
            value = -1.0
        if 0 <= value < float("inf"):
            return value
        click.echo(f"{text!r} is not a number of 0 or more; write it as 225.50", err=True)


@cli.command()
def reference() -> None:
    """Print the manual's page of every setting of the inventory (kept in docs/inventory.md)."""
    from ..assess.reference import page

    click.echo(page(), nl=False)
