"""Compare what leads to a zone with the stack: its parent's NS, DS and glue, its servers, and its CAA records."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..needs import Check, Finding, not_ready, ready
from ..resolver import VARIABLE
from ..text.escape import shown
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
        yield Check("servers that continue to answer", lambda: _gate(topology), late=True)


def _gate(topology: Topology) -> Iterator[Finding]:
    """Refuse an update that stops servers which the parent names, or keys that it vouches for."""
    zone = topology.zone
    alone = zone.own is not None and len(zone.authorities) == 1
    if zone.own is not None and not alone:  # the vendor and the own servers both answer
        yield ready(f"{zone.name} is answered by both {' and '.join(zone.authorities)}")
        return
    resolver = asking.Resolver(os.environ.get(VARIABLE) or None)
    wanted = zone.delegation.name_servers if zone.delegation else ()
    answer = [server.host for server in zone.own.servers] if zone.own else list(wanted)
    to = [] if zone.own else [check.Server(name, at) for name in answer for at in resolver.find(name, "A")]
    seen = check.look(zone.name, (), resolver, to, lambda _: None)
    above, others = seen.above or "the root", sorted(seen.delegated.difference(answer))
    ours = [each for each in others if zone.own or each.endswith(f".{zone.name}")]
    if ours:
        listed = ", ".join(shown(each) for each in ours)
        keep = "keep both authorities until the registrar names no other servers; `unmoor zone move` shows how"
        yield not_ready(f"{above} still leads {zone.name} to {listed}, which this update stops serving", keep)
    elif zone.own is None and (wrong := [each for each in verdict.keys(seen) if seen.ds]):
        back = "take the DS out at the registrar, wait until its TTL has passed, and only then go back"
        yield not_ready(f"{above} still has a DS of {zone.name}, and {wrong[0].where} {wrong[0].what}", back)
    else:
        yield ready(f"{above} leads {zone.name} to servers that continue to answer for it")


def _look(topology: Topology) -> Iterator[Finding]:
    found = differences(topology)
    for each in found:
        yield not_ready(f"{each.where}: {each.what}", "correct it at the registrar, or in unmoor:dns: {delegation: …}")
    if not found:
        yield ready(f"parent and servers of {topology.zone.name} are as the stack names them")
