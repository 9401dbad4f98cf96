"""Ask the parent of a zone for its name servers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import StepError, UnmoorError
from ...resolver import VARIABLE
from .. import asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..asking import Answer


def names(zone: str) -> frozenset[str]:
    """Return the name servers that the parent of a zone names. Raises StepError if none of its servers answers."""
    found = list(_asked(zone, "NS"))
    values = (each.names | {value.rstrip(".").lower() for value in each.values} for each in found)
    return frozenset().union(*values)


def _asked(zone: str, type_: str) -> Iterator[Answer]:
    resolver = asking.Resolver(os.environ.get(VARIABLE) or None)
    try:
        above = resolver.parent(zone)
    except UnmoorError as error:
        raise StepError(str(error)) from None
    answered = False
    for server in resolver.find(above, "NS"):
        for address in resolver.find(server, "A"):
            answer = asking.ask(address, zone, type_, tcp=False)
            if not answer.error:
                answered = True
                yield answer
    if not answered:
        raise StepError(f"no name server of {above or 'the root'}, the parent of {zone}, answers; try again")
