"""Warnings about a site before it fails: its disk, its clock, its C library, and stores that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .backrest import Standing

#: Seconds that a clock may differ from a store's. S3 refuses requests at 15 minutes
#: (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed).
_SKEW_S = 60
#: The free part of a disk that lets PostgreSQL stop cleanly, and the bytes that are enough on any disk.
_SHARE, _ROOM = 0.1, 2 << 30
#: SQL for the collations of indexes and of the database, with the version that they were made with and the one here.
#: Under another C library, restored indexes are in the wrong order (https://wiki.postgresql.org/wiki/Locale_data_changes).
_INDEXED = (
    "SELECT collname AS name, collversion AS made, pg_collation_actual_version(pg_collation.oid) AS here "
    "FROM pg_index CROSS JOIN unnest(indcollation) AS used (id) JOIN pg_collation ON pg_collation.oid = used.id"
)
_DATABASE = (
    "SELECT datname, datcollversion, pg_database_collation_actual_version(oid) "
    "FROM pg_database WHERE datname = current_database()"
)
#: The first version in which a database has a version of its collation too.
_VERSIONED = 15


def collations(major: int) -> str:
    """Return SQL for the collations whose version differs here, as one text that is empty if none does."""
    union = f"{_INDEXED} UNION {_DATABASE}" if major >= _VERSIONED else _INDEXED
    return (
        "SELECT coalesce(string_agg(DISTINCT format('%s (made with %s, here %s)', name, made, here), ', '), '') "
        f"FROM ({union}) AS used WHERE made IS NOT NULL AND made IS DISTINCT FROM here"
    )


def disk(free: int, total: int, waiting: int) -> str:
    """Return a warning about a disk with too few free bytes, "" for none. `waiting`: segments that wait for a store."""
    if free >= min(_SHARE * total, _ROOM):
        return ""
    why = f"; {waiting} segments of the WAL wait for a store" if waiting else ""
    return f"the disk has {free / 1e6:,.0f} MB left of {total / 1e6:,.0f}{why}: give it room before PostgreSQL stops"


def clock(ahead_s: float | None) -> str:
    """Return a warning about a clock that is ahead of a store's by so many seconds (None: unknown), "" for none."""
    if ahead_s is None or abs(ahead_s) <= _SKEW_S:
        return ""
    where = "ahead of" if ahead_s > 0 else "behind"
    return f"its clock is {abs(ahead_s):,.0f} s {where} the store's: set one of them; ages that are shown are wrong"


def stores(before: Mapping[str, Standing], now: Mapping[str, Standing]) -> str:
    """Return a warning about stores without their backups, or without WAL that the other had one check ago, or ""."""
    found = []
    for name, standing in now.items():
        others = {other: each.last_wal for other, each in before.items() if other != name}
        ahead = max(others, key=lambda other: others[other], default="")
        if before.get(name, standing).backups and not standing.backups:
            found.append(f"store {name} has lost its backups")
        elif ahead and name in before and standing.last_wal < others[ahead]:
            has = f"has WAL up to {standing.last_wal}" if standing.last_wal else "has no WAL"
            found.append(f"store {name} {has}, store {ahead} had {others[ahead]} a while ago")
    return "; ".join(found)
