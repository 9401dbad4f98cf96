"""`unmoor drill`: restore a database's newest backup into a PostgreSQL that is thrown away, and prove it."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.models import did_you_mean
from ..errors import ConfigError
from ..postgres import proofs, settings
from ..postgres.drill import drill
from ..postgres.rehearsal import rehearse
from ..text.escape import shown

if TYPE_CHECKING:
    from ..postgres.proofs import Proof
    from ..postgres.settings import Settings


@click.command()
@click.argument("name")
@click.option("--store", "only", help="Restore from this store alone; without this, from each store of the archive.")
@click.option(
    "--dump",
    type=click.Path(path_type=Path, exists=True, readable=True, resolve_path=True),
    help="Rehearse a move: restore this dump of a database that is elsewhere, made by `pg_dump -Fc`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cli(name: str, only: str | None, dump: Path | None, as_json: bool) -> int:
    """Restore the newest backup of database NAME, whose settings are in postgres/NAME.yaml, and check it.

    The backup is restored and replayed up to the moment at which its agent counted the rows, in a directory that is
    removed again. Then every page's checksum, every table's rows and every index are checked. What was found is
    written to both stores of the archive as a proof, which `unmoor status NAME` shows and a switch demands.

    Runs wherever PostgreSQL of the same major version and pgBackRest are installed, and needs keys that may read the
    archive and write the proof. Nothing of it reaches the database itself. Exit 1 when a restore fails.

    With --dump, a file that `pg_dump -Fc` made of a database that shall move in is restored and checked instead, and
    its rows are counted. That is no proof of a backup.
    """
    if dump is not None:
        if only is not None:
            raise click.UsageError("--dump needs no store; leave --store out")
        return _rehearsed(name, dump, as_json=as_json)
    read = opened(name)
    if only is not None and only not in read.archive:
        meant = did_you_mean(only, read.archive) or f"; choose {' or '.join(read.archive)}"
        raise ConfigError(f"--store: {shown(only)} is no store of the archive{meant}")
    found, unkept = [], []
    for store in [only] if only else read.archive:
        proof = drill(read, store, lambda text: click.echo(text, err=True), threading.Event())
        unkept += proofs.keep(read, proof)
        found.append(proof)
        if not as_json:
            click.echo(line(proof))
    if as_json:
        click.echo(json.dumps({"proofs": [asdict(each) for each in found], "not_kept": unkept}, indent=2))
    for text in unkept:
        click.echo(f"the proof is not kept: {text}", err=True)
    return 1 if unkept or any(proof.fault for proof in found) else 0


def _rehearsed(name: str, dump: Path, *, as_json: bool) -> int:
    """Restore a dump, and print what it holds; StepError if it cannot be restored."""
    found = rehearse(settings.load(settings.path(name)), dump)
    if as_json:
        click.echo(json.dumps({"dump": str(dump), **asdict(found)}, indent=2))
        return 0
    for table, rows in found.tables.items():
        click.echo(f"  {shown(table)}: {rows:,} rows")
    click.echo(
        f"{dump.name}: {found.bytes / 1e6:,.1f} MB restored in {found.restore_s:.1f} s and checked in "
        f"{found.check_s:.1f} s: {sum(found.tables.values()):,} rows of {len(found.tables)} tables, "
        f"{found.indexes} indexes"
    )
    return 0


def opened(name: str) -> Settings:
    """Return a database's settings. Raises ConfigError with every fault, unset variables among them."""
    read = settings.load(settings.path(name))
    if missing := settings.missing(read, passwords=False):
        raise ConfigError(f"database {name} cannot be reached", missing)
    return read


def line(proof: Proof) -> str:
    """Return the result of a drill as a line."""
    if proof.fault:
        return f"store {proof.store}: NOT restorable: {proof.fault}"
    return (
        f"store {proof.store}: {proof.bytes / 1e6:,.1f} MB restored in {proof.restore_s:.1f} s and checked in "
        f"{proof.check_s:.1f} s: {proof.rows:,} rows of {proof.compared} tables, {proof.indexes} indexes "
        f"(backup {proof.backup})"
    )
