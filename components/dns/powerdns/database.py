"""The database of one PowerDNS server: replace the whole zone, or the rows of one name, in one transaction.

A zone is loaded and checked in a second database first, because PowerDNS accepts a broken zone: `load-zone` replaces
what is served before `check-zone` can refuse it (PowerDNS 4.7.3).
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import StepError
from ..beat import beat_name
from ..plain import Row
from . import csk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .bundle import Bundle

#: Seconds to wait for a lock that PowerDNS holds, and for one of its programs.
_BUSY_S, _PROGRAM_S = 5.0, 60.0
_CONFIG = "launch=gsqlite3\ngsqlite3-database={}\ngsqlite3-dnssec=yes\n"
_LEADING = "('A', 'AAAA', 'CNAME')"
_OF_KEYS = (("cryptokeys", "flags, active, published, content"), ("domainmetadata", "kind, content"))
_COLUMNS = "name, type, content, ttl, prio, disabled, ordername, auth"


class Database:
    """The zone in a server's database. It may be used by several threads; every write is one transaction."""

    def __init__(self, path: Path, zone: str, control: Path) -> None:
        self._path, self._zone, self._control = path, zone, control

    def serial(self) -> int:
        """Return the served serial, 0 before the first zone."""
        with self._open() as database:
            found = database.execute("SELECT content FROM records WHERE name = ? AND type = 'SOA'", [self._zone])
            row = found.fetchone()
        return int(row[0].split()[2]) if row else 0

    def leads(self, host: str) -> set[tuple[str, str]]:
        """Return type and content of a host's A, AAAA and CNAME rows."""
        with self._open() as database:
            query = f"SELECT type, content FROM records WHERE name = ? AND type IN {_LEADING}"  # noqa: S608 a constant
            return set(database.execute(query, [host]).fetchall())

    @contextlib.contextmanager
    def staged(self, bundle: Bundle, key: Path | None) -> Iterator[Path]:
        """Make a temporary database with only a bundle's zone, signed if there is a key, and checked by PowerDNS.

        `key` is the file of the zone's signing keys. The zone publishes the keys of the file that the bundle names, and
        the first of them signs. If the file has none of these, the first zone gets the first key of the file, and later
        ones keep the served keys. Raises StepError if PowerDNS refuses the zone.
        """
        beat = Row(beat_name(self._zone), "TXT", 5, '"t=0"')
        with tempfile.TemporaryDirectory(dir=self._path.parent) as name:
            folder, staged = Path(name), Path(name, "staged.sqlite3")
            (folder / "zone").write_text(bundle.text([beat]), encoding="ascii")
            (folder / "pdns.conf").write_text(_CONFIG.format(staged), encoding="utf-8")
            with self._open() as live, contextlib.closing(sqlite3.connect(staged)) as made:
                schema = live.execute(
                    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
                )
                made.executescript(";".join(row[0] for row in schema))
            _util(folder, "load-zone", self._zone, str(folder / "zone"))
            if known := self._known(bundle.keys, key):
                for place, text in enumerate(known):
                    self._give(folder, text, "inactive" if place else "active")
            elif not self._same_keys(staged) and key:
                self._give(folder, csk.split(key.read_text(encoding="ascii", errors="replace"))[0], "active")
            _util(folder, "rectify-zone", self._zone)
            _util(folder, "check-zone", self._zone)
            yield staged

    def lacks(self, wanted: Sequence[str], key: Path | None) -> bool:
        """Return whether a key of these DS records is in the file, but not in the served zone.

        Raises ConfigError if a part of the file is not a key.
        """
        known = {csk.ds(each, self._zone, self._path) for each in self._known(wanted, key)}
        with self._open() as database:
            query = "SELECT content FROM cryptokeys WHERE domain_id = ?"
            found = database.execute(query, [_domain(database, "main", self._zone)]).fetchall()
        return not known <= {csk.ds(content, self._zone, self._path) for (content,) in found}

    def _known(self, wanted: Sequence[str], key: Path | None) -> list[str]:
        """Return the keys of these DS records that the file has, in the order of the DS records."""
        there = csk.by_ds(key.read_text(encoding="ascii", errors="replace"), self._zone, key) if key else {}
        return [there[ds] for ds in wanted if ds in there]

    def _give(self, folder: Path, key: str, state: str) -> None:
        """Add a key to a staged zone; it signs if its `state` is `active`."""
        path = folder / "key"
        path.touch(mode=0o600)
        path.write_text(key, encoding="ascii")
        _util(folder, "import-zone-key", self._zone, str(path), state, "ksk")
        path.unlink()

    def swap(self, staged: Path, leading: Mapping[str, Sequence[Row]]) -> None:
        """Replace the served zone and its keys by a staged one, in one transaction.

        `leading` are the rows of hosts that lead elsewhere than in the bundle.
        """
        with self._open() as database:
            database.execute("ATTACH ? AS staged", [str(staged)])
            with _transaction(database):
                self._exchange(database)
                for host, rows in leading.items():
                    _replace(database, host, rows)
        self._purge(f"{self._zone}$")

    def lead(self, host: str, rows: Sequence[Row]) -> None:
        """Replace the rows by which a host leads. The serial does not change: it is the bundle's, on every server."""
        with self._open() as database, _transaction(database):
            _replace(database, host, rows)
        self._purge(host)

    def beat(self, text: str) -> None:
        """Write the text of the keeper's own record."""
        name = beat_name(self._zone)
        with self._open() as database, _transaction(database):
            database.execute("UPDATE records SET content = ? WHERE name = ? AND type = 'TXT'", [f'"{text}"', name])
        self._purge(name)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        try:
            yield database
        finally:
            database.close()

    def _same_keys(self, staged: Path) -> bool:
        """Copy the served keys into a staged zone, and return whether there are any.

        Without keys `rectify-zone` would not order the names for the proofs that a name is absent.
        """
        with self._open() as database:
            database.execute("ATTACH ? AS staged", [str(staged)])
            served, theirs = (_domain(database, schema, self._zone) for schema in ("main", "staged"))
            if served is None or theirs is None:
                return False
            with _transaction(database):
                for table, columns in _OF_KEYS:
                    _copy(database, table, columns, ("main", served), ("staged", theirs))
            return bool(database.execute("SELECT count(*) FROM staged.cryptokeys").fetchone()[0])

    def _exchange(self, database: sqlite3.Connection) -> None:
        theirs, ours = (_domain(database, schema, self._zone) for schema in ("staged", "main"))
        if theirs is None:
            raise StepError("the staged database has no zone")
        if ours is None:
            added = database.execute("INSERT INTO main.domains (name, type) VALUES (?, 'NATIVE')", [self._zone])
            ours = int(added.lastrowid or 0)
        for table, columns in _OF_KEYS:
            database.execute(f"DELETE FROM main.{table} WHERE domain_id = ?", [ours])  # noqa: S608 our own words
            _copy(database, table, columns, ("staged", theirs), ("main", ours))
        database.execute("DELETE FROM main.records WHERE domain_id = ?", [ours])
        _copy(database, "records", _COLUMNS, ("staged", theirs), ("main", ours))

    def _purge(self, what: str) -> None:
        """Purge answers from the server's cache. A server that does not run has no cache."""
        words = ["pdns_control", f"--socket-dir={self._control}", "purge", what]
        with contextlib.suppress(StepError):
            _run(words, "the server's cache cannot be purged")


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _replace(database: sqlite3.Connection, host: str, rows: Sequence[Row]) -> None:
    """Replace the leading rows of a host; they keep their place in the chain of signed names."""
    where = f"FROM main.records WHERE name = ? AND type IN {_LEADING}"
    there = database.execute(f"SELECT domain_id, ordername, auth {where}", [host]).fetchone()
    if there is None:  # the zone no longer has the name
        return
    domain, ordername, auth = there
    database.execute(f"DELETE {where}", [host])
    database.executemany(
        "INSERT INTO main.records (domain_id, name, type, content, ttl, disabled, ordername, auth) "
        "VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
        [(domain, host, row.type, _stored(row), row.ttl, ordername, auth) for row in rows],
    )


def _stored(row: Row) -> str:
    """Return a row's content as PowerDNS keeps it: names without the dot at their end."""
    return row.content.rstrip(".") if row.type == "CNAME" else row.content


def _domain(database: sqlite3.Connection, schema: str, zone: str) -> int | None:
    row = database.execute(f"SELECT id FROM {schema}.domains WHERE name = ?", [zone]).fetchone()  # noqa: S608 our word
    return int(row[0]) if row else None


def _copy(
    database: sqlite3.Connection, table: str, columns: str, source: tuple[str, int], target: tuple[str, int]
) -> None:
    """Copy one zone's rows of a table from one database to another. `source`, `target`: schema and the zone's id."""
    database.execute(
        f"INSERT INTO {target[0]}.{table} (domain_id, {columns}) "  # noqa: S608 our own words
        f"SELECT ?, {columns} FROM {source[0]}.{table} WHERE domain_id = ?",
        [target[1], source[1]],
    )


def _util(folder: Path, *words: str) -> None:
    _run(["pdnsutil", f"--config-dir={folder}", *words], f"pdnsutil {words[0]} refuses the zone")


def _run(words: Sequence[str], failure: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_PROGRAM_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepError(f"{failure}: {error}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise StepError(f"{failure}: {' / '.join(last)}")
