"""`python -m sandbox`: start a sandbox, show it, break it, mend it, end it."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from components.errors import UnmoorError

from . import environment, supervisor
from .akash import inventory
from .aws import zone
from .faults import FAULTS, known
from .net.registrar import change
from .net.vendor import SITE, move_in
from .state import State, here, read


@click.group()
def main() -> None:
    """Run an AWS, an Akash and an internet on this machine."""
    environment.find_servers()


@main.command()
@click.option("--stack", help="Also make this stack and select it, so that bare `pulumi` commands are about it.")
def up(stack: str | None) -> None:
    """Start a sandbox; it stays until Ctrl-C. Prints what to source once it is ready."""
    supervisor.Supervisor(here()).run(stack)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, PATH for this process included.")
def env(*, as_json: bool) -> None:
    """Print the variables by which programs reach the running sandbox."""
    state = _running()
    if as_json:
        click.echo(json.dumps(environment.published(state), indent=2))
    else:
        click.echo(read(state.env_file))


@main.command(name="break", epilog="\b\n" + "\n".join(f"{name:27}{what}" for name, what in FAULTS.items()))
@click.argument("name")
@click.argument("parameters", default="{}")
def break_(name: str, parameters: str) -> None:
    """Break something: NAME, and perhaps its PARAMETERS as a JSON object."""
    try:
        given = json.loads(parameters)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"the parameters are not JSON ({error})") from None
    if not isinstance(given, dict):
        raise click.UsageError("the parameters are not a JSON object")
    _check_fault(name)
    _running().start_fault(name, given)


@main.command()
@click.argument("name")
def mend(name: str) -> None:
    """Mend NAME."""
    _check_fault(name)
    if not _running().end_fault(name):
        click.echo(f"{name} was not broken", err=True)


@main.command()
@click.argument("host")
def vendor(host: str) -> None:
    """Make HOST live at an old vendor: a site, a certificate and a CNAME, as users have before they begin."""
    move_in(_running(), host)
    zone.lead(host, "CNAME", SITE)
    click.echo(f"https://{host}/ is served by {SITE}")


@main.command()
@click.argument("zone")
@click.argument("servers", nargs=-1, required=True, metavar="NAME[=ADDRESS]...")
@click.option("--ds", multiple=True, metavar="DS", help="Vouch for this key: 'TAG 13 2 DIGEST'.")
def registrar(zone: str, servers: tuple[str, ...], ds: tuple[str, ...]) -> None:
    """Delegate ZONE to name servers, as its owner does at a registrar; those inside the zone have addresses."""
    change(_running(), zone, dict(each.partition("=")[::2] for each in servers), ds)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(*, as_json: bool) -> None:
    """Print what runs, where, and what is broken."""
    state = _running()
    found: dict[str, Any] = json.loads(read(state.summary_file) or "{}")
    found |= {"folder": str(state.root), "ready": bool(found), "ports": state.ports(), "faults": state.faults()}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"a sandbox {'runs' if found['ready'] else 'is starting'} in {state.root}")
    for name, port in found["ports"].items():
        click.echo(f"  {name:10} 127.0.0.1:{port}")
    for deployment in inventory.open_deployments() if found["ready"] else []:
        for lease in deployment["leases"][-1:]:
            click.echo(f"  lease of deployment {lease['id']['dseq']}: {lease['state']}, at {lease['id']['provider']}")
    for name, parameters in found["faults"].items():
        click.echo(f"  broken: {name}{' ' + json.dumps(parameters) if parameters else ''}")


@main.command()
def stop() -> None:
    """End the running sandbox."""
    supervisor.stop(_running())


def _running() -> State:
    state = here()
    if not supervisor.running(state):
        raise supervisor.SandboxError(f"no sandbox is running in {state.root}; `make sandbox` starts one")
    return state


def _check_fault(name: str) -> None:
    if not known(name):
        choice = ", ".join(f"{each}NAME" if each.endswith("-") else each for each in FAULTS)
        raise click.UsageError(f"{name}: no such fault; choose from {choice}")


if __name__ == "__main__":
    try:
        main(prog_name="python -m sandbox")
    except UnmoorError as error:
        click.echo(f"sandbox: {error}", err=True)
        sys.exit(1)
