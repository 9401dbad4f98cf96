"""What is noticed about a site before it hurts: its disk, its clock, its C library, and stores that disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .backrest import Standing

#: How far a clock may differ from a store's. S3 refuses requests at 15 minutes
#: (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed).
_SKEW_S = 60
#: So much of a disk is left for PostgreSQL to stop in order: a tenth, or this many bytes where a tenth is more.
_SHARE, _ROOM = 0.1, 2 << 30
#: Collations that an index uses, or the database, whose version here is not the one that they were made with. A restore
#: under another C library reads indexes that are in another order (https://wiki.postgresql.org/wiki/Locale_data_changes).
_INDEXED = (
    "SELECT collname AS name, collversion AS made, pg_collation_actual_version(pg_collation.oid) AS here "
    "FROM pg_index CROSS JOIN unnest(indcollation) AS used (id) JOIN pg_collation ON pg_collation.oid = used.id"
)
_DATABASE = (
    "SELECT datname, datcollversion, pg_database_collation_actual_version(oid) "
    "FROM pg_database WHERE datname = current_database()"
)
#: From this version on, a database has a version of its collation too.
_VERSIONED = 15


def collations(major: int) -> str:
    """Return SQL that gives the collations that differ here as one text, empty if none does."""
    union = f"{_INDEXED} UNION {_DATABASE}" if major >= _VERSIONED else _INDEXED
    return (
        "SELECT coalesce(string_agg(DISTINCT format('%s (made with %s, here %s)', name, made, here), ', '), '') "
        f"FROM ({union}) AS used WHERE made IS NOT NULL AND made IS DISTINCT FROM here"
    )


def disk(free: int, total: int, waiting: int) -> str:
    """Return what is wrong with a disk that has so many bytes free; `waiting`: segments that wait for a store."""
    if free >= min(_SHARE * total, _ROOM):
        return ""
    why = f"; {waiting} segments of the WAL wait for a store" if waiting else ""
    return f"the disk has {free / 1e6:,.0f} MB left of {total / 1e6:,.0f}{why}: give it room before PostgreSQL stops"


def clock(ahead_s: float | None) -> str:
    """Return what is wrong with a clock that is ahead of a store's by so much; None: not known."""
    if ahead_s is None or abs(ahead_s) <= _SKEW_S:
        return ""
    where = "ahead of" if ahead_s > 0 else "behind"
    return f"its clock is {abs(ahead_s):,.0f} s {where} the store's: set one of them; ages that are shown are wrong"


def stores(before: Mapping[str, Standing], now: Mapping[str, Standing]) -> str:
    """Return which store lacks what the other one had at the look before, or what it had itself; empty if none."""
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
