"""`unmoor status`: what each site serves right now, as a visitor's browser would see it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import click

from ..project import stack_file
from ..web import http
from .plan import choose, load
from .which import stack_option

if TYPE_CHECKING:
    from ..topology import WorkloadPlan


@click.command()
@stack_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("workloads", nargs=-1)
def cli(stack: str, as_json: bool, workloads: tuple[str, ...]) -> int:
    """Ask every name of a stack what it serves: the public host, and each site at its site host.

    Certificates are validated as a browser does. Exit 1 when a name is not well, or leads to another release: a name
    that leads to a lease which has ended may lead to a stranger.
    """
    plans = choose(load(stack_file(stack)), workloads, stack)
    with ThreadPoolExecutor(8) as pool:
        found = {plan.name: list(pool.map(lambda name, p=plan: look(p, name), names(plan))) for plan in plans}
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo("\n\n".join(_text(plan, found[plan.name]) for plan in plans))
    return 0 if all(site["well"] for sites in found.values() for site in sites) else 1


def names(plan: WorkloadPlan) -> list[str]:
    """Return the names to ask: those of the sites, then the public host as visitors use it."""
    return [*(site.name for site in plan.sites), *(name.host for name in plan.names)]


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
