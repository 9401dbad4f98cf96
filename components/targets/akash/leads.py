"""Ask whether a record of the zone still leads to a deployment, right before the deployment is closed.

An address or a name that a record leads to must not be given up: its next tenant would serve the DAO's visitors.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ConfigError, Unanswered
from ...limits import LEADS_S as _LIFETIME_S
from ...resolver import VARIABLE, chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ...authority import ReadsZone


class Shown(list[str]):
    """Records as name servers answer them. They lag behind their authority, which may have deleted one already."""


class Leads(Protocol):
    """Finds the records that lead somewhere; `public` needs no account."""

    def __call__(self, addresses: Collection[str], names: Collection[str], hosts: Collection[str]) -> list[str]:
        """Return the names of records that lead to one of the addresses or names.

        `hosts` are the names of the zone that may lead there; an authority that reads its whole zone finds others too.
        Raises Unanswered when that is not known.
        """
        ...


def held(authorities: Callable[[], Iterable[ReadsZone | None]]) -> Leads:
    """Ask the authorities that can read their zones. Raises Unanswered if none holds the zone or one fails.

    An authority that is None cannot show its records. The zone may have moved to it, so what another still shows is no
    answer.

    `authorities` is called when a deployment is about to be closed, and raises ConfigError where they are not known.
    """

    def ask(addresses: Collection[str], names: Collection[str], hosts: Collection[str]) -> list[str]:
        silent: list[Unanswered] = []
        answers: list[list[str]] = []
        try:
            able = authorities()
        except ConfigError as fault:
            raise Unanswered(str(fault)) from None
        for authority in able:
            if authority is None:
                silent.append(Unanswered("an authority of the project does not show its records"))
                continue
            try:
                found = authority.leading([*addresses, *names], hosts)
            except Unanswered as fault:
                silent.append(fault)
            else:
                answers += [] if found is None else [found]
        records = list(dict.fromkeys(record for found in answers for record in found))
        if records or (answers and not silent):
            return records
        raise silent[0] if silent else Unanswered("no authority of the project holds the zone")

    return ask


def first_answer(*checks: Leads) -> Leads:
    """Ask one source after the other, the best first, until one answers. Raises Unanswered if none does."""

    def ask(addresses: Collection[str], names: Collection[str], hosts: Collection[str]) -> list[str]:
        silent = []
        for check in checks:
            try:
                return check(addresses, names, hosts)
            except Unanswered as fault:
                silent.append(str(fault))
        raise Unanswered("; ".join(silent) or "no source of the zone's records is available")

    return ask


def public(addresses: Collection[str], names: Collection[str], hosts: Collection[str]) -> list[str]:
    """Ask the zone's public name servers directly. Of a failover set they show only the member in use."""
    targets = {*addresses, *(each.lower().rstrip(".") for each in names)}
    asked = dict.fromkeys(each.lower().rstrip(".") for each in hosts)
    return Shown(host for host in asked if targets & set(_answers(host)))


def _answers(host: str) -> list[str]:
    """Return every address and name on the way from a host; none if there is no such name. Raises Unanswered."""
    import dns.exception
    import dns.rdatatype
    import dns.resolver

    try:
        responses = [_servers(host).resolve(host, "A", search=False, raise_on_no_answer=False).response]
    except dns.resolver.NXDOMAIN as missing:  # The end of a chain may be missing while its beginning leads there.
        responses = list(missing.responses().values())  # type: ignore[no-untyped-call]
    except dns.exception.DNSException as fault:
        first = str(fault).splitlines()[0][:200]
        raise Unanswered(f"the name servers of {host} do not answer ({first})") from None
    found: list[str] = []
    for records in (each for response in responses for each in response.answer):
        if records.rdtype in (dns.rdatatype.A, dns.rdatatype.CNAME):
            found += [each.to_text().rstrip(".").lower() for each in records]
    return found


def _servers(host: str, environ: Mapping[str, str] = os.environ) -> Any:
    """Return a resolver that asks the name servers of a host's zone, or the one that a variable names."""
    import dns.resolver

    own = chosen(environ, _LIFETIME_S)
    if environ.get(VARIABLE):
        return own
    zone = dns.resolver.zone_for_name(host, resolver=own, lifetime=_LIFETIME_S)
    servers = [server.target for server in own.resolve(zone, "NS")]
    direct = dns.resolver.Resolver(configure=False)
    direct.nameservers = [record.address for server in servers[:2] for record in own.resolve(server, "A")]
    direct.lifetime = _LIFETIME_S
    return direct
