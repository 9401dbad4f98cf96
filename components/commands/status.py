"""`unmoor status`: what each site serves right now, as a visitor's browser would see it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from ..project import stack_file
from .plan import choose, load
from .which import stack_option

if TYPE_CHECKING:
    from ..topology import Site, WorkloadPlan


@click.command()
@stack_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("workloads", nargs=-1)
def cli(stack: str, as_json: bool, workloads: tuple[str, ...]) -> int:
    """Ask every site of a stack, at its site host and under the public host, what it serves.

    Certificates are validated as a browser does. Exit 1 when a site is not well.
    """
    plans = choose(load(stack_file(stack)), workloads, stack)
    with ThreadPoolExecutor(8) as pool:
        found = {plan.name: list(pool.map(lambda site, p=plan: look(p, site), plan.sites)) for plan in plans}
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo("\n\n".join(_text(plan, found[plan.name]) for plan in plans))
    return 0 if all(site["well"] for sites in found.values() for site in sites) else 1


def look(plan: WorkloadPlan, site: Site) -> dict[str, Any]:
    """Visit one site under the public host's name, wherever that name leads at the moment."""
    from ..probe.client import visit
    from ..probe.probe import judge

    page = visit(site.health_url, site.site_host)
    trouble = judge(page, plan.release.id)
    shown = page.certificate
    return {
        "site": site.name,
        "role": str(plan.roles[site.name]),
        "site_host": site.site_host,
        "well": not trouble,
        "trouble": trouble,
        "version": page.body.partition("\n")[0].strip() if page.status == 200 else "",  # noqa: PLR2004
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
