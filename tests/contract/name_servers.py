"""Name servers on addresses of this machine, over UDP and TCP: each serves one zone, or misbehaves on request.

Behaviour is RFC 1034 §4.3.2 (answers, referrals with glue), RFC 5936 (transfers) and RFC 8482 (no recursion offered).
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dns.zone


@dataclass
class Serves:
    """A zone at one server, and how the server misbehaves."""

    zone: dns.zone.Zone
    udp: bool = True
    tcp: bool = True
    authoritative: bool = True
    recursive: bool = False
    asked: list[str] = field(default_factory=list)

    def answer(self, query: dns.message.Message) -> list[dns.message.Message]:
        question = query.question[0]
        reply = dns.message.make_response(query, recursion_available=self.recursive)
        self.asked.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}")
        if not question.name.is_subdomain(self.zone.origin):
            reply.set_rcode(dns.rcode.REFUSED)
            return [reply]
        if self.authoritative:
            reply.flags |= dns.flags.AA
        if question.rdtype == dns.rdatatype.AXFR:
            return [self._all(query)]
        cut = self._cut(question.name, question.rdtype)
        if cut is not None:
            reply.flags &= ~dns.flags.AA
            reply.authority.append(self._rrset(cut, dns.rdatatype.NS))
            for each in self._rrset(cut, dns.rdatatype.NS):
                if self.zone.get_node(each.target) is not None:
                    reply.additional.append(self._rrset(each.target, dns.rdatatype.A))
            return [reply]
        if self.zone.get_node(question.name) is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            return [reply]
        for type_ in dict.fromkeys((question.rdtype, dns.rdatatype.CNAME)):
            if self.zone.get_rdataset(question.name, type_) is not None:
                reply.answer.append(self._rrset(question.name, type_))
        return [reply]

    def _cut(self, name: dns.name.Name, type_: int) -> dns.name.Name | None:
        """Return the delegation that a name lies below; DS is the parent's own (RFC 4035 §3.1.4.1)."""
        while name != self.zone.origin:
            there = self.zone.get_rdataset(name, dns.rdatatype.NS)
            if there is not None and type_ != dns.rdatatype.DS:
                return name
            name = name.parent()
        return None

    def _all(self, query: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(query)
        soa = self._rrset(self.zone.origin, dns.rdatatype.SOA)
        rest = [dns.rrset.from_rdata_list(name, sets.ttl, list(sets)) for name, sets in self.zone.iterate_rdatasets()]
        reply.answer = [soa, *(each for each in rest if each.rdtype != dns.rdatatype.SOA)]
        # The closing SOA (RFC 5936 §2.2) is a set of its own, which a message of dnspython would join to the first.
        reply.answer.append(dns.rrset.from_rdata_list(soa.name, soa.ttl, list(soa)))
        return reply

    def _rrset(self, name: dns.name.Name, type_: int) -> dns.rrset.RRset:
        found = self.zone.get_rdataset(name, type_)
        return dns.rrset.from_rdata_list(name, found.ttl, list(found))


class _Stream(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        serves: Serves = self.server.serves  # type: ignore[attr-defined]
        while serves.tcp and (head := self.request.recv(2)):
            query = dns.message.from_wire(self.request.recv(struct.unpack("!H", head)[0]))
            for reply in serves.answer(query):
                wire = reply.to_wire(max_size=65_535)
                self.request.sendall(struct.pack("!H", len(wire)) + wire)


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        serves: Serves = self.server.serves  # type: ignore[attr-defined]
        if serves.udp:
            for reply in serves.answer(dns.message.from_wire(self.request[0])):
                self.request[1].sendto(reply.to_wire(max_size=1232), self.client_address)


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


@contextlib.contextmanager
def serving(servers: Mapping[str, Any]) -> Iterator[int]:
    """Serve zones (or Serves) at addresses of this machine, all on one port, which is given."""
    with contextlib.ExitStack() as stack:
        port = _free(list(servers))
        for address, what in servers.items():
            serves = what if isinstance(what, Serves) else Serves(what)
            for kind, handler in ((_Tcp, _Stream), (_Udp, _Datagram)):
                server = kind((address, port), handler)
                server.serves = serves
                threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
                stack.callback(server.server_close)
                stack.callback(server.shutdown)
        yield port


def _free(addresses: list[str]) -> int:
    """Return a port that is free for both transports at every address."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            port = 0
            for address in addresses:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    bound = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    bound.bind((address, port))
                    port = bound.getsockname()[1]
            return port
