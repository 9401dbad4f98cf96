"""Serve a folder on both halves, ask for everything, and print what differs."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import ValidationError

from components.errors import UnmoorError
from components.kinds.static.kind import StaticOptions

from .crawl import crawl
from .halves import HALVES, serving


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the kind, as in a stack file."
)
@click.option(
    "--half",
    "halves",
    multiple=True,
    type=click.Choice(list(HALVES)),
    default=tuple(HALVES),
    help="A half to ask, may be given several times; all without it. `table` is the contract itself.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def main(folder: Path, options: tuple[str, ...], halves: tuple[str, ...], as_json: bool) -> None:
    """Serve FOLDER on both halves of the kind `static`, ask for every address, and print every difference.

    Asked are all addresses of the site, with and without slash, `.html` and index, in two spellings, and missing ones;
    by GET, HEAD and POST, in parts, conditionally and in three encodings. Ends with 1 if anything differs between the
    halves or from the contract, with 2 if the folder cannot be served.
    """
    try:
        chosen = StaticOptions.model_validate(dict(_pair(one) for one in options))
        with tempfile.TemporaryDirectory() as root, serving(Path(root), folder, chosen, halves) as (routes, served):
            found = crawl(routes, folder, served, lambda line: click.echo(line, err=True))
            asked = len(routes.table())
    except ValidationError as error:
        raise SystemExit(_said(str(error))) from None
    except UnmoorError as error:
        raise SystemExit(_said(str(error))) from None
    if as_json:
        listed = [{"target": one.target, "half": one.half, "what": one.what} for one in found]
        click.echo(json.dumps({"folder": str(folder), "addresses": asked, "findings": listed}))
    else:
        for one in found:
            click.echo(str(one))
        click.echo(f"{folder}: {asked} addresses on {', '.join(half.name for half in served)}: {len(found)} findings")
    sys.exit(1 if found else 0)


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{text!r} is not KEY=VALUE")
    return key, yaml.safe_load(value)


def _said(sentence: str) -> int:
    click.echo(sentence, err=True)
    return 2


if __name__ == "__main__":
    main()
