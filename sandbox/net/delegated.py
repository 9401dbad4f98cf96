"""Ask the name servers to which a zone is delegated, at the local ports to which their addresses lead."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from .answer import Answer, Record
from .nameserver import NameServer
from .parent import of_route53
from .wire import Unreachable

if TYPE_CHECKING:
    from ..state import State

#: Seconds to wait for one server before the next is asked.
PATIENCE_S = 1.5
PORT = 53
#: The most name servers of a zone that have a port for resolvers outside.
MOST = 4


def zone_of(state: State, name: str) -> str | None:
    """Return the delegated zone of a name; None if the registry has no delegation for it."""
    found = [zone for zone in state.delegations() if f".{name}".endswith(f".{zone}")]
    return max(found, key=len, default=None)


def servers(state: State, zone: str) -> list[str]:
    """Return the addresses of a zone's name servers, in the order of their names."""
    given = (state.delegation(zone) or {}).get("servers", {})
    return [address or of_route53(name) or state.host(name) or "" for name, address in sorted(given.items())]


async def _asked(state: State, address: str, query: dns.message.Message) -> dns.message.Message:
    real = state.route(address, PORT)
    if real is None:
        raise Unreachable(f"nothing listens at port {PORT} of {address}")
    try:
        found, _ = await dns.asyncquery.udp_with_fallback(query, real[0], timeout=PATIENCE_S, port=real[1])
    except (OSError, EOFError, dns.exception.DNSException) as error:
        raise Unreachable(f"{address} does not answer: {error}") from error
    return found


async def resolve(state: State, zone: str, name: str, kind: str) -> Answer:
    """Ask a zone's name servers in random order until one answers. Raises Unreachable if none does."""
    query = dns.message.make_query(f"{name}.", kind, use_edns=0, payload=1232)
    query.flags &= ~dns.flags.RD
    found = servers(state, zone)
    for address in random.sample(found, len(found)):
        try:
            answer = await _asked(state, address, query)
        except Unreachable:
            continue
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            continue
        return Answer(_records(answer.answer), _records(answer.authority), answer.rcode() == dns.rcode.NOERROR)
    raise Unreachable(f"no name server of {zone} answers")


def _records(sets: list[dns.rrset.RRset]) -> tuple[Record, ...]:
    return tuple(
        Record(each.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(each.rdtype), each.ttl, one.to_text())
        for each in sets
        for one in each
    )


class Passage(NameServer):
    """A fixed port that forwards to the name server of a zone with an index, by the registry's current delegation.

    It is for resolvers outside the sandbox, which can only ask fixed ports of this machine.
    """

    def __init__(self, state: State, place: int) -> None:
        self._state, self._place = state, place
        self._tasks = set()

    async def respond(self, wire: bytes) -> dns.message.Message | None:
        """Return the server's response; None if it does not answer."""
        try:
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text().rstrip(".").lower()
            found = servers(self._state, zone_of(self._state, name) or "")
            return await _asked(self._state, found[self._place], query)
        except (dns.exception.DNSException, IndexError, Unreachable):
            return None


class Silent(NameServer):
    """A name server that answers no question."""

    def __init__(self) -> None:
        self._tasks = set()

    async def respond(self, wire: bytes) -> dns.message.Message | None:  # noqa: ARG002 no question is answered
        """Return None: there is no answer."""
        return None
