"""The zone for a vendor without health checks: plain rows that lead to each name's primary, dead or alive. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plain import losses, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...exposure import Endpoint
    from ..plain import Row
    from ..zone import RRset


def render(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> list[Row]:
    """Return the rows to publish at the vendor, sorted; `at` is where each site is reached, by its name."""
    return sorted(rows(found, at))


def degraded(found: Sequence[RRset]) -> Iterator[str]:
    """Return what visitors of this vendor's name servers lose, one sentence each."""
    for rrset in found:
        if len(rrset.members) > 1:
            primary, *others = (member.site.name for member in rrset.members)
            yield f"{rrset.host}: always leads to {primary}; no failover to {', '.join(others)}"
    yield from losses(found)
