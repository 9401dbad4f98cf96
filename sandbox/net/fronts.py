"""TLS in front of the S3 stores: the vendors' real names and ports, moto behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import relay
from .wire import Unreachable

if TYPE_CHECKING:
    import asyncio
    import ssl

    import h11

    from ..state import State
    from .tls import Authority

#: moto reads the bucket from an unknown host name, so every store has this one to it.
KNOWN_AS = b"s3.us-east-1.amazonaws.com"


@dataclass(frozen=True)
class Front:
    """A store: its name (its buckets are below it), its address, and the port file of what serves it."""

    name: str
    address: str
    port: str


FRONTS = (
    Front("s3.us-east-1.amazonaws.com", "198.51.100.10", "aws"),
    Front("gateway.storjshare.io", "198.51.100.20", "storj"),
    # A third vendor, for stacks that lose one of the two. The second store's process has its buckets.
    Front("s3.filebase.com", "198.51.100.21", "storj"),
)


class Store:
    """One front: serves HTTPS and passes every request on to the store behind it."""

    def __init__(self, front: Front, state: State, authority: Authority) -> None:
        self.front = front
        self._state = state
        self._tls = authority.context((front.name, f"*.{front.name}"))

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS of this front's listener."""
        return self._tls

    def publish(self, real_port: int) -> None:
        """Put the store on the sandbox's internet."""
        for name in (self.front.name, f"*.{self.front.name}"):
            self._state.publish_host(name, self.front.address)
        self._state.publish_route(self.front.address, 443, real_port)

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        await relay.serve(reader, writer, self._aim)

    async def _aim(self, request: h11.Request) -> relay.Aim:
        port = self._state.port(self.front.port)
        if port is None:
            raise Unreachable(f"the store behind {self.front.name} is not up")
        host = dict(request.headers).get(b"host", b"").decode("latin-1").lower().partition(":")[0]
        bucket = host.removesuffix(self.front.name).rstrip(".")
        target = f"/{bucket}".encode("latin-1") + request.target if bucket else request.target
        headers = [(key, value) for key, value in request.headers if key not in (b"host", b"x-sandbox")]
        return port, target, [(b"Host", KNOWN_AS), *headers]
