"""The steps that an operator takes one by one, for `unmoor zone`: to other name servers, to another key."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigError
from ..project import stack_file
from ..resolver import VARIABLE
from .plan import load
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..dns.asking import Resolver
    from ..dns.check import Server
    from ..dns.moving import Step
    from ..dns.zone import RRset
    from ..topology import Topology


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option --json to a command."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


resolver_option = click.option(
    "--resolver", envvar=VARIABLE, help="Find the servers by this one, ADDRESS or ADDRESS:PORT; default the machine's."
)


def report(text: str) -> None:
    """Show progress."""
    click.echo(text, err=True)


@click.command()
@stack_option()
@resolver_option
@click.option(
    "--to",
    "servers",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="A name server that should answer for the zone; give every one of them.  [default: the stack's own servers]",
)
@json_option
def move(stack: str, resolver: str | None, servers: tuple[str, ...], as_json: bool) -> int:
    """Show the progress of a move of the zone to other name servers, the next step, and how long to wait after it.

    \b
    ok    done, by the answers of parent and servers now
    next  what to do now, and what is missing
    -     later

    The command changes nothing: you change servers, records and the registrar. In no step do resolvers ask a server
    that answers differently from the others. A DS at the parent whose key one side does not have must be removed first,
    on the way back too: with it, every name fails at validating resolvers.

    The command cannot see how long ago a step was done: after each, wait the printed time. Exit 0 when all is done.
    """  # noqa: D301 click reads the backspace
    from ..dns import asking, moving
    from ..dns import check as checking

    path = stack_file(stack)
    topology = load(path, built=False)
    sets = sets_of(topology, path)
    to: dict[str, frozenset[str]] = {}
    also = [server(text) for text in servers] or _own_servers(topology, asking.Resolver(resolver))
    for each in also:
        to[each.name] = to.get(each.name, frozenset()) | {each.address}
    seen = checking.look(topology.zone.name, sets, asking.Resolver(resolver), also, report)
    found = moving.steps(seen, sets, to)
    return _show(seen.zone, found, as_json=as_json)


def _own_servers(topology: Topology, resolver: Resolver) -> list[Server]:
    """Return the name servers of the stack at their current addresses."""
    from ..dns.check import Server

    own = topology.zone.own
    if own is None:
        raise click.UsageError("the stack has no name servers of its own, so give --to NAME=ADDRESS for each new one")
    found = [Server(each.host, at) for each in own.servers for at in resolver.find(each.host, "A")]
    if lost := [each.host for each in own.servers if each.host not in {server.name for server in found}]:
        raise ConfigError(f"the resolver finds no address of {', '.join(lost)}; run `pulumi up` first, or give --to")
    return found


def _show(zone: str, found: Sequence[Step], *, as_json: bool) -> int:
    """Print steps; return the exit code, 0 when all are done."""
    from ..dns.moving import State

    done = all(step.state is State.DONE for step in found)
    if as_json:
        click.echo(json.dumps({"zone": zone, "done": done, "steps": [asdict(step) for step in found]}, indent=2))
        return 0 if done else 1
    marks = {State.DONE: "ok", State.NEXT: "next", State.LATER: "-"}
    for number, step in enumerate(found, 1):
        click.echo(f"{marks[step.state]:<5}{number} {step.what}")
        for missing in step.missing:
            click.echo(f"       {missing}")
        if step.wait_s:
            click.echo(f"       then wait {step.wait_s} s: {step.wait_for}")
    return 0 if done else 1


@click.command()
@stack_option()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@resolver_option
@json_option
def roll(stack: str, file: Path, resolver: str | None, as_json: bool) -> int:
    """Show the progress of a roll-over of the zone's signing key to the one in FILE, and the next step.

    \b
    ok    done, by the answers of parent and servers now
    next  what to do now, and what is missing
    -     later

    `unmoor zone key FILE` makes the new key. Servers have both keys in one file, the old one first. The stack file's
    dns.delegation.ds names the keys that they publish, of which the first signs. The command changes nothing: you
    change the stack file and the registrar. It cannot see how long ago a step was done: after each, wait the printed
    time, so that resolvers always find a key for the answers that they keep. Exit 0 when all is done.
    """  # noqa: D301 click reads the backspace
    from ..dns import asking, rolling
    from ..dns import check as checking
    from ..dns.powerdns import csk

    path = stack_file(stack)
    topology = load(path, built=False)
    zone = topology.zone.name
    new = csk.ds(file.read_text(encoding="utf-8", errors="replace"), zone, file)
    seen = checking.look(zone, sets_of(topology, path), asking.Resolver(resolver), (), report)
    servers = dict.fromkeys(way.server for way in seen.answers)
    signers = {server: asking.signers(server.address, zone) for server in servers}
    return _show(zone, rolling.steps(seen, signers, new), as_json=as_json)


def sets_of(topology: Topology, path: Path) -> list[RRset]:
    """Return the sets of a stack and of its zone.yaml. Raises ConfigError if they do not fit together."""
    from ..dns import records, zone

    name, plain = topology.zone.name, path.parent / records.FILE
    sets = zone.zone(topology, records.load(plain, name) if plain.exists() else ())
    if wrong := list(zone.faults(sets, name)):
        raise ConfigError(f"{plain} and the stack do not fit together", wrong)
    return sets


def server(text: str) -> Server:
    """Return the server of `NAME=ADDRESS`. Raises BadParameter for other text."""
    from ..dns.asking import PORT, endpoint
    from ..dns.check import Server

    name, equals, address = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=ADDRESS; write ns1.dao.example=192.0.2.53")
    at, port = endpoint(address)
    if port != PORT:
        raise click.BadParameter(f"{text!r}: the public asks name servers at port {PORT}; leave the port out")
    return Server(name.rstrip(".").lower(), at)
