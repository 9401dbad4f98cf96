"""The zone of own name servers as rows, and the names whose rows change. Pure.

No row is a script, because a scripted record would run code next to the zone's key, with state in each thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...exposure import Reach
from .. import plain
from ..plain import Row, answer, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...exposure import Endpoint
    from ..zone import Probe, RRset


#: The weight, in percent of look-ups, of each of two rows.
HALF = 50


@dataclass(frozen=True)
class Judged:
    """A member of a public name: its rows while the name leads to it, and its probe, which connects to `connect`."""

    site: str
    rows: tuple[Row, ...]
    probe: Probe
    connect: str


@dataclass(frozen=True)
class Switch:
    """A public name whose rows follow its members, primary first. With `balance` both answer while both are up."""

    host: str
    members: tuple[Judged, ...]
    balance: bool = False


def records(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> list[Row]:
    """Return the rows to load, sorted. A public name leads to its primary, or to both members if it is balanced."""
    found = list(found)
    shared = (
        row for each in found if balanced(each) for one in each.members for row in answer(each, one, at[one.site.name])
    )
    return sorted({*rows(found, at), *shared})


def balanced(rrset: RRset) -> bool:
    """Return whether rows can share the look-ups of a name: each gets half, and a name has at most one CNAME."""
    addresses = all(member.site.exposure.reach is Reach.ADDRESS for member in rrset.members)
    return addresses and {member.weight for member in rrset.members} == {HALF}


def losses(found: Sequence[RRset]) -> Iterator[str]:
    """Return how the answers of own name servers differ from the stack file, one sentence each."""
    yield from plain.losses(found, [each.host for each in found if balanced(each)])


def switches(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> list[Switch]:
    """Return the names with more than one member."""
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
            balanced(rrset),
        )
        for rrset in found
        if len(rrset.members) > 1
    ]
