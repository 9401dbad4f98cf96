"""Publish an entry in the zone of own name servers: a signed bundle in every store, taken by one server at a time.

The zone's newest bundle holds all entries, so that each action changes only its own. The actions of one update take
turns. An action whose records are published already only waits for the servers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...errors import StepError
from .. import asking, verdict
from . import entries
from .state import State, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .entries import Entries, Server
    from .state import Signed

#: Seconds for a server to answer a new serial: its keeper checks every ten, and PowerDNS then checks the zone.
TAKEN_S = 90.0
_PAUSE_S = 0.5


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Publish `entry` as `key` in `zone`, or remove it with `wait`; return the serial that the servers answer.

    A server that has never answered is not waited for: it still waits for its key. Raises ConfigError for records that
    no zone may hold, and StepError for a store or a server that fails; the served zone then stays.
    """
    with locked(given["zone"]):
        state = State(given)
        before = state.newest()
        known: Entries = dict(before.zone.entries) if before else {}
        old = known.pop(given["key"], None)
        if not given.get("wait"):
            known[given["key"]] = dict(given["entry"])
        elif old and old.get("server"):
            _undelegated(given["zone"], old["server"])
        gone = [each for each in _servers(before) if each not in entries.servers(known)]
        if not entries.servers(known):
            return _without_servers(state, known, before, report)
        if before is None:
            _unknown(state, entries.servers(known))
        signed = _signed(state, known, before)
        state.save(signed)
        for server in entries.servers(known):
            state.save(signed, server.site)
            if state.ready(server.site, server.address):
                _answers(server, signed, report, clock, sleep)
        for server in gone:
            if server.site not in {each.site for each in entries.servers(known)}:
                state.forget(server.site)
    return {"zone": given["zone"], "serial": signed.zone.serial}


def _servers(signed: Signed | None) -> list[Server]:
    return entries.servers(signed.zone.entries) if signed else []


def _without_servers(
    state: State, known: Entries, before: Signed | None, report: Callable[[str], None]
) -> dict[str, Any]:
    """Remove the zone with its last server. Raises StepError for entries before the first server."""
    if before is None and known:
        raise StepError(f"no name server of {state.zone} is published yet, so nothing could serve {', '.join(known)}")
    report(f"{state.zone} has no name server of the stack's own any more")
    state.forget()
    return {"zone": state.zone, "serial": 0}


def _unknown(state: State, servers: list[Server]) -> None:
    """Refuse to begin a zone that is served already: it would lose every name that other actions published."""
    for server in servers:
        served = asking.ask(server.address, state.zone, "SOA", tcp=False)
        if served.values and not served.error:
            raise StepError(
                f"{server.host} ({server.address}) answers {state.zone}, and no store holds it; name one of the stores "
                "that had it in this update, and take it out in the next one"
            )


def _signed(state: State, known: Entries, before: Signed | None) -> Signed:
    """Return the bundle of entries: the newest one if it is equal, else a new one with a higher serial."""
    serial = before.zone.serial if before else 0
    same = entries.made(state.zone, serial, known) if before else None
    if before and same and same.raw == before.raw:
        return before
    return state.sign(entries.made(state.zone, max(int(time.time()), serial + 1), known).raw)


def _answers(
    server: Server,
    signed: Signed,
    report: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Ask a server until it answers the serial of a bundle, or a later one. StepError after `TAKEN_S` seconds."""
    wanted, end, last = signed.zone.serial, clock() + TAKEN_S, ""
    while fault := unserved(server.address, signed.zone.zone, wanted):
        if fault != last:
            report(f"waiting for {server.host} ({server.address}): {fault}")
            last = fault
        if clock() + _PAUSE_S > end:
            raise StepError(
                f"{server.host} ({server.address}) does not serve the new zone after {TAKEN_S:.0f} s: {fault}; the "
                "servers after it were left unchanged. If its lease is lost, rent it again (`pulumi up --refresh`)"
            )
        sleep(_PAUSE_S)


def unserved(address: str, zone: str, serial: int) -> str:
    """Return why a server does not serve a serial of a zone, or a later one; "" if it does."""
    answer = asking.ask(address, zone, "SOA", tcp=False)
    there = verdict.serial(answer)
    if answer.error or there is None:
        return answer.error or f"it answers {answer.rcode}, and has no zone yet"
    return "" if there >= serial else f"it answers serial {there}, not {serial} yet"


def _undelegated(zone: str, host: str) -> None:
    """Refuse to remove a name server while the zone's parent names it."""
    from .delegated import names

    if host in names(zone):
        raise StepError(
            f"the parent of {zone} still names {host}; change the name servers at the registrar first, and wait until "
            "the old answer has ended"
        )
