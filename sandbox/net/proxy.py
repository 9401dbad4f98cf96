"""The proxy that is the internet: HTTP in absolute form and CONNECT, by the sandbox's own DNS and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from . import relay
from .wire import Unreachable

if TYPE_CHECKING:
    import asyncio

    import h11

    from .internet import Internet


class Proxy:
    """The server behind HTTP_PROXY and HTTPS_PROXY."""

    def __init__(self, internet: Internet) -> None:
        self._internet = internet

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        await relay.serve(reader, writer, self._aim)

    async def _aim(self, request: h11.Request) -> relay.Aim:
        target = request.target.decode("latin-1")
        if request.method == b"CONNECT":
            host, port = _place(f"//{target}", None)
            raise relay.Tunnel(await self._way(host, port))
        if not target.startswith("http://"):
            raise relay.Refused(400, "this is a proxy: ask for http://HOST/PATH, or CONNECT HOST:PORT")
        host, port = _place(target, 80)
        real = await self._way(host, port)
        parts = urlsplit(target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # A proxy would set Host from the target (RFC 9112 §3.2.2). This one stands for the internet, where a program
        # may ask an address for any name, so Host stays as it was sent.
        return real, path.encode("latin-1"), list(request.headers)

    async def _way(self, host: str, port: int) -> int:
        try:
            return await self._internet.way(host, port)
        except Unreachable as error:
            raise relay.Refused(502, str(error)) from error


def _place(url: str, default: int | None) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or default
    except ValueError as error:
        raise relay.Refused(400, f"not an address: {error}") from error
    if not host or not port:
        raise relay.Refused(400, "not an address: choose HOST:PORT")
    return host, port
