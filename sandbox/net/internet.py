"""The sandbox's routes: from a name or an address, by the route files, to a port of this machine and nowhere else."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .wire import Unreachable

if TYPE_CHECKING:
    from ..state import State
    from .names import Names


class Internet:
    """Finds the real port behind an address of the simulated internet."""

    def __init__(self, state: State, names: Names) -> None:
        self._state = state
        self._names = names

    async def way(self, host: str, port: int) -> int:
        """Return the port of 127.0.0.1 that host:port leads to. Raises Unreachable with a sentence for people."""
        addresses = await self._addresses(host)
        for address in addresses:
            real = self._state.route(address, port)
            if real and real[0] == "127.0.0.1":
                return real[1]
        at = addresses[0] if addresses[0] == host else f"{host} ({addresses[0]})"
        raise Unreachable(f"connection refused: nothing listens at port {port} of {at}")

    async def _addresses(self, host: str) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            addresses = await self._names.addresses(host)
        if not addresses:
            raise Unreachable(f"no such name: {host} has no address in the sandbox's DNS")
        return addresses
