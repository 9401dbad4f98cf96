"""Plain rows for name servers that follow no vendor's names: a set's answers while it leads to one member. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..exposure import Reach
from .zone import RRset

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ..exposure import Endpoint
    from ..topology import Site
    from .zone import Member


@dataclass(frozen=True, order=True)
class Row:
    """One record as a zone file writes it; `ttl` is in seconds, names in `content` end in a dot."""

    name: str
    type: str
    ttl: int
    content: str


def rows(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> Iterator[Row]:
    """Yield the rows of every set, each name's at its primary; `at` is where each site is reached, by its name."""
    named = by_name(found := list(found))
    for rrset in found:
        for value in rrset.values if (rrset.host, rrset.type) not in named else ():
            yield Row(rrset.host, rrset.type, rrset.ttl, value)
        for primary in rrset.members[:1]:
            yield from answer(rrset, primary, at[primary.site.name])


def answer(rrset: RRset, member: Member, endpoint: Endpoint) -> Iterator[Row]:
    """Yield the rows by which a set leads to a member: A for each address, else one CNAME."""
    if member.site.exposure.reach is Reach.ADDRESS:
        yield from (Row(rrset.host, "A", rrset.ttl, address) for address in endpoint.addresses)
    else:
        yield Row(rrset.host, "CNAME", rrset.ttl, f"{endpoint.name.rstrip('.')}.")


def together(rows: Iterable[Row]) -> list[RRset]:
    """Return rows as sets."""
    sets: dict[tuple[str, str, int], list[str]] = {}
    for row in rows:
        sets.setdefault((row.name, row.type, row.ttl), []).append(row.content)
    return [RRset(name, type_, ttl, tuple(values)) for (name, type_, ttl), values in sets.items()]


def by_name(found: Iterable[RRset]) -> dict[tuple[str, str], Site]:
    """Return the CAA sets, as host and type, that cannot be published, with the site that a CNAME has to lead to.

    A CNAME stands alone (RFC 1034 §3.6.2), also if it stands there only after a failover.
    """
    return {
        (rrset.host, "CAA"): member.site
        for rrset in found
        for member in reversed(rrset.members)
        if member.site.exposure.reach is not Reach.ADDRESS
    }


def losses(found: Iterable[RRset], shared: Collection[str] = ()) -> Iterator[str]:
    """Return what plain rows cannot carry, one sentence each; `shared` are hosts whose look-ups are shared by rows."""
    named = by_name(found := list(found))
    for rrset in found:
        if rrset.host not in shared and any(member.weight is not None for member in rrset.members):
            yield f"{rrset.host}: look-ups are not shared here; all lead to {rrset.members[0].site.name} while it is up"
        if site := named.get((rrset.host, rrset.type)):
            yield (
                f"{rrset.host}: no CAA records, because {site.name} is reached by a name and a CNAME stands alone; "
                "what the zone's apex allows counts instead"
            )
