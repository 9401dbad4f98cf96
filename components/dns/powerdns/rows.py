"""What one of our own name servers serves: the zone as rows, and the names whose rows change. Pure.

No row is a script: a scripted record is code that runs next to the zone's key, and its state is one thread's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..plain import Row, answer, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...exposure import Endpoint
    from ..zone import Probe, RRset


@dataclass(frozen=True)
class Judged:
    """A member of a public name: its rows while the name leads to it, and how it is judged.

    `connect` is the address or name that a probe connects to.
    """

    site: str
    rows: tuple[Row, ...]
    probe: Probe
    connect: str


@dataclass(frozen=True)
class Switch:
    """A public name whose rows follow its members, primary first."""

    host: str
    members: tuple[Judged, ...]


def records(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> list[Row]:
    """Return the rows to load, sorted; every public name leads to its primary until its death is proven."""
    return sorted(rows(found, at))


def switches(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> list[Switch]:
    """Return the names that have somewhere else to lead to."""
    return [
        Switch(
            rrset.host,
            tuple(
                Judged(
                    member.site.name,
                    tuple(answer(rrset, member, at[member.site.name])),
                    member.probe,
                    at[member.site.name].at[0],
                )
                for member in rrset.members
                if member.probe
            ),
        )
        for rrset in found
        if len(rrset.members) > 1
    ]
