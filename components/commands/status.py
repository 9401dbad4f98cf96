"""`unmoor status`: what each site serves right now, as a visitor's browser would see it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import repeat
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigError
from ..postgres import settings
from ..project import stack_file
from ..topology import Role
from ..web import http
from .plan import choose, load
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..postgres.moves import Known
    from ..postgres.settings import Settings
    from ..topology import Topology, WorkloadPlan

#: The key of the zone's delegation in the JSON object.
DELEGATION = "dns.delegation"


def _is_database(context: click.Context) -> bool:
    """Return whether the only given name is a database's."""
    names: tuple[str, ...] = context.params.get("workloads") or ()
    return len(names) == 1 and settings.path(names[0]).exists()


@click.command()
@stack_option(unless=_is_database)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("workloads", nargs=-1, is_eager=True)
def cli(stack: str, as_json: bool, workloads: tuple[str, ...]) -> int:
    """Show what every name of a stack serves: the public host, and each site at its site host.

    If the stack file names its delegation, the zone's parent and name servers are asked too: NS, DS, glue, CAA.
    Certificates are validated as a browser does. Exit 1 when a name is not well, or leads to another release: a name
    that leads to a closed lease may lead to a stranger.

    For a workload with a database, or the name of a database with settings in postgres/NAME.yaml, it shows the writer,
    each site's report, and the age of each store's proof of a restore. Exit 1 when one of these is not well.
    """
    if _is_database(click.get_current_context()):
        return _database(workloads[0], as_json=as_json)
    topology = load(stack_file(stack))
    plans = choose(topology, workloads, stack)
    watched = topology.zone.delegation is not None and not workloads
    led = _delegation(topology) if watched else []
    databases = _of_stack(plans)
    with ThreadPoolExecutor(8) as pool:
        found = {plan.name: list(pool.map(lambda name, p=plan: look(p, name), names(plan))) for plan in plans}
    if as_json:
        # No workload can have this name.
        shown: dict[str, Any] = {f"{name}.database": asdict(seen) for name, (_, seen) in databases.items()}
        click.echo(json.dumps(found | shown | ({DELEGATION: led} if watched else {}), indent=2))
    else:
        parts = [_zone(topology.zone.name, led)] if watched else []
        parts += ["\n".join([_text(plan, found[plan.name]), *_lines(databases.get(plan.name))]) for plan in plans]
        click.echo("\n\n".join(parts))
    well = all(site["well"] for sites in found.values() for site in sites) and all(
        map(_is_well, plans, repeat(databases))
    )
    return 0 if well and not led else 1


def _lines(database: tuple[Settings, Known] | None) -> list[str]:
    """Return the lines about a workload's database, none if it has none."""
    from ..postgres import moves

    return [f"  {line}" for line in moves.lines(*database, time.time())] if database else []


def _is_well(plan: WorkloadPlan, databases: Mapping[str, tuple[Settings, Known]]) -> bool:
    """Return whether the planned site of a database writes, all sites report, and its stores are proved."""
    from ..postgres import moves

    if plan.name not in databases:
        return True
    standing = {site.target: plan.roles[site.name] is Role.PRIMARY for site in plan.sites}
    return moves.well_at(*databases[plan.name], time.time(), standing)


def _delegation(topology: Topology) -> list[dict[str, str]]:
    """Return what differs at the parent and at the name servers; a failed observation is a difference too."""
    from ..dns import delegation

    try:
        return [each._asdict() for each in delegation.differences(topology)]
    except ConfigError as error:
        return [{"where": topology.zone.name, "what": str(error)}]


def _zone(name: str, led: list[dict[str, str]]) -> str:
    word = click.style("not as the stack names it", fg="red") if led else click.style("well", fg="green")
    lines = [f"{click.style(name, bold=True)}  delegation: {word}"]
    return "\n".join([*lines, *(f"  {each['where']}: {each['what']}" for each in led)])


def _of_stack(plans: list[WorkloadPlan]) -> dict[str, tuple[Settings, Known]]:
    """Return what is known of the databases among some workloads. Raises ConfigError if keys are missing."""
    from ..kinds.postgres.options import PostgresOptions
    from ..kinds.postgres.sites import settings_of
    from ..postgres import moves

    databases = {plan.name: settings_of(plan) for plan in plans if isinstance(plan.options, PostgresOptions)}
    for name, read in databases.items():
        moves.demanded(f"database {name} cannot be reached", settings.missing(read, passwords=False))
    return {name: (read, moves.known(read)) for name, read in databases.items()}


def _database(name: str, *, as_json: bool) -> int:
    """Show a database: the record, the sites, the proofs."""
    from ..postgres import moves
    from .drill import opened

    read, now = opened(name), time.time()
    seen = moves.known(read)
    if as_json:
        click.echo(json.dumps({name: asdict(seen)}, indent=2))
    else:
        click.echo("\n".join([click.style(name, bold=True), *moves.lines(read, seen, now)]))
    return 0 if moves.well(read, seen, now) else 1


def names(plan: WorkloadPlan) -> list[str]:
    """Return the names to ask: those of the sites, then the public host as visitors use it."""
    from ..kinds.postgres.options import PostgresOptions

    # The standby of a database answers no visitor; its agent reports its state.
    asked = plan.sites[:1] if isinstance(plan.options, PostgresOptions) else plan.sites
    return [*(site.name for site in asked), *(name.host for name in plan.names)]


def look(plan: WorkloadPlan, name: str) -> dict[str, Any]:
    """Ask one site at its site host under the public host's name, or a public name where it leads now."""
    from ..probe.client import visit
    from ..probe.probe import judge

    site = next((site for site in plan.sites if site.name == name), None)
    url = site.health_url if site else http.url(name, http.HEALTH_PATH, plan.primary.scheme)
    page = visit(url, site.site_host if site else None)
    fault = judge(page, plan.release.id)
    shown = page.certificate
    return {
        "site": name,
        "role": str(plan.roles[name]) if site else "visitors",
        "site_host": site.site_host if site else name,
        "well": not fault,
        "trouble": fault,
        "version": page.body.partition("\n")[0].strip() if page.status == 200 else "",
        "certificate": {"issuer": shown.issuer, "names": list(shown.names), "days_left": shown.days_left}
        if shown
        else None,
    }


def _text(plan: WorkloadPlan, sites: list[dict[str, Any]]) -> str:
    lines = [f"{click.style(plan.name, bold=True)}  {plan.url}  should serve {plan.release.short}"]
    for site in sites:
        word = click.style("well", fg="green") if site["well"] else click.style("not well", fg="red")
        lines.append(f"  {site['role']:<8} {site['site']:<20} {word}  {site['version'][:12]}")
        if site["trouble"]:
            lines.append(f"           {site['trouble']}")
        if certificate := site["certificate"]:
            names = ", ".join(certificate["names"])
            lines.append(
                f"           certificate by {certificate['issuer']} for {names}, "
                f"{certificate['days_left']:.0f} days left"
            )
    return "\n".join(lines)
