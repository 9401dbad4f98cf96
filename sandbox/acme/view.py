"""The authority's view of sites: names by the sandbox's DNS, port 80 of an address by the sandbox's internet.

Pebble connects directly, and to one port only. So every name with an address leads it to this machine, where a listener
on that port passes the request on to the name's real address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype

from ..net import server
from ..net.answer import Answer, Record
from ..net.wire import HOP_BY_HOP, Response, Unreachable, fetch

if TYPE_CHECKING:
    import asyncio

    from ..net.server import Asked
    from ..state import State

#: Seconds for one question to the sandbox's DNS.
PATIENCE_S = 5.0
#: Seconds for which Pebble may cache: it does not.
TTL = 1
HERE = "127.0.0.1"


class Names:
    """The authority's DNS: addresses become this machine's, all else stays."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def look_up(self, name: str, kind: str) -> Answer:
        """Answer as the sandbox's DNS does, but for addresses."""
        found = await ask(self._state, name, kind)
        exists = found.rcode() != dns.rcode.NXDOMAIN
        if kind == "A":
            led = any(one.rdtype == dns.rdatatype.A for one in found.answer)
            return Answer((Record(name.rstrip(".").lower(), "A", TTL, HERE),) if led else (), exists=exists)
        records = [
            Record(one.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(one.rdtype), one.ttl, item.to_text())
            for one in found.answer
            for item in one
        ]
        return Answer(tuple(records), exists=exists)


async def ask(state: State, name: str, kind: str) -> dns.message.Message:
    """Ask the sandbox's DNS server."""
    query = dns.message.make_query(name, kind)
    return await dns.asyncquery.udp(query, HERE, timeout=PATIENCE_S, port=state.port("dns") or 0)


class Looks:
    """Port 80 of every name, for the authority alone."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request."""
        await server.serve(reader, writer, self._respond, secure=False)

    async def _respond(self, asked: Asked) -> Response | None:
        headers = [(name, value) for name, value in asked.headers if name not in HOP_BY_HOP | {"host"}]
        place = f"http://{asked.host}{asked.path}" + (f"?{asked.query}" if asked.query else "")
        try:
            answer = await fetch(self._state.port("proxy") or 0, place, [("Host", asked.host), *headers])
        except Unreachable:
            return None
        kept = [(name, value) for name, value in answer.headers if name not in HOP_BY_HOP]
        return Response(answer.status, kept, answer.body)
