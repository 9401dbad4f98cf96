"""Find where the sites of a stack are reached now, by their own names, which an authority publishes already."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault
from ..exposure import Endpoint, Reach
from ..text.escape import shown
from .records import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..topology import Site, Topology
    from .asking import Resolver


def find(topology: Topology, resolver: Resolver, given: Mapping[str, str]) -> dict[str, Endpoint]:
    """Return the endpoint of every standing site, by its name; `given` are endpoints that are known already.

    Raises ConfigError with every site that is not found: one that an authority follows by itself has no name in DNS.
    """
    sites = {site.name: site for plan in topology.workloads for site in plan.sites}
    found: dict[str, Endpoint] = {}
    faults = [
        Fault(f"--at {name}", f"is no site of the stack; choose from {', '.join(sorted(sites))}")
        for name in given
        if name not in sites
    ]
    for name, site in sites.items():
        try:
            found[name] = _given(site, given[name]) if name in given else _asked(site, resolver)
        except ConfigError as error:
            faults.append(Fault(name, error.title))
    if faults:
        raise ConfigError("not every site of the stack is found", faults)
    return found


def _given(site: Site, where: str) -> Endpoint:
    if site.exposure.reach is not Reach.ADDRESS:
        name = where.rstrip(".").lower()
        if not re.fullmatch(NAME, name) or name[0] == "*" or name.rpartition(".")[2].isdigit():
            raise ConfigError(f"{shown(where)} is no host name; give the name at which the vendor serves the site")
        return Endpoint(name=name)
    try:
        return Endpoint(addresses=tuple(str(ipaddress.IPv4Address(each)) for each in where.split(",")))
    except ValueError:
        raise ConfigError(f"{shown(where)} is no IPv4 address; give one, or several with commas") from None


def _asked(site: Site, resolver: Resolver) -> Endpoint:
    by_hand = f"give it as --at {site.name}="
    match site.exposure.reach:
        case Reach.ADDRESS if addresses := resolver.find(site.site_host, "A"):
            return Endpoint(addresses=tuple(addresses))
        case Reach.NAME if names := resolver.find(site.site_host, "CNAME"):
            return Endpoint(name=names[0])
        case Reach.ALIAS:
            raise ConfigError(f"is reached by a vendor's name that its authority hides; {by_hand}NAME")
        case _:
            raise ConfigError(f"{site.site_host} is not answered; deploy the stack first, or {by_hand}WHERE")
