"""What an update of own name servers needs: the zone's key, which has to be the one that the parent vouches for."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ...needs import Check, Needs, not_ready, ready
from . import csk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...needs import Finding
    from ...topology import Topology


def of(topology: Topology) -> Needs:
    """Return a check of the zone's key."""
    return Needs((Check("zone key", functools.partial(_key, topology), late=True),))


def _key(topology: Topology) -> Iterator[Finding]:
    zone, text = topology.zone, os.environ.get(csk.VARIABLE, "")
    make = f"`unmoor zone key FILE` makes one; export {csk.VARIABLE} with the content of FILE"
    if not text:
        yield not_ready(f"{csk.VARIABLE} is not set", make)
        return
    try:
        there = list(csk.by_ds(text, zone.name, Path(csk.VARIABLE)))
    except ConfigError as error:
        yield not_ready(str(error), make)
        return
    named = zone.delegation.ds if zone.delegation else ()
    if lost := [each for each in named if each not in there]:
        why = (
            f"{csk.VARIABLE} has no key of the DS {lost[0]} that dns.delegation names; resolvers would refuse the zone"
        )
        yield not_ready(
            why, "export the key of that DS; another key needs a roll-over, never a swap: `unmoor zone roll`"
        )
        return
    yield ready(f"the key of {zone.name} has the DS {there[0]}")
