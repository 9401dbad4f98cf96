"""The shared HTTP ingress of a provider: routes by host name to the containers, and ends TLS as providers do.

Its limits are those of the SDL's defaults: bodies of 1 MiB, 60 seconds. Upgrades (WebSocket) are not passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, DummyCookieJar, web

from ..net.tls import Authority
from .own_make import own_make

if TYPE_CHECKING:
    import ssl

    from ..state import State
    from .workload import Grounds

MAX_BODY = 1_048_576
TIMEOUT = ClientTimeout(total=60)
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"}
NOT_FOUND = "default backend - 404"


class Ingress:
    """One provider's ingress, on its own address."""

    def __init__(self, state: State, grounds: Grounds) -> None:
        self.state, self.grounds = state, grounds
        self._server: web.Server | None = None
        self._listeners: dict[int, asyncio.Server] = {}
        self._session: ClientSession | None = None

    async def open(self) -> None:
        """Listen, and publish the routes of ports 80 and 443."""
        if self._listeners:
            return
        self._session = ClientSession(timeout=TIMEOUT, auto_decompress=False, cookie_jar=DummyCookieJar())
        self._server = web.Server(self._answer)
        for port, context in ((80, None), (443, self._tls())):
            listener = await asyncio.get_running_loop().create_server(self._server, "127.0.0.1", 0, ssl=context)
            self._listeners[port] = listener
            self.state.publish_route(self.grounds.provider.ingress, port, listener.sockets[0].getsockname()[1])

    def _tls(self) -> ssl.SSLContext:
        """Return a provider's TLS: a certificate for its ingress domain, and for other hosts a self-signed one."""
        domain = f"*.ingress.{self.grounds.provider.domain}"
        known, unknown = Authority(self.state).context([domain]), own_make(self.state.root)

        def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            if name and name.endswith(domain[1:]):
                connection.context = known

        unknown.sni_callback = choose
        return unknown

    async def close(self) -> None:
        """Withdraw from the internet."""
        for port, listener in self._listeners.items():
            self.state.withdraw_route(self.grounds.provider.ingress, port)
            listener.close()
        self._listeners = {}
        for closing in (self._server and self._server.shutdown(0), self._session and self._session.close()):
            if closing:
                await closing
        self._server = self._session = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        host = (request.host or "").partition(":")[0].lower()
        found = self.grounds.hosts.get(host)
        if found is None or self._session is None:
            return web.Response(status=404, text=NOT_FOUND)
        if (request.content_length or 0) > MAX_BODY:
            return web.Response(status=413, text="Request Entity Too Large")
        headers = [(key, value) for key, value in request.headers.items() if key.lower() not in HOP_BY_HOP]
        scheme = "https" if request.secure else "http"
        headers += [("X-Forwarded-Host", request.host), ("X-Forwarded-Proto", scheme)]
        try:
            async with self._session.request(
                request.method,
                f"http://127.0.0.1:{found[1]}{request.path_qs}",
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            ) as upstream:
                kept = [(key, value) for key, value in upstream.headers.items() if key.lower() not in HOP_BY_HOP]
                answer = web.StreamResponse(status=upstream.status, reason=upstream.reason)
                answer.headers.extend(kept)
                await answer.prepare(request)
                async for piece in upstream.content.iter_any():
                    await answer.write(piece)
                with contextlib.suppress(ConnectionResetError):
                    await answer.write_eof()
                return answer
        except TimeoutError:
            return web.Response(status=504, text="504 Gateway Time-out")
        except ClientConnectionError:
            return web.Response(status=502, text="502 Bad Gateway")
