"""Compare what leads to a zone with the stack: its parent's NS, DS and glue, its servers, and its CAA records."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..needs import Check, Finding, not_ready, ready
from ..resolver import VARIABLE
from . import asking, check, verdict
from .zone import zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..topology import Topology
    from .check import Difference


def differences(topology: Topology) -> list[Difference]:
    """Ask the parent and every name server; return what differs from the stack, and between servers.

    If the stack does not name its delegation, nothing is asked. Raises ConfigError when no server can be found.
    """
    wanted = topology.zone.delegation
    if wanted is None:
        return []
    caa = [each for each in zone(topology) if each.type == "CAA"]
    resolver = asking.Resolver(os.environ.get(VARIABLE) or None)
    seen = check.look(topology.zone.name, caa, resolver, (), lambda _: None)
    return verdict.everything(seen, caa, wanted, time.time())


def checks(topology: Topology) -> Iterator[Check]:
    """Yield the check of the delegation, if the stack names one."""
    if topology.zone.delegation:
        yield Check("parent", lambda: _look(topology))


def _look(topology: Topology) -> Iterator[Finding]:
    found = differences(topology)
    for each in found:
        yield not_ready(f"{each.where}: {each.what}", "correct it at the registrar, or in unmoor:dns: {delegation: …}")
    if not found:
        yield ready(f"parent and servers of {topology.zone.name} are as the stack names them")
