"""Set up PowerDNS: one database, no API, no transfers, no scripts, no requests to other servers."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import click

#: The schema of the database in the distribution's package (Debian: pdns-backend-sqlite3).
SCHEMA = "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"
#: The name of the secret with the zone's key, and the port of a container's health.
KEY, HEALTH_PORT = "ZONE_KEY", 8053
#: The database's name in its folder.
DATABASE = "pdns.sqlite3"
#: Settings of PowerDNS 4.7 and later. Keys and metadata are not cached, because a roll-over fails with old ones.
#: Answers are cached for one second, in case the keeper cannot purge them.
_SETTINGS = """\
launch=gsqlite3
gsqlite3-database={database}
gsqlite3-dnssec=yes
gsqlite3-pragma-foreign-keys=yes
socket-dir={control}
local-address={address}
local-port={port}
cache-ttl=1
query-cache-ttl=1
negquery-cache-ttl=1
dnssec-key-cache-ttl=0
domain-metadata-cache-ttl=0
zone-cache-refresh-interval=0
disable-axfr=yes
any-to-tcp=yes
udp-truncation-threshold=1232
version-string=anonymous
security-poll-suffix=
"""


def settings(database: Path, control: Path, address: str, port: int = 53) -> str:
    """Return the text of pdns.conf; `control` is the folder of the server's socket."""
    return _SETTINGS.format(database=database, control=control, address=address, port=port)


def prepare(database: Path, schema: str) -> None:
    """Make an empty database from the text of PowerDNS' schema, if there is none."""
    if database.exists():
        return
    with contextlib.closing(sqlite3.connect(database)) as made:
        # PowerDNS can read while the keeper writes.
        made.execute("PRAGMA journal_mode=WAL")
        made.executescript(schema)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="The files' folder.")
@click.option("--address", required=True, help="The address that the server answers at.")
@click.option("--port", default=53, show_default=True, help="Its port, for UDP and TCP.")
@click.option("--schema", default=SCHEMA, show_default=True, type=click.Path(path_type=Path), help="PowerDNS' tables.")
def main(folder: Path, address: str, port: int, schema: Path) -> None:
    """Make pdns.conf, and an empty database if there is none, for `pdns_server --config-dir=FOLDER`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / DATABASE
    try:
        prepare(path, schema.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise click.ClickException(f"{schema} does not exist; install pdns-backend-sqlite3, or give --schema") from None
    (folder / "pdns.conf").write_text(settings(path, folder.resolve(), address, port), encoding="utf-8")
    click.echo(f"{folder}: pdns.conf and {path.name}")


if __name__ == "__main__":
    main()
