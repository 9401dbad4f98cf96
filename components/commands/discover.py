"""`unmoor discover`: draft the inventory from an AWS account or a DNS zone."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .assess import INVENTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@click.group()
def cli() -> None:
    """Draft the inventory from what can be observed; entries that people wrote stay."""


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day of the draft; default today."),
        click.option(
            "--inventory",
            "-i",
            type=click.Path(path_type=Path),
            default=INVENTORY,
            show_default=True,
            help="Merge into this.",
        ),
    ):
        command = option(command)
    return command


def _today(on: datetime | None) -> date:
    return on.date() if on else date.today()  # noqa: DTZ011 the operator's day


def _progress(text: str) -> None:
    click.echo(text, err=True)


@cli.command()
@click.option("--region", help="Where to look; default the environment's. CloudFront, Route 53 and costs are global.")
@click.option("--tag", default="workload", show_default=True, help="The tag whose value names a workload.")
@_common
def aws(region: str | None, tag: str, inventory: Path, on: datetime | None) -> None:
    """Draft from an AWS account: sizes, names, tags, last month's cost.

    Reads only. An API that is refused is named with the permission it needs, and the others go on.
    Cost Explorer charges a cent or two for being asked.
    """
    from ..assess.discover import aws as account
    from ..assess.discover import seen
    from ..assess.discover.account import Account
    from ..assess.discover.looks import last_month

    today = _today(on)
    findings = account.discover(Account(region, tag), today, _progress)
    month = f"{last_month(today)[0]:%Y-%m}"
    _write(inventory, seen.drafts(findings, tag, month), "unmoor discover aws", today)
    click.echo(f"{len(findings.seen)} resources, {len(findings.zones)} zones, {len(findings.records)} names")
    for service, usd in sorted(findings.usd_by_service.items(), key=lambda row: -row[1]):
        click.echo(f"  {service}: {usd:,.2f} USD in {month}")
    for text in findings.unseen:
        click.echo(f"! could not see {text}")


@cli.command()
@click.argument("zone")
@click.option("--resolver", help="Ask this one, HOST or HOST:PORT; default the machine's.")
@_common
def dns(zone: str, resolver: str | None, inventory: Path, on: datetime | None) -> None:
    """Find the vendors behind the names of ZONE: name servers, CNAME chains, mail, owners of addresses."""
    from ..assess.discover import dns as names
    from ..assess.discover import merge

    today = _today(on)
    zone = zone.rstrip(".").lower()
    document = merge.load(inventory, today)
    hosts = {host: name for name, one in (document.get("workloads") or {}).items() for host in one.get("hosts") or ()}
    inside = [host for host in hosts if host == zone or host.endswith(f".{zone}")]
    found = names.discover(names.Asker(resolver), zone, inside)
    click.echo(f"{zone}: DNS at {', '.join(found.dns) or 'an unknown vendor'} ({', '.join(found.name_servers)})")
    click.echo(f"{zone}: mail at {', '.join(found.mail) or 'no vendor that the table has'}")
    for one in found.names:
        via = " -> ".join((*one.chain, *one.addresses[:1])) or "nothing"
        who = " and ".join(dict.fromkeys(filter(None, (one.edge, one.compute)))) or "an unknown vendor"
        click.echo(f"{one.host}: {who}{', which hides who runs it' if one.proxied else ''} ({via})")
    for text in found.unknown:
        click.echo(f"? not in the table: {text}")
    _write(inventory, names.drafts(found, hosts), "unmoor discover dns", today)


def _write(inventory: Path, drafts: Mapping[str, Mapping[str, Any]], found_by: str, today: date) -> None:
    """Merge the drafts, save the inventory if something is new, and print what is new."""
    from ..assess.discover import merge

    document = merge.load(inventory, today)
    lines = merge.merge(document, drafts, found_by, today)
    for line in lines:
        click.echo(line)
    if any(line[0] in "+~" for line in lines):
        merge.save(document, inventory)
        click.echo(f"wrote {inventory}", err=True)
    else:
        click.echo(f"{inventory}: nothing to add", err=True)
