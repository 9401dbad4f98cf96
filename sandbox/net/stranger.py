"""A stranger at the address of a lost name server: it answers for the zone, signed by a key of its own.

Who rents an address is asked whatever leads there, and signs as well as the owner does (RFC 4034): only the DS at the
parent tells the two apart, and only to resolvers that validate (RFC 4035 §5).
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

#: Where the stranger leads every name.
ADDRESS = "203.0.113.250"
_ALGORITHM, _KSK = "ECDSAP256SHA256", 257
_TTL, _LIFETIME_S = 300, 86_400


class Stranger(NameServer):
    """Answers for every delegated zone as if it were its own."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tasks = set()
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._key = dns.dnssec.make_dnskey(self._private.public_key(), _ALGORITHM, _KSK)

    async def respond(self, wire: bytes) -> dns.message.Message | None:
        """Return an answer with an address of the stranger's, and its signature where signatures are wanted."""
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
