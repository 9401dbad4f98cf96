"""Wait until a name server of the stack's own answers its zone, signed by the key that the parent vouches for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ...errors import StepError
from .. import asking, verdict
from .publish import unserved
from .state import State, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds for a new server: PowerDNS starts, and the keeper takes its first zone.
_FIRST_S, _PAUSE_S = 300.0, 1.0


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask the server `at` an address until it answers the newest serial of `zone` over UDP, and its keys over TCP.

    `ds` are the DS records at the parent, none before the first. From then on, changes of the zone wait for this
    server. Raises StepError with the last fault after `_FIRST_S` seconds.
    """
    zone, address, end, last = given["zone"], str(given["at"][0]), clock() + _FIRST_S, ""
    while True:
        with locked(zone):
            state = State(given)
            newest = state.newest()
            fault = _fault(zone, address, newest.zone.serial, given["ds"]) if newest else "no zone is published yet"
            if not fault:
                state.answered(given["key"], address)
                return {"server": given["key"], "address": address}
        if fault != last:
            report(f"waiting for {given['key']} ({address}): {fault}")
            last = fault
        if clock() + _PAUSE_S > end:
            raise StepError(f"{given['key']} ({address}) does not serve {zone} after {_FIRST_S:.0f} s: {fault}")
        sleep(_PAUSE_S)


def _fault(zone: str, address: str, serial: int, ds: list[str]) -> str:
    if fault := unserved(address, zone, serial):
        return fault
    keys = asking.ask(address, zone, "DNSKEY", tcp=True)
    if keys.error or not keys.values:
        return f"over TCP {keys.error}" if keys.error else "the zone is not signed"
    lost = [each for each in ds if not verdict.vouched(zone, each, keys.values)]
    if len(lost) == len(ds) and ds:
        return f"it answers no key for the DS {lost[0]} of dns.delegation, so validating resolvers would refuse it"
    return ""
