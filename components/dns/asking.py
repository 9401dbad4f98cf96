"""Ask one name server one question, over UDP or TCP, without recursion; find servers by the machine's resolver."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..limits import NAME_SERVER_S as TIMEOUT_S
from ..resolver import reached
from ..text.escape import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dns.message

#: Seconds for one answer, tries over UDP, and the bytes that every path carries (DNS flag day).
TRIES, PAYLOAD = 2, 1232
#: The port of name servers.
PORT = 53


@dataclass(frozen=True)
class Answer:
    """A server's answer: `values` are of the asked name, as zone files write them, a CNAME as `CNAME target.`.

    `names` and `glue` are of a referral: name servers, and the addresses given with them. `ttl` is in seconds, that of
    the values or of the referral.
    """

    rcode: str
    values: frozenset[str] = frozenset()
    authoritative: bool = False
    recursive: bool = False
    truncated: bool = False
    names: frozenset[str] = frozenset()
    glue: Mapping[str, frozenset[str]] = field(default_factory=dict)
    error: str = ""
    ttl: int = 0


def endpoint(server: str, port: int | None = None) -> tuple[str, int]:
    """Return address and port of `ADDRESS` or `ADDRESS:PORT`; an IPv6 address with a port stands in brackets.

    Raises ConfigError when it is neither.
    """
    host, colon, given = server.rpartition(":")
    address, number = (server, "") if not colon or (host.count(":") and not host.endswith("]")) else (host, given)
    try:
        return str(ipaddress.ip_address(address.strip("[]"))), int(number or port or PORT)
    except ValueError:
        raise ConfigError(
            f"{shown(server)} is no address of a server; give one, as 192.0.2.53 or 192.0.2.53:53"
        ) from None


def ask(address: str, host: str, type_: str, *, tcp: bool, port: int | None = None) -> Answer:
    """Ask a name server itself, twice over UDP. A missing answer is one with an `error`, a sentence."""
    from tenacity import Retrying, retry_if_result, stop_after_attempt

    tries = Retrying(
        retry=retry_if_result(lambda answer: answer.error),
        stop=stop_after_attempt(1 if tcp else TRIES),
        retry_error_callback=lambda state: state.outcome.result(),  # type: ignore[union-attr]
    )
    return tries(_once, address, host, type_, tcp=tcp, port=port)


def _once(address: str, host: str, type_: str, *, tcp: bool, port: int | None) -> Answer:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query

    query = dns.message.make_query(f"{host}.", type_, use_edns=0, payload=PAYLOAD)
    query.flags &= ~dns.flags.RD
    try:
        send = dns.query.tcp if tcp else dns.query.udp
        at, there = (address, port) if port else reached(address, PORT)
        return _read(send(query, at, TIMEOUT_S, there), host, type_)
    except dns.exception.Timeout:
        return Answer("", error=f"no answer within {TIMEOUT_S:g} s")
    except (dns.exception.DNSException, OSError, EOFError) as failed:
        return Answer("", error=str(failed) or type(failed).__name__)


def signers(address: str, zone: str) -> Answer:
    """Ask a name server for its SOA with signatures; the answer's values are the tags of the keys that signed it."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query
    import dns.rdatatype

    query = dns.message.make_query(f"{zone}.", "SOA", want_dnssec=True)
    query.flags &= ~dns.flags.RD
    try:
        at, port = reached(address, PORT)
        answer = dns.query.tcp(query, at, TIMEOUT_S, port).answer
    except (dns.exception.DNSException, OSError, EOFError) as failed:
        return Answer("", error=str(failed) or type(failed).__name__)
    made = [one for each in answer if each.rdtype == dns.rdatatype.RRSIG for one in each]
    return Answer("NOERROR", frozenset(str(one.key_tag) for one in made))


def _read(message: dns.message.Message, host: str, type_: str) -> Answer:
    import dns.flags
    import dns.rcode
    import dns.rdatatype

    values, names, glue, ttl = set(), set(), {}, 0
    for each in message.answer:
        kind = dns.rdatatype.to_text(each.rdtype)
        if each.name.to_text().rstrip(".").lower() == host and kind in {type_, "CNAME"}:
            ttl = max(ttl, each.ttl)
            values |= {text if kind == type_ else f"CNAME {text}" for text in (one.to_text() for one in each)}
    for each in message.authority:
        if each.rdtype == dns.rdatatype.NS:
            names |= {one.to_text().rstrip(".").lower() for one in each}
            if not values:
                ttl = max(ttl, each.ttl)
    for each in message.additional:
        if each.rdtype == dns.rdatatype.A:
            glue[each.name.to_text().rstrip(".").lower()] = frozenset(one.to_text() for one in each)
    return Answer(
        dns.rcode.to_text(message.rcode()),
        frozenset(values),
        authoritative=bool(message.flags & dns.flags.AA),
        recursive=bool(message.flags & dns.flags.RA),
        truncated=bool(message.flags & dns.flags.TC),
        names=frozenset(names),
        glue=glue,
        ttl=ttl,
    )


class Resolver:
    """The machine's resolver, or the one at an address: it finds where the servers are."""

    def __init__(self, server: str | None = None) -> None:
        import dns.resolver

        self._resolver = dns.resolver.Resolver(configure=server is None)
        self._resolver.lifetime = 5.0
        if server is not None:
            address, self._resolver.port = endpoint(server)
            self._resolver.nameservers = [address]

    def parent(self, zone: str) -> str:
        """Return the zone that delegates `zone`. Raises ConfigError when the resolver does not know it."""
        import dns.exception
        import dns.name
        import dns.resolver

        above = dns.name.from_text(zone).parent()
        try:
            return dns.resolver.zone_for_name(above, resolver=self._resolver).to_text().rstrip(".")
        except dns.exception.DNSException as error:
            raise ConfigError(f"the resolver does not know which zone delegates {zone}: {error}") from None

    def find(self, name: str, type_: str) -> list[str]:
        """Return the answers for a name, sorted; none if there are none, or no answer came."""
        import dns.exception

        try:
            found = self._resolver.resolve(f"{name}.", type_, search=False, raise_on_no_answer=False)
        except dns.exception.DNSException:
            return []
        return sorted(one.to_text().rstrip(".").lower() for one in found.rrset or ())
