"""A stranger at the address of a lost name server: it answers for the zone, signed with its own key.

The tenant of an address gets every question that leads there, and can sign as the owner does (RFC 4034). Only the DS at
the parent distinguishes the two, and only for resolvers that validate (RFC 4035 §5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

from .delegated import zone_of
from .nameserver import LARGEST_DATAGRAM, NameServer

if TYPE_CHECKING:
    from ..state import State

#: The address to which the stranger leads every name.
ADDRESS = "203.0.113.250"
_ALGORITHM, _KSK = "ECDSAP256SHA256", 257
_TTL, _LIFETIME_S = 300, 86_400


class Stranger(NameServer):
    """A name server that answers for every delegated zone."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tasks = set()
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._key = dns.dnssec.make_dnskey(self._private.public_key(), _ALGORITHM, _KSK)

    async def respond(self, wire: bytes) -> dns.message.Message | None:
        """Return an answer with the stranger's address, and a signature if the question asks for one."""
        try:
            query = dns.message.from_wire(wire)
            asked = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        response = dns.message.make_response(query, our_payload=LARGEST_DATAGRAM)
        zone = zone_of(self._state, asked.name.to_text().rstrip(".").lower())
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        response.flags |= dns.flags.AA
        apex = dns.name.from_text(zone)
        values = {
            dns.rdatatype.A: [ADDRESS],
            dns.rdatatype.SOA: [f"ns1.{zone}. stranger.{zone}. 999 3600 600 604800 60"],
            dns.rdatatype.NS: [f"ns1.{zone}."],
            dns.rdatatype.DNSKEY: [self._key.to_text()],
        }.get(asked.rdtype, [])
        if values:
            rrset = dns.rrset.from_text_list(asked.name, _TTL, dns.rdataclass.IN, asked.rdtype, values)
            response.answer.append(rrset)
            if query.ednsflags & dns.flags.DO:
                made = dns.dnssec.sign(rrset, self._private, apex, self._key, lifetime=_LIFETIME_S)
                response.answer.append(dns.rrset.from_rdata(asked.name, _TTL, made))
        return response
