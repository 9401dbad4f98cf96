"""`unmoor zone`: bring a zone's records along, and compare all that answer for it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import files
from ..config import yaml_text
from ..errors import ConfigError
from ..project import stack_file
from ..resolver import VARIABLE
from ..text.escape import cut, printable
from .plan import load
from .which import stack_option
from .zone_steps import json_option, move, report, resolver_option, roll, server, sets_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..dns.plain import Row
    from ..dns.reading import Found
    from ..dns.zone import RRset
    from ..exposure import Endpoint
    from ..topology import Topology


@click.group()
def cli() -> None:
    """Bring a zone's records along when it moves, and compare all that answer for it."""


@cli.command("import")
@click.argument("source")
@stack_option()
@click.option("--out", type=click.Path(path_type=Path), help="Write this file.  [default: zone.yaml by the stack file]")
@json_option
def import_(source: str, stack: str, out: Path | None, as_json: bool) -> int:
    """Read the stack's zone at SOURCE, and write its plain records to a file to review.

    \b
    SOURCE is one of:
      a zone file's path   as name servers read it
      axfr:ADDRESS         a zone transfer from a name server that allows it
      route53              with the environment's AWS credentials
      cloudflare           with an API token in CLOUDFLARE_API_TOKEN

    What the stack or each authority makes itself is left out. The last two read through octoDNS, compare that with the
    vendor's own list, and name every record that cannot be carried, with what to do: proxied names, aliases, failover
    and weighted sets, types that octoDNS does not read. Decide on each by adding a set to the file. A file that is
    there is not overwritten: what differs from it is listed.

    Nothing is changed at SOURCE. Exit 1 while a record is lost and not decided on, or the file differs.
    """  # noqa: D301 click reads the backspace
    from ..dns import reading, records

    path = stack_file(stack)
    topology = load(path, built=False)
    zone, out = topology.zone.name, out or path.parent / records.FILE
    found, made = reading.without(_read(source, topology), zone, _own_hosts(topology))
    there = records.load(out, zone) if out.exists() else None
    by_hand = {(each.host, each.type) for each in there or ()}
    lost = [each for each in found.lost if (each.host, each.type) not in by_hand]
    differs = [] if there is None else _differs(there, found)
    if there is None:
        written = records.text(zone, found.sets)
        yaml_text.load(written, str(out))  # what is written can be read, or is refused now
        files.write(out, written)
    lines = [f"{each.host} {each.type} {cut(printable(each.value))}: {each.why}; {each.choose}" for each in lost]
    if as_json:
        shown = {"zone": zone, "file": str(out), "written": there is None, "sets": len(found.sets)}
        parts = {"made_anew": [" ".join(each) for each in made], "lost": lines, "differs": differs}
        click.echo(json.dumps(shown | parts, indent=2))
        return 1 if lost or differs else 0
    click.echo(f"{zone}: {len(found.sets)} sets to carry, {len(made)} that the stack or each authority makes itself")
    for line in lines:
        click.echo(f"! {line}")
    for line in differs:
        click.echo(f"~ {line}")
    click.echo(f"wrote {out}" if there is None else f"{out} is there, and kept as it is", err=True)
    return 1 if lost or differs else 0


def _read(source: str, topology: Topology) -> Found:
    from ..dns import reading

    zone = topology.zone.name
    if source.startswith("axfr:"):
        return reading.from_transfer(source.removeprefix("axfr:"), zone)
    if source in {"route53", "cloudflare"}:
        import octodns.zone  # noqa: F401 the import that fails first without the extra
    if source == "route53":
        from ..dns.route53 import listing

        return listing.read(zone, topology.zone.id)
    if source == "cloudflare":
        from ..dns import cloudflare

        return cloudflare.read(zone)
    path = Path(source)
    if not path.is_file():
        raise ConfigError(f"{source}: is no file; choose a zone file, axfr:ADDRESS, route53 or cloudflare")
    return reading.from_file(path, zone)


def _own_hosts(topology: Topology) -> set[str]:
    """Return the names whose records a stack makes, in every mode that its workloads can have."""
    sites = {site.site_host for plan in topology.workloads for site in plan.everywhere}
    return sites | {name.host for plan in topology.workloads for name in plan.names}


def _differs(there: list[RRset], found: Found) -> list[str]:
    """Return each set in which the file and the source differ; sets that were decided by hand belong to the file."""
    old, new = ({(each.host, each.type): each for each in sets} for sets in (there, found.sets))
    decided = {(each.host, each.type) for each in found.lost}
    lines = []
    for host, type_ in sorted(old.keys() | new.keys()):
        was, now = old.get((host, type_)), new.get((host, type_))
        if was is None:
            lines.append(f"{host} {type_}: is at the source, and not in the file")
        elif now is None and (host, type_) not in decided:
            lines.append(f"{host} {type_}: is in the file, and not at the source")
        elif now is not None and (was.ttl, set(was.values)) != (now.ttl, set(now.values)):
            lines.append(f"{host} {type_}: the file has {_one(was)}, the source {_one(now)}")
    return lines


def _one(rrset: RRset) -> str:
    return f"{', '.join(rrset.values)} (ttl {rrset.ttl})"


@cli.command()
@stack_option()
@resolver_option
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="Ask this one too, though nothing is delegated to it yet. May be given several times.",
)
@json_option
def check(stack: str, resolver: str | None, servers: tuple[str, ...], as_json: bool) -> int:
    """Ask every name server of the stack's zone and of its parent, over UDP and TCP, and compare the answers.

    Compared are: what the stack names under dns.delegation, the name servers of parent and zone, glue, the DS and the
    keys, CAA, and every name of the stack and of zone.yaml. A public name may lead to any of its members; names of a
    vendor that an authority follows change by themselves and are only looked for. Servers are asked at their IPv4
    addresses. Signatures are not validated. Keepers of own name servers that are dead or disagree are named.

    Nothing is changed. Exit 1 when something differs.
    """
    from ..dns import asking, verdict
    from ..dns import check as checking

    path = stack_file(stack)
    topology = load(path, built=False)
    sets = sets_of(topology, path)
    also = [server(text) for text in servers]

    seen = checking.look(topology.zone.name, sets, asking.Resolver(resolver), also, report)
    found = verdict.everything(seen, sets, topology.zone.delegation, time.time())
    notes = list(verdict.notes(seen))
    asked = sorted({str(way.server) for way in seen.answers})
    if as_json:
        differs = [each._asdict() for each in found]
        shown = {"zone": seen.zone, "parent": seen.above, "servers": asked, "differences": differs, "notes": notes}
        click.echo(json.dumps(shown, indent=2))
        return 1 if found else 0
    for each in found:
        click.echo(f"! {each.where}: {each.what}")
    for note in notes:
        click.echo(f"  note {note}")
    names = len({each.host for each in sets})
    verdict_ = f"{len(found)} differences" if found else "all agree"
    click.echo(f"{seen.zone}: {names} names at {len(asked)} name servers, over UDP and TCP: {verdict_}")
    return 1 if found else 0


def _placed(command: Callable[..., Any]) -> Callable[..., Any]:
    at = "Where a site is reached, for one that DNS does not show. May be given several times."
    command = click.option("--at", "given", multiple=True, metavar="SITE=WHERE", help=at)(command)
    asks = "Find the sites by this one, ADDRESS or ADDRESS:PORT; default the machine's."
    return click.option("--resolver", envvar=VARIABLE, help=asks)(command)


@cli.command("file")
@stack_option()
@_placed
def file_(stack: str, resolver: str | None, given: tuple[str, ...]) -> None:
    """Print the stack's zone as a zone file, for a DNS vendor that has no health checks.

    It holds the records of the stack and of zone.yaml; the vendor adds SOA and NS. Every public name leads to its
    primary, dead or alive: comments at the top name each failover that visitors of this vendor do not have. Sites
    are found by their own names, as they are answered now.
    """
    from ..dns import static

    path = stack_file(stack)
    topology = load(path, built=False)
    sets = sets_of(topology, path)
    rows = static.render(sets, _places(topology, resolver, given))
    _fit(rows, topology.zone.name)
    for loss in static.degraded(sets):
        click.echo(f"; {loss}")
    for row in rows:
        click.echo(f"{row.name}. {row.ttl} IN {row.type} {row.content}")


@cli.command()
@stack_option()
@click.option("--server", "servers", required=True, multiple=True, metavar="NAME", help="Each name server's host name.")
@click.option("--sign", "key", required=True, type=click.Path(path_type=Path, exists=True), help="An SSH private key.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Write into this folder.")
@_placed
def bundle(
    stack: str, servers: tuple[str, ...], key: Path, out: Path, resolver: str | None, given: tuple[str, ...]
) -> None:
    """Write the stack's zone as a signed bundle, for name servers of your own.

    Three files are written: SHA256.json, its signature, and `current`, which names it. Copy them to two stores of
    different vendors, `current` last; each server's keeper takes the bundle from there. The serial is the time, and
    above that of the folder's bundle. Write into the same folder each time, so that a later bundle replaces an earlier
    one even after the clock was set back. Addresses of name servers inside the zone belong into zone.yaml.

    The servers publish the keys that the stack names in dns.delegation.ds, and the first of them signs; `unmoor zone
    roll` shows how to replace a key. A stack that names none leaves the keys unchanged.
    """
    from ..dns.powerdns import bundle as bundles
    from ..dns.powerdns import rows
    from ..dns.powerdns.stores import next_serial

    path = stack_file(stack)
    topology = load(path, built=False)
    sets, zone = sets_of(topology, path), topology.zone.name
    at = _places(topology, resolver, given)
    records, switches = rows.records(sets, at), rows.switches(sets, at)
    _fit(records, zone)
    hosts = {row.name for row in records if row.type == "A"}
    names = [name.rstrip(".").lower() for name in servers]
    if lost := [name for name in names if name.endswith(f".{zone}") and name not in hosts]:
        raise ConfigError(f"{path.parent / 'zone.yaml'}: has no A record of {', '.join(lost)}; add its address")
    keys = topology.zone.delegation.ds if topology.zone.delegation else ()
    serial = next_serial(out, zone, int(time.time()))
    made = bundles.make(zone, serial, names, records, switches, keys=keys)
    signature = bundles.sign(made.raw, key)
    files.write(out / f"{made.name}.json", made.raw)
    files.write(out / f"{made.name}.json.sig", signature)
    files.write(out / "current", f"{made.name}\n")
    for loss in rows.losses(sets):
        click.echo(f"! {loss}", err=True)
    click.echo(f"{out}: {len(records)} records, {len(switches)} names that fail over, {made.name}")


@cli.command()
@stack_option()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def key(stack: str, file: Path, as_json: bool) -> None:
    """Print the DS record of the zone's signing key in FILE; where there is no FILE, make it with a new key.

    The key goes to each of your own name servers (`--key` of the keeper), the same to all, and never into the stack
    file, a store or a repository: who has it can sign for every name. The DS goes to the registrar once all servers
    answer, and into the stack file as dns.delegation.ds. Needs `pip install 'unmoor[zone]'`.
    """
    from ..dns.powerdns import csk

    zone = load(stack_file(stack), built=False).zone.name
    made = not file.exists()
    if made:
        text = csk.make()
        # A file that is renamed into place would be readable by all for a moment.
        file.touch(mode=0o600, exist_ok=False)
        try:
            file.write_text(text, encoding="ascii")
        except OSError:
            file.unlink()
            raise
    record = csk.ds(file.read_text(encoding="utf-8", errors="replace"), zone, file)
    if as_json:
        click.echo(json.dumps({"zone": zone, "file": str(file), "made": made, "ds": record}, indent=2))
        return
    if made:
        click.echo(f"{file}: a new key, readable by you alone; keep a copy where AWS cannot take it", err=True)
    click.echo(f"{zone}. DS {record}")


def _fit(rows: list[Row], zone: str) -> None:
    """Refuse records that no zone may hold once vendors' names are CNAMEs."""
    from ..dns.plain import together
    from ..dns.zone import faults

    if wrong := list(faults(together(rows), zone)):
        raise ConfigError("the zone cannot be served by plain records", wrong)


def _places(topology: Topology, resolver: str | None, given: tuple[str, ...]) -> dict[str, Endpoint]:
    from ..dns import asking, places

    known = dict(text.partition("=")[::2] for text in given)
    return places.find(topology, asking.Resolver(resolver), known)


for _steps in (move, roll):
    cli.add_command(_steps)
