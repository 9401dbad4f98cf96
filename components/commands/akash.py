"""`unmoor akash`: list the deployments of the Console account with their owners, and close one by hand."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import click

from ..project import root, stack_name, zone_readers
from ..text.escape import outside

if TYPE_CHECKING:
    from ..targets.akash.market.observed import Standing
    from ..targets.akash.rails.rail import Rail, Runway


@click.group()
def cli() -> None:
    """List the deployments of the Console account, and close one by hand.

    \b
    Everything that costs money, and whose it is:   unmoor akash list
    Close one that no resource has:                 unmoor akash close 1795666631958

    The account is that of AKASH_CONSOLE_API_KEY. Exit 1 when the Console refuses or does not answer.
    """  # noqa: D301 click reads the backspace


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def listing(as_json: bool) -> None:
    """List every open deployment of the account: whose it is, its price, its escrow and for how long it is paid."""
    with _rail() as rail:
        standing = rail.account()
        paid = rail.runway(standing)
    stacks = _stacks()
    rows = [_row(each, paid, stacks) for each in standing]
    if as_json:
        account = {"balance_usd": float(paid.balance_usd), "escrow_usd": float(paid.escrow_usd), "trial": paid.trial}
        click.echo(json.dumps({**account, "deployments": rows}, indent=2))
        return
    _print(rows)
    click.echo(f"balance ${paid.balance_usd:.2f}, in escrow ${paid.escrow_usd:.2f}" + ", a trial" * paid.trial)


@cli.command()
@click.argument("dseq")
@click.option("--yes", is_flag=True, help="Close it without asking.")
@click.option(
    "--host", "hosts", multiple=True, help="A name of the zone that may lead to it; asked before it is closed."
)
def close(dseq: str, yes: bool, hosts: tuple[str, ...]) -> int:
    """Close one deployment after a yes; what is left of its escrow goes back to the account.

    A deployment that a resource of a stack has is closed by `pulumi up` or `pulumi destroy`, after its drain.
    """
    from ..errors import Unanswered
    from ..targets.akash import closing, leads
    from ..targets.akash.market.observed import hidden, places
    from ..targets.akash.market.reconcile import WallClock

    with _rail() as rail:
        found = next((each for each in rail.account() if each.deployment.id == dseq), None)
        if found is None:
            click.echo(f"the account has no open deployment {dseq}; `unmoor akash list` shows what it has", err=True)
            return 1
        row = _row(found, rail.runway([found]), _stacks())
        click.echo(
            f"{dseq}: {row['name']}, {row['whose']}, {_money(row['usd_month'])} a month at {row['provider'] or '-'}"
        )
        seen = rail.look(dseq)
        if hidden(seen):
            click.echo("it is not shown where it serves: a record may lead to it")
        addresses, names = places(seen)
        try:
            asked = [leads.held(zone_readers), *([leads.public] if hosts else [])]
            led = leads.first_answer(*asked)(addresses, names, hosts)
        except Unanswered as silent:
            click.echo(f"whether a record leads to it is not known: {silent}")
            led = []
        if led:
            click.echo(f"{', '.join(led)} leads to it: visitors lose it, and the next tenant of its address gets them")
        if not yes and not click.confirm("close it?"):
            click.echo("left open")
            return 1
        closing.shut(rail, dseq, found.deployment.owner, WallClock(threading.Event()))
    click.echo(f"{dseq} is closed")
    return 0


def _rail() -> Rail:
    from ..targets.akash.market.reconcile import WallClock
    from ..targets.akash.rails.console import ConsoleRail

    return ConsoleRail(WallClock(threading.Event()))


def _stacks() -> dict[str, str]:
    """Return the project's stacks by the mark of their deployments."""
    from ..config.yaml_text import load
    from ..errors import ConfigError
    from ..targets.akash.market.names import Owner

    folder = root()
    try:
        project = load((folder / "Pulumi.yaml").read_text(encoding="utf-8"), "Pulumi.yaml")["name"]
    except (OSError, KeyError, TypeError, ConfigError):
        return {}
    names = sorted({stack_name(path) for path in (folder / "stacks").glob("Pulumi.*.yaml")})
    return {Owner.of(f"urn:pulumi:{name}::{project}::x::x").stack: f"{project}/{name}" for name in names}


def _row(each: Standing, paid: Runway, stacks: dict[str, str]) -> dict[str, Any]:
    from ..targets.akash.market.names import label_of, owner_of
    from ..targets.akash.market.observed import usd_month

    group = each.deployment.group
    owner = owner_of(group) if group else None
    if group is None:
        whose = "not known at the moment"
    elif owner is None:
        whose = "no stack's mark"
    else:
        whose = stacks.get(owner.stack, f"another stack's ({owner.stack})")
    return {
        "dseq": each.deployment.id,
        "name": outside(label_of(group), 63) if group else "",
        "whose": whose,
        "provider": each.lease.provider if each.lease else "",
        "lease": each.lease.state if each.lease else "none",
        "usd_month": round(float(usd_month(each.lease.price)), 2) if each.lease else None,
        "escrow_usd": None if each.escrow_usd is None else round(float(each.escrow_usd), 2),
        "runway_days": paid.days.get(each.deployment.id),
    }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("dseq", "name", "whose", "lease", "USD a month", "escrow", "days paid", box=None)
    for row in rows:
        days = "-" if row["runway_days"] is None else f"{row['runway_days']:g}"
        cells = (
            row["dseq"],
            row["name"],
            row["whose"],
            row["lease"],
            _money(row["usd_month"]),
            _money(row["escrow_usd"]),
        )
        table.add_row(*(Text(cell) for cell in (*cells, days)))
    Console(soft_wrap=True).print(table)


def _money(usd: float | None) -> str:
    return "-" if usd is None else f"${usd:.2f}"
