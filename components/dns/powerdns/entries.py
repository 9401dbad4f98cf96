"""Make a zone from entries, each of which one action of a stack publishes. Pure.

An entry has `sets` with values, and `members` whose site is reached `at` addresses or a name. `server` is the host of a
name server. `also` are name servers of other authorities that answer for the zone. `keys` are the DS records of the
keys that the zone publishes, of which the first signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...config.models import Acme
from ...errors import ConfigError, Fault
from ...exposure import Endpoint, Exposure, Reach
from ...topology import Role, Site
from .. import plain
from ..zone import Member, Probe, RRset
from . import bundle, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..plain import Row

#: The TTL in seconds of a name server's address. The parent's glue has a longer one.
_SERVER_TTL = 300

Entries = dict[str, dict[str, Any]]


class Server(NamedTuple):
    """A name server of the stack's own: its site, its host, and its address."""

    site: str
    host: str
    address: str


def servers(entries: Mapping[str, Mapping[str, Any]]) -> list[Server]:
    """Return the stack's own name servers, sorted by site."""
    found = (
        Server(entry["members"][0]["site"], entry["server"], str(entry["at"][0]))
        for entry in entries.values()
        if entry.get("server")
    )
    return sorted(found)


def made(zone: str, serial: int, entries: Entries) -> bundle.Made:
    """Return the bundle that entries make, in any order. Raises ConfigError for records that no zone may hold.

    Each name leads where its own entry has the site: one that is rented anew gets its own name before its public ones.
    """
    entries = dict(sorted(entries.items()))
    found = list(_sets(entries))
    at: dict[str, dict[str, Endpoint]] = {}
    for placed in sorted(_placed(entries), key=_turn):
        at.setdefault(placed.host, {}).setdefault(placed.site, placed.endpoint)
    cut = plain.by_name(found)
    stand = [(each, at.get(each.host, {})) for each in found if (each.host, each.type) not in cut]
    also = {name for entry in entries.values() for name in entry.get("also", ())}
    named = [*(server.host for server in servers(entries)), *sorted(also)]
    if not named:
        raise ConfigError(f"the zone {zone} has no name server", [Fault(zone, "no entry names one")])
    keys = [ds for entry in entries.values() for ds in entry.get("keys", ())]
    records = sorted({row for rrset, sites in stand for row in rows.records([rrset], sites)})
    switches = [switch for rrset, sites in stand for switch in rows.switches([rrset], sites)]
    return bundle.make(zone, serial, named, records, switches, entries, keys=keys)


class _Placed(NamedTuple):
    """A member of an entry, and the endpoint of its site."""

    host: str
    site: str
    endpoint: Endpoint
    known: Mapping[str, Any]


def _placed(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[_Placed]:
    for entry in entries.values():
        for known in entry.get("members", ()):
            at = [str(each) for each in entry["at"]]
            by_address = Reach(known["reach"]) is Reach.ADDRESS
            endpoint = Endpoint(addresses=tuple(at)) if by_address else Endpoint(name=at[0])
            yield _Placed(known["host"], known["site"], endpoint, known)


def _turn(placed: _Placed) -> int:
    """Return the place of a member in its set: the primary comes first."""
    return list(Role).index(Role(placed.known.get("role", Role.PRIMARY)))


def _sets(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[RRset]:
    values: dict[tuple[str, str], RRset] = {}
    for entry in entries.values():
        for each in entry.get("sets", ()):
            rrset = _plain(each)
            # An issuer demands the same proof of a host for every certificate, so two entries may have one record.
            values.setdefault((rrset.host, rrset.type), rrset)
    members: dict[str, list[_Placed]] = {}
    for placed in _placed(entries):
        members.setdefault(placed.host, []).append(placed)
    led = [_led(host, found) for host, found in members.items()]
    yield from values.values()
    yield from led


def _plain(given: Mapping[str, Any]) -> RRset:
    host, type_ = str(given["host"]).rstrip(".").lower(), str(given["type"])
    found = [str(value) for value in given["values"]]
    if type_ == "CNAME":  # a vendor's API gives the target without the dot
        found = [f"{value.rstrip('.')}." for value in found]
    return RRset(host, type_, int(given["ttl"]), tuple(found))


def _led(host: str, found: Iterable[_Placed]) -> RRset:
    """Return the set of a name from its members, primary first.

    While two members change places, one entry is new and the other old. Both then have the same site, which is the only
    member.
    """
    ordered = sorted(found, key=_turn)
    once = {each.site: each for each in reversed(ordered)}
    kept = [each for each in ordered if once[each.site] is each]
    ttl = int(kept[0].known["ttl"])
    shared = len(kept) > 1 and all("weight" in each.known for each in kept)
    return RRset(host, "", ttl, members=tuple(_member(each, shared=shared) for each in kept))


def _member(placed: _Placed, *, shared: bool) -> Member:
    known = placed.known
    site = Site(
        name=placed.site,
        workload="",
        kind="",
        target="",
        host=None,
        site_host=placed.host,
        peer="",
        exposure=Exposure(Reach(known["reach"])),
        acme=Acme(),
        options=Acme(),
    )
    if "role" not in known:
        return Member(site)
    return Member(site, Role(known["role"]), Probe(**known["probe"]), known["weight"] if shared else None)


def places(zone: bundle.Bundle, host: str) -> list[str]:
    """Return each address and name that a host's records can lead to, once: those of every member, up or down."""
    given = [each.row for each in zone.records]
    given += [row.row for switch in zone.switches for member in switch.members for row in member.rows]
    return list(dict.fromkeys(_place(row) for row in given if row.name == host and row.type in {"A", "CNAME"}))


def _place(row: Row) -> str:
    return row.content.rstrip(".")
