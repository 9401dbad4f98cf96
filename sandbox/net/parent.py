"""The zones above: they delegate with NS and glue (RFC 1034 §4.3.2), and answer DS themselves (RFC 4035 §3.1.4.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .answer import Answer, Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from ..state import State

#: The address of every parent's name server, and those of Route 53.
ADDRESS, ROUTE53 = "198.51.100.53", tuple(f"198.51.100.{number}" for number in range(60, 64))
#: TTL in seconds of NS and DS sets, as in the zones com and org (read in 2026-11).
NS_TTL, DS_TTL = 172_800, 86_400
_NEGATIVE_TTL = 900
_ROUTE53 = re.compile(r"ns-(\d+)\.awsdns-\d+\.(?:com|net|org|co\.uk)")


def of_route53(name: str) -> str | None:
    """Return the address of a name server of Route 53; None for other names."""
    found = _ROUTE53.fullmatch(name)
    return ROUTE53[int(found[1]) % len(ROUTE53)] if found else None


class Parent:
    """The name server of the parents of all zones; `hosted` returns the zones of Route 53 with their name servers."""

    def __init__(self, state: State, hosted: Callable[[], Awaitable[Mapping[str, Sequence[str]]]]) -> None:
        self._state = state
        self._hosted = hosted

    async def look_up(self, name: str, kind: str) -> Answer:
        """Return the answer of the parents' name server: its own records, a referral, or REFUSED."""
        name = name.rstrip(".").lower()
        zones = {zone: {"servers": dict.fromkeys(names, "")} for zone, names in (await self._hosted()).items()}
        zones |= self._state.delegations()
        zone = next((zone for zone in zones if f".{name}".endswith(f".{zone}")), None)
        if zone and not (kind == "DS" and name == zone):
            return _referral(zone, zones[zone]["servers"])
        above = {zone.partition(".")[2] for zone in zones}
        mine = next((each for each in above if f".{name}".endswith(f".{each}")), None)
        if mine is None:
            return Answer(refused=True)
        values = zones[zone].get("ds", ()) if zone else _own(mine, name).get(kind, ())
        records = tuple(Record(name, kind, DS_TTL if zone else NS_TTL, value) for value in values)
        known = bool(zone) or f".{server(mine)}".endswith(f".{name}")
        return Answer(records, () if records else (Record(mine, "SOA", _NEGATIVE_TTL, _soa(mine)),), exists=known)


def server(above: str) -> str:
    """Return the name of a parent's name server."""
    return f"a.nic.{above}"


def _referral(zone: str, servers: Mapping[str, str]) -> Answer:
    return Answer(
        authority=tuple(Record(zone, "NS", NS_TTL, f"{name}.") for name in servers),
        additional=tuple(Record(name, "A", NS_TTL, address) for name, address in servers.items() if address),
        referral=True,
    )


def _own(above: str, name: str) -> dict[str, list[str]]:
    """Return the records of a parent at a name."""
    if name == above:
        return {"SOA": [_soa(above)], "NS": [f"{server(above)}."]}
    return {"A": [ADDRESS]} if name == server(above) else {}


def _soa(above: str) -> str:
    return f"{server(above)}. hostmaster.nic.{above}. 1 3600 600 604800 {_NEGATIVE_TTL}"
