"""`unmoor content`: import pages from a vendor, keep old addresses working, recognise generators."""

from __future__ import annotations

from pathlib import Path

import click

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

    made = convert(source, out, site_url)
    (out / report.NAME).write_text(made.json(), encoding="utf-8")
    (out / "moving-in.md").write_text(made.document(), encoding="utf-8")
    click.echo(made.json() if as_json else "\n".join(made.screen()), nl=not as_json)
    click.echo(f"wrote {out}; every place is in {out / 'moving-in.md'}", err=True)
