"""A vendor of web sites at which a DAO's site is live before it moves: its own machines, names and certificates.

It serves as GitHub Pages does: by the requested name, with a certificate for each custom domain, its own wildcard
certificate and a 404 page for every other name ("There isn't a GitHub Pages site here"), and HTTP leads to HTTPS
(GitHub documentation, "Managing a custom domain for your GitHub Pages site", "Securing your GitHub Pages site"). A
challenge of a certificate authority for another party's order is a page that it does not have.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from ..state import read, write
from . import server
from .wire import Response

if TYPE_CHECKING:
    import asyncio
    import ssl
    from pathlib import Path

    from ..state import State
    from .server import Asked
    from .tls import Authority

#: The site's name at the vendor, which CNAME records lead to, the names around it, and the vendor's address.
SITE, OWN, ADDRESS = "dao-example.pages.example", "*.pages.example", "198.51.100.60"
#: The fault in which the vendor's certificates for custom domains have expired.
EXPIRED = "vendor-certificate-expired"
#: The text in every page of the live site.
SIGN = "at the old vendor"
_PAGE = f"<!doctype html><title>Docs</title><h1>The docs, {SIGN}</h1>"
_NONE = "<!doctype html><title>404</title><h1>404</h1><p>There isn't a site here.</p>"


def move_in(state: State, host: str) -> None:
    """Make a host a custom domain of the vendor's site; its owner leads the name there by a record."""
    write(_tenants(state), json.dumps(sorted({host, *tenants(state)})))


def tenants(state: State) -> list[str]:
    """Return the custom domains that the vendor serves."""
    return list(json.loads(read(_tenants(state)) or "[]"))


def _tenants(state: State) -> Path:
    return state.root / "vendor.json"


class Vendor:
    """All servers of the vendor."""

    def __init__(self, state: State, authority: Authority) -> None:
        self._state = state
        self._authority = authority
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}

    def publish(self, plain: int, secure: int) -> None:
        """Put the vendor on the sandbox's internet."""
        for name in (SITE, OWN):
            self._state.publish_host(name, ADDRESS)
        self._state.publish_route(ADDRESS, 80, plain)
        self._state.publish_route(ADDRESS, 443, secure)

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS of port 443: the vendor's own certificate until the client names a custom domain."""
        context = self._authority.context((OWN,))
        context.sni_callback = self._named
        return context

    def _named(self, handshake: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name and name.lower() in tenants(self._state):
            handshake.context = self._context(name.lower(), expired=self._state.fault(EXPIRED) is not None)

    def _context(self, name: str, *, expired: bool) -> ssl.SSLContext:
        if (name, expired) not in self._contexts:
            since = dt.datetime.now(dt.UTC) - dt.timedelta(days=91) if expired else None
            self._contexts[name, expired] = self._authority.context((name,), since=since)
        return self._contexts[name, expired]

    async def plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to port 80."""
        await server.serve(reader, writer, self._respond, secure=False)

    async def secure(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to port 443."""
        await server.serve(reader, writer, self._respond, secure=True)

    async def _respond(self, asked: Asked) -> Response:
        if asked.host not in (SITE, *tenants(self._state)):
            return Response(404, [("content-type", "text/html")], _NONE.encode())
        if not asked.secure:
            return Response(301, [("location", f"https://{asked.host}{asked.path}")], b"")
        page = _PAGE if asked.path in ("/", "/index.html") else _NONE
        return Response(200 if page is _PAGE else 404, [("content-type", "text/html")], page.encode())
