"""What one of our own name servers serves: the zone as rows, and the names whose rows change. Pure.

No row is a script: a scripted record is code that runs next to the zone's key, and its state is one thread's.
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


#: Of 100 look-ups, how many each of two rows gets.
HALF = 50


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
    """A public name whose rows follow its members, primary first. With `balance` both answer while both are well."""

    host: str
    members: tuple[Judged, ...]
    balance: bool = False


def records(found: Iterable[RRset], at: Mapping[str, Endpoint]) -> list[Row]:
    """Return the rows to load, sorted; a public name leads to its primary, or to both, until a death is proven."""
    found = list(found)
    shared = (
        row for each in found if balanced(each) for one in each.members for row in answer(each, one, at[one.site.name])
    )
    return sorted({*rows(found, at), *shared})


def balanced(rrset: RRset) -> bool:
    """Return whether rows can share the look-ups of a name: rows are halves, and a name has one CNAME at most."""
    addresses = all(member.site.exposure.reach is Reach.ADDRESS for member in rrset.members)
    return addresses and {member.weight for member in rrset.members} == {HALF}


def losses(found: Sequence[RRset]) -> Iterator[str]:
    """Name what our own name servers do not answer as the stack has it, one sentence each."""
    yield from plain.losses(found, [each.host for each in found if balanced(each)])


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
            balanced(rrset),
        )
        for rrset in found
        if len(rrset.members) > 1
    ]
