"""`unmoor content`: import pages from a vendor, keep old addresses working, recognise generators."""

from __future__ import annotations

from pathlib import Path

import click

from .. import files
from ..limits import CRAWL_ADDRESSES

_FOLDER = click.Path(path_type=Path)


@click.group()
def cli() -> None:
    """Move content in from a vendor without a broken link.

    \b
    Convert a GitBook space:            unmoor content import gitbook ../docs-home new-docs
    Keep its old addresses:             unmoor content redirects --from https://docs.dao.example
    After the flip, ask each of them:   unmoor content check
    """  # noqa: D301 click reads the backspace


@cli.group("import")
def import_() -> None:
    """Make a project that builds with a free generator from what a vendor has."""


@import_.command()
@click.argument("source", type=_FOLDER)
@click.argument("out", type=_FOLDER)
@click.option("--site-url", default="", help="Where the space is published; links to it become links between pages.")
@click.option("--json", "as_json", is_flag=True, help="For machines: the whole report.")
def gitbook(source: Path, out: Path, site_url: str, *, as_json: bool) -> None:
    """Convert the repository of a GitBook space, SOURCE, into a MkDocs Material project in OUT.

    OUT must be new or empty. What cannot be carried stays as readable text and is listed with its file, its line and
    what to do, in OUT/moving-in.md. `pip install -r OUT/requirements.txt` and `mkdocs build` make the site.
    """
    from ..content import report
    from ..content.gitbook.convert import convert

    made = convert(source, out, site_url, _progress)
    files.write(out / report.NAME, made.json())
    files.write(out / "moving-in.md", made.document())
    click.echo(made.json() if as_json else "\n".join(made.screen()), nl=not as_json)
    click.echo(f"wrote {out}; every place is in {out / 'moving-in.md'}", err=True)


_LIST = click.option(
    "--list",
    "addresses",
    type=_FOLDER,
    default="old-addresses.json",
    show_default=True,
    help="The list of old addresses.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For machines: one JSON value.")


def _progress(text: str) -> None:
    click.echo(text, err=True)


@cli.command()
@click.option("--from", "old", required=True, metavar="URL", help="The old site, while it is live.")
@click.option("--site", type=_FOLDER, default="site", show_default=True, help="Folder of the new site, built.")
@click.option(
    "--write",
    "target",
    type=_FOLDER,
    default="docs/_redirects",
    show_default=True,
    help="The file of rules; others' stay.",
)
@_LIST
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=CRAWL_ADDRESSES,
    show_default=True,
    help="Addresses to ask at most.",
)
@_JSON
def redirects(old: str, site: Path, target: Path, addresses: Path, limit: int, *, as_json: bool) -> None:
    """Find every address of the old site, and write a redirect for each that the new site does not answer.

    The sitemaps and links of the old site are followed, at most eight requests at a time; robots.txt and pauses that it
    asks for are honoured. An address goes to the page of the same path, title or content. Build the site again
    afterwards, so that it holds the rules. Exit status: 0 every address has a page, 1 some have none.
    """
    import json

    from ..content import facts, mapping
    from ..content import redirects as rules
    from ..content.crawl import Crawl
    from ..content.fetch import Client
    from ..errors import ConfigError

    if not (site / "index.html").is_file():
        raise ConfigError(f"{site}: no index.html in it; build the new site first, or name its folder with --site")
    with Client() as client:
        crawled = Crawl(client, _progress, limit).run(old)
    matches = mapping.match(crawled.found, *facts.site(site))
    by_files = rules.routes_of(site)
    count = len(rules.rules(matches, by_files))
    routes = rules.write(target, matches, by_files)
    files.write(addresses, rules.addresses(crawled.base, matches))
    if as_json:
        click.echo(
            json.dumps({"rules": count, "unread": crawled.unread, **json.loads(rules.addresses(crawled.base, matches))})
        )
    else:
        for line in rules.screen(matches, crawled.unread, routes):
            click.echo(line)
    click.echo(f"wrote {count} rules into {target}, and {addresses}", err=True)
    raise SystemExit(1 if rules.open_ends(matches, routes) else 0)


@cli.command()
@click.option("--at", "base", metavar="URL", help="The new site; default the old one's address, as after a flip.")
@_LIST
@_JSON
def check(base: str | None, addresses: Path, *, as_json: bool) -> None:
    """Ask every old address at the new site: its status, where it ends, and whether its title is the same.

    The list is the one that `unmoor content redirects` wrote. Exit status: 0 each leads to its page, 1 some do not.
    """
    import json

    from ..content import check as asking
    from ..content import redirects as rules
    from ..content.fetch import Client

    old, rows = rules.read(addresses)
    with Client() as client:
        checked = asking.check(base or old, rows, client)
    if as_json:
        click.echo(json.dumps([each.plain() for each in checked]))
    else:
        for line in asking.screen(checked):
            click.echo(line)
    raise SystemExit(1 if any(each.problem for each in checked) else 0)


@cli.command()
@click.argument("zone")
@click.argument("vendor")
@click.option("--host", "hosts", multiple=True, help="Look at this name too; may be given again.")
@click.option("--resolver", help="Ask this one, HOST or HOST:PORT; default the machine's.")
def names(zone: str, vendor: str, hosts: tuple[str, ...], resolver: str | None) -> None:
    """List the names of ZONE that still lead to VENDOR: gitbook, netlify, vercel.

    A name that leads to a host which was left can be taken over. Exit status: 0 none leads there, 1 some do.
    """
    from ..assess.discover import dns
    from ..errors import ConfigError

    if vendor not in dns.vendors():
        raise ConfigError(
            f"{vendor!r}: not a vendor that is known by its names; choose from {', '.join(dns.vendors())}"
        )
    zone = zone.rstrip(".").lower()
    found = dns.discover(dns.Asker(resolver), zone, hosts)
    left = [one for one in found.names if vendor in (one.compute, one.edge)]
    for one in left:
        click.echo(f"{one.host} leads to {vendor}: {' -> '.join((*one.chain, *one.addresses[:1]))}")
    if not left:
        click.echo(f"no name of {zone} leads to {vendor}, of {len(found.names)} that answer")
    raise SystemExit(1 if left else 0)


@cli.command()
@click.argument("folder", type=_FOLDER, default=".")
@click.option(
    "--write", "target", type=_FOLDER, help="Folder to write _redirects and _headers into; others' lines stay."
)
@_JSON
def recognise(folder: Path, target: Path | None, *, as_json: bool) -> None:
    """Name the generator of a project: its build command, its folder, and the settings of a static site that fit.

    netlify.toml, vercel.json, _redirects and _headers are read; what has no equivalent (functions, edge middleware,
    forms) is listed behind an exclamation mark.
    """
    import json

    from ..content.generators import GENERATORS
    from ..content.generators import recognise as look
    from ..content.redirects import place
    from ..errors import ConfigError

    if not folder.is_dir():
        raise ConfigError(f"{folder}: not a folder; name a project's")
    made = look(folder)
    if made is None:
        raise ConfigError(
            f"{folder}: none of {', '.join(GENERATORS)}; name the folder of the built site in the stack file"
        )
    if as_json:
        click.echo(json.dumps(made.plain()))
    else:
        for line in made.screen():
            click.echo(line)
    if target is not None:
        for name, lines in (("_redirects", made.rules.redirects), ("_headers", made.rules.headers_text().splitlines())):
            if place(target / name, lines):
                click.echo(f"wrote {target / name}", err=True)
