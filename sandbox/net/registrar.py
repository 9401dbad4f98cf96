"""The registrar of the sandbox's zones, with which an owner changes name servers, glue and keys at the registry.

Name servers inside the zone have addresses, others have none (RFC 5732 §1.1). Changes of a frozen domain are refused:
clientUpdateProhibited and serverUpdateProhibited (RFC 5731 §2.3), answered as 2304 "Object status prohibits operation"
(RFC 5730 §3).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from components.errors import UnmoorError

from ..faults import FROZEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..state import State


class Refused(UnmoorError):  # noqa: N818 the name is the situation
    """The registrar refuses a change."""


def change(state: State, zone: str, servers: Mapping[str, str], ds: Sequence[str] = ()) -> None:
    """Delegate a zone to name servers with their addresses, and set its DS records. Raises Refused."""
    if state.fault(FROZEN) is not None:
        raise Refused(f"registrar: 2304 Object status prohibits operation: {zone} is clientUpdateProhibited")
    for name, address in servers.items():
        inside = f".{name}".endswith(f".{zone}")
        if inside != bool(address):
            raise Refused(f"registrar: {name}: {'needs an address' if inside else 'is outside the zone'}")
        try:
            ipaddress.IPv4Address(address or "192.0.2.1")
        except ValueError:
            raise Refused(f"registrar: {name}: {address} is no IPv4 address") from None
    if not servers:
        raise Refused("registrar: 2003 Required parameter missing: a name server")
    state.delegate(zone, {"servers": dict(servers), "ds": list(ds)})


def glue(state: State) -> list[str]:
    """Return the glue addresses of the registry, in the order of the servers' names."""
    found = [each["servers"] for _, each in sorted(state.delegations().items())]
    return [address for servers in found for _, address in sorted(servers.items()) if address]
