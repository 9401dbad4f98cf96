"""The DNS server: the wire format over UDP and TCP in front of names.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from typing import TYPE_CHECKING, Protocol

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from .wire import Unreachable, attended, close

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .answer import Answer, Record

log = logging.getLogger(__name__)

#: What fits into one datagram for a client that does not allow more by EDNS (RFC 1035 §4.2.1).
PLAIN_DATAGRAM = 512
#: The largest datagram that we send and announce (dnsflagday.net/2020).
LARGEST_DATAGRAM = 1232
#: What a length of two bytes can hold (RFC 1035 §4.2.2).
LARGEST_STREAM = 65_535
#: Tries to find a port that is free for both UDP and TCP.
TRIES = 20


class LooksUp(Protocol):
    """The source of the answers."""

    async def look_up(self, name: str, kind: str) -> Answer:
        """Return the answer for a name and a type."""
        ...


class NameServer:
    """A name server on one port of 127.0.0.1, over UDP and TCP; `recursive` if it is a resolver."""

    def __init__(self, names: LooksUp, *, recursive: bool = True) -> None:
        self._names = names
        self._recursive = recursive
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, wanted: int = 0) -> int:
        """Listen on the wanted port, or any; returns it. Raises OSError when it is busy."""
        for left in reversed(range(TRIES)):
            server = await asyncio.start_server(attended(self._stream), "127.0.0.1", wanted)
            port: int = server.sockets[0].getsockname()[1]
            try:
                self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=("127.0.0.1", port), family=socket.AF_INET
                )
            except OSError:
                server.close()
                if wanted or not left:
                    raise
            else:
                self._server = server
                return port
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Stop listening."""
        self._server.close()
        self._transport.close()

    async def respond(self, wire: bytes) -> dns.message.Message | None:
        """Return the response to a query; None if the bytes are not a query at all."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query, recursion_available=self._recursive, our_payload=LARGEST_DATAGRAM)
        if len(query.question) != 1 or query.question[0].rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        asked = query.question[0]
        try:
            found = await self._names.look_up(asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype))
            if not (found.refused or found.referral):
                response.flags |= dns.flags.AA
            known = dns.rcode.NOERROR if found.exists else dns.rcode.NXDOMAIN
            response.set_rcode(dns.rcode.REFUSED if found.refused else known)
            response.answer = sets(found.records, asked.name)
            response.authority = sets(found.authority, asked.name)
            response.additional = sets(found.additional, asked.name)
        except Unreachable:
            response.set_rcode(dns.rcode.SERVFAIL)
        except Exception:
            log.exception("no answer for %s", asked)
            response.set_rcode(dns.rcode.SERVFAIL)
        return response

    def datagram(self, transport: asyncio.DatagramTransport, wire: bytes, address: tuple[str, int]) -> None:
        """Answer one datagram."""

        async def reply() -> None:
            response = await self.respond(wire)
            if response is None:
                return
            room = dns.message.from_wire(wire).payload or PLAIN_DATAGRAM
            limit = max(PLAIN_DATAGRAM, min(room, LARGEST_DATAGRAM))
            sent = response.to_wire(max_size=limit, prefer_truncation=True)
            transport.sendto(sent, address)

        task = asyncio.create_task(reply())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                async with asyncio.timeout(10):
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    wire = await reader.readexactly(size)
                response = await self.respond(wire)
                if response is None:
                    break
                sent = response.to_wire(max_size=LARGEST_STREAM)
                writer.write(struct.pack("!H", len(sent)) + sent)
                await writer.drain()
        await close(writer)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.datagram(self._transport, data, addr)  # type: ignore[arg-type]


def sets(records: Sequence[Record], asked: dns.name.Name) -> list[dns.rrset.RRset]:
    """Return records as the wire's sets, in order; the asked name keeps the case in which it was asked."""
    grouped: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        grouped.setdefault((record.name, record.type), []).append(record)
    found = []
    for (name, kind), group in grouped.items():
        owner = dns.name.from_text(name)
        values = [_absolute(record.value, kind) for record in group]
        found.append(dns.rrset.from_text_list(asked if owner == asked else owner, group[0].ttl, "IN", kind, values))
    return found


def _absolute(value: str, kind: str) -> str:
    """Return a value's name as absolute: Route 53 reads it so, whether it ends in a dot or not."""
    names = {"CNAME": (0,), "NS": (0,), "PTR": (0,), "MX": (1,), "SRV": (3,), "SOA": (0, 1)}.get(kind, ())
    words = value.split() if names else [value]
    return " ".join(word.rstrip(".") + "." if at in names else word for at, word in enumerate(words))
