"""`unmoor inventory`: write a first inventory by a few questions, and the page that explains every setting."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import files
from ..errors import ConfigError
from .assess import INVENTORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..assess.discover.dns import Behind
    from ..assess.draft import About, Answers

_ALIKE = 0.75
_INTERRUPTED = 130
#: A comma that separates thousands or decimals.
_EITHER = re.compile(r"[1-9]\d{0,2},\d{3}")


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
def init(inventory: Path, zone: str | None, resolver: str | None, on: datetime | None) -> int:
    """Ask what the DAO runs, workload by workload, and write an inventory that `unmoor assess` can read.

    Sizes, states and data are set to what is usual for the work; correct them in the file. An existing file is never
    changed: `unmoor discover` adds to one. After an interruption, what was answered about whole workloads is written.
    """
    from ..assess import draft, reading
    from ..assess.discover import merge

    if inventory.exists():
        raise ConfigError(f"{inventory} exists already; edit it, or write another with --inventory")
    today = on.date() if on else date.today()  # noqa: DTZ011 the operator's day
    name = click.prompt("Name of the DAO").strip()
    if zone:
        about, asked = _from_zone(name, zone, resolver)
    else:
        registrar = _vendor("Registrar of its domain (a vendor; nothing if unknown)", optional=True)
        about = draft.About(name, registrar, _vendor("Who answers its DNS (nothing if unknown)", optional=True))
        asked = _workloads()
    answers: list[Answers] = []
    interrupted = False
    try:
        for one in asked:
            answers.append(one)  # noqa: PERF402 those before an interruption are kept
    except (click.Abort, KeyboardInterrupt):
        if not answers:
            raise
        interrupted = True
    if not answers:
        raise ConfigError("no workload was described, so nothing is written; start again, and name at least one")
    text = merge.new(draft.document(about, answers, today), today)
    files.write(inventory, text)
    wrote = f"wrote {inventory}: {len(answers)} workload{'s' if len(answers) > 1 else ''}"
    if interrupted:
        click.echo(f"\ninterrupted; {wrote}; add the others there", err=True)
    else:
        click.echo(f"{wrote}; check it, then run `unmoor assess`")
    reading.parse(text, today, str(inventory))
    return _INTERRUPTED if interrupted else 0


def _workloads() -> Iterator[Answers]:
    """Ask about workloads one by one until a title is empty."""
    hosts: dict[str, str] = {}
    number = 1
    while title := click.prompt(
        f"\nWorkload {number}: what do people call it? (nothing ends the list)", default="", show_default=False
    ).strip():
        one = _workload(title, "", (), hosts)
        hosts |= dict.fromkeys(one.hosts, title)
        number += 1
        yield one


def _from_zone(name: str, zone: str, resolver: str | None) -> tuple[About, Iterator[Answers]]:
    """Look a zone up; return what is known of the DAO, and ask about each name with the findings as the default."""
    from ..assess import draft
    from ..assess.discover import dns

    found = dns.discover(dns.Asker(resolver), zone.rstrip(".").lower(), ())
    registrar = _vendor("Registrar of its domain (a vendor; nothing if unknown)", optional=True)
    return draft.About(name, registrar, found.dns[0] if found.dns else ""), _found(found.names)


def _found(names: Iterable[Behind]) -> Iterator[Answers]:
    for one in names:
        who = one.compute or ("" if one.proxied else one.edge)
        click.echo(
            f"\n{one.host}: {who or 'its vendor is hidden or unknown'}{', behind ' + one.edge if one.proxied else ''}"
        )
        if click.confirm("Take it into the inventory?", default=True):
            title = click.prompt("What do people call it?", default=one.host)
            yield _workload(title, who, (one.host,), {}, one.edge)


def _workload(title: str, compute: str, hosts: tuple[str, ...], taken: Mapping[str, str], edge: str = "") -> Answers:
    """Ask about one workload, for its hosts only where there are none; `taken` has those of others, with a title."""
    from ..assess.discover.seen import guess_work
    from ..assess.draft import Answers, state
    from ..assess.inventory import State, Work
    from ..assess.level import Level

    guess = guess_work(title.lower())
    work = Work(click.prompt("What does it do?", type=click.Choice([str(one) for one in Work]), default=guess))
    who = _vendor("Who runs it? (a vendor, as aws, gitbook, hetzner, or own)", default=compute)
    asked = hosts or _hosts(taken)
    levels = click.Choice([str(one) for one in Level])
    importance = click.prompt("How bad is it when it is gone?", type=levels, default=str(Level.MODERATE))
    usd = _number("USD a month, as on the bill (nothing if unknown)")
    keeps = state(work, who)
    gb = _number("GB of data it keeps", default="5") if keeps in {State.DATABASE, State.REBUILDABLE} else None
    return Answers(title, work, who, asked, usd, gb or 0.0, importance, edge if edge != who else "")


def _hosts(taken: Mapping[str, str]) -> tuple[str, ...]:
    """Ask for names until each is one and no other workload, by title in `taken`, has it."""
    while True:
        text = click.prompt("Its public names, separated by spaces (nothing if none)", default="", show_default=False)
        hosts = tuple(dict.fromkeys(each.rstrip(".") for each in text.replace(",", " ").lower().split()))
        wrong = [
            f"{host!r} is a name of {taken[host]}; keep it at one"
            if host in taken
            else f"{host!r} is not a host name; write it like docs.dao.example"
            for host in hosts
            if host in taken or not _is_host(host)
        ]
        if not wrong:
            return hosts
        for line in wrong:
            click.echo(line, err=True)


def _is_host(text: str) -> bool:
    from pydantic import TypeAdapter, ValidationError

    from ..config.models import HostName

    try:
        TypeAdapter(HostName).validate_python(text)
    except ValidationError:
        return False
    return True


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
    """Ask for a number of 0 or more; None for nothing. A decimal comma is understood where it can be nothing else."""
    while True:
        text = str(click.prompt(question, default=default, show_default=bool(default))).strip()
        if not text:
            return None
        point = text.replace(",", ".").lstrip("$ ")
        if _EITHER.fullmatch(text.lstrip("$ ")):
            click.echo(f"{text!r} may be {point.replace('.', '')} or {point}; write the one that is meant", err=True)
            continue
        try:
            value = float(point)
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
