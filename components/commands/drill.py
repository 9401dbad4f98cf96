"""`unmoor drill`: restore a database's newest backup into a temporary PostgreSQL, and prove the restore."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.models import did_you_mean
from ..errors import ConfigError
from ..kinds.postgres import sites
from ..kinds.postgres.options import PostgresOptions
from ..postgres import proofs, settings
from ..postgres.drill import drill
from ..postgres.rehearsal import rehearse
from ..project import root, stack_file
from ..text.escape import outside, shown
from .plan import load
from .which import stack_option

if TYPE_CHECKING:
    from ..postgres.proofs import Proof
    from ..postgres.settings import Settings


def has_file(context: click.Context) -> bool:
    """Return whether the named database has a settings file, or there is no stack that could have the database."""
    name = str(context.params.get("name") or "")
    return settings.path(name).exists() or not any((root() / "stacks").glob("Pulumi.*.yaml"))


@click.command()
@stack_option(unless=has_file)
@click.argument("name", is_eager=True)
@click.option("--store", "only", help="Restore from this store alone; without this, from each store of the archive.")
@click.option(
    "--dump",
    type=click.Path(path_type=Path, exists=True, readable=True, resolve_path=True),
    help="Rehearse a move: restore this dump of another database, made by `pg_dump -Fc`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cli(stack: str, name: str, only: str | None, dump: Path | None, as_json: bool) -> int:
    """Restore the newest backup of database NAME, and check it.

    NAME is a workload of kind postgres in the stack, or has its settings in postgres/NAME.yaml.

    The backup is restored in a temporary directory, and replayed up to the position at which the agent counted the
    rows. If the store does not have the WAL of that position yet, the command waits for it while WAL arrives, and not
    much longer than `archive_timeout_s`. Then it checks every page's checksum, every table's rows and every index. It
    writes the result to both stores of the archive as a proof, which `unmoor status NAME` shows and a switch demands.

    It runs on any machine with PostgreSQL of the same major version and pgBackRest, and needs keys that may read the
    archive and write the proof. It never connects to the database itself. Exit 1 when a restore fails.

    With --dump, it restores and checks a file that `pg_dump -Fc` made of another database instead, and counts its rows,
    before that database is moved in. This does not prove a backup.
    """
    if dump is not None:
        if only is not None:
            raise click.UsageError("--dump needs no store; leave --store out")
        return _rehearsed(name, stack, dump, as_json=as_json)
    read = opened(name, stack)
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


def _rehearsed(name: str, stack: str, dump: Path, *, as_json: bool) -> int:
    """Restore a dump, and print its content. Raises StepError if it cannot be restored."""
    found = rehearse(_read(name, stack), dump)
    if as_json:
        click.echo(json.dumps({"dump": str(dump), **asdict(found)}, indent=2))
        return 0
    for table, rows in found.tables.items():
        click.echo(f"  {outside(table)}: {rows:,} rows")
    click.echo(
        f"{dump.name}: {found.bytes / 1e6:,.1f} MB restored in {found.restore_s:.1f} s and checked in "
        f"{found.check_s:.1f} s: {sum(found.tables.values()):,} rows of {len(found.tables)} tables, "
        f"{found.indexes} indexes"
    )
    return 0


def _read(name: str, stack: str) -> Settings:
    """Return a database's settings: those of a workload of the stack if one is named, else of a file."""
    return of_stack(name, stack) if stack else settings.load(settings.path(name))


def opened(name: str, stack: str = "") -> Settings:
    """Return a database's settings. Raises ConfigError with every fault, unset variables among them."""
    read = _read(name, stack)
    if missing := settings.missing(read, passwords=False):
        raise ConfigError(f"database {name} cannot be reached", missing)
    return read


def of_stack(name: str, stack: str) -> Settings:
    """Return the settings of a workload's database. Raises ConfigError if the stack has no such workload."""
    databases = {
        plan.name: plan for plan in load(stack_file(stack)).workloads if isinstance(plan.options, PostgresOptions)
    }
    if name not in databases:
        meant = did_you_mean(name, databases) or f"; choose {' or '.join(databases)}" if databases else "; it has none"
        raise ConfigError(f"{shown(name)} is no database of stack {shown(stack)}{meant}")
    return sites.settings_of(databases[name])


def line(proof: Proof) -> str:
    """Return the result of a drill as a line."""
    if proof.fault:
        return f"store {proof.store}: NOT restorable: {proof.fault}"
    return (
        f"store {proof.store}: {proof.bytes / 1e6:,.1f} MB restored in {proof.restore_s:.1f} s and checked in "
        f"{proof.check_s:.1f} s: {proof.rows:,} rows of {proof.compared} tables, {proof.indexes} indexes "
        f"(backup {proof.backup})"
    )
