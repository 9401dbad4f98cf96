"""DNS queries as the public makes them: by the machine's resolver, or by the one that a variable names."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, StepError
from .limits import DNS_S as LIFETIME_S

if TYPE_CHECKING:
    from collections.abc import Mapping

#: `HOST:PORT` of a resolver to use instead of the machine's.
VARIABLE = "UNMOOR_RESOLVER"
#: The variable with a folder that redirects addresses, as the sandbox does: its file `ADDRESS_PORT` holds `HOST:PORT`.
ROUTES = "UNMOOR_ROUTES"


def reached(address: str, port: int, environ: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Return the host and port to connect to: the given ones, or those that the variable's folder has for them.

    Raises OSError if the folder has none, as if nothing listened there.
    """
    folder = environ.get(ROUTES)
    if not folder:
        return address, port
    try:
        host, _, there = Path(folder, f"{address}_{port}").read_text(encoding="utf-8").strip().rpartition(":")
    except FileNotFoundError:
        raise ConnectionRefusedError(f"nothing listens at port {port} of {address}") from None
    return host, int(there)


def records(name: str, kind: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return a name's records of one type as text, sorted and without the last dot; none where there is no such record.

    Raises StepError when no resolver answers, as for a zone that is delegated to servers that do not have it.
    """
    import dns.exception
    import dns.resolver

    try:
        answer = chosen(environ, LIFETIME_S).resolve(name, kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise StepError(
            f"no resolver answers for {name} {kind}: {str(error).splitlines()[0][:200]}; "
            "look at the network, and at the delegation of the zone"
        ) from None
    return sorted(record.to_text().rstrip(".") for record in answer)


def chosen(environ: Mapping[str, str], lifetime_s: float) -> Any:
    """Return the machine's resolver, or the one that the variable names. Raises ConfigError if that is no address."""
    import dns.resolver

    given = environ.get(VARIABLE, "")
    resolver = dns.resolver.Resolver(configure=not given)
    resolver.lifetime = lifetime_s
    if given:
        host, _, port = given.partition(":")
        try:
            resolver.nameservers = [str(ipaddress.ip_address(host))]
            resolver.port = int(port or 53)
        except ValueError:
            raise ConfigError(f"{VARIABLE} is not the address of a resolver; write it as 127.0.0.1:53") from None
    return resolver
