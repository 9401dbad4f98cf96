"""The edge: serves each enabled CloudFront distribution at its names, over HTTP and HTTPS."""

from __future__ import annotations

import html
import ssl
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from ..faults import SILENT
from . import function, server
from .cache import Cache
from .delivery import deliver
from .distribution import lifetime
from .wire import Response

if TYPE_CHECKING:
    import asyncio

    from ..state import State
    from .distribution import Behaviour, Distribution
    from .distributions import Distributions
    from .origin import Origins
    from .server import Asked
    from .tls import Authority

#: The path of certificate authorities (RFC 8555 §8.3): a distribution without a behaviour for it uses the default one.
CHALLENGES = "/.well-known/acme-challenge/"
#: The name on the certificate for a client that sends no name, or the distribution's own.
OWN_NAMES = ("*.cloudfront.net", "cloudfront.net")


class Edge:
    """Every edge location of CloudFront in one: any of its addresses serves any distribution."""

    def __init__(self, state: State, distributions: Distributions, origins: Origins, authority: Authority) -> None:
        self._state = state
        self._distributions = distributions
        self._origins = origins
        self._authority = authority
        self._cache = Cache()
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        distributions.invalidated = self._cache.invalidate

    # Connections

    async def plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to port 80."""
        if self._down():
            writer.transport.abort()
            return
        await server.serve(reader, writer, self._respond, secure=False)

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS of port 443: CloudFront's own certificate until the client names a distribution's alias."""
        context = self._context(OWN_NAMES)
        context.sni_callback = self._named
        return context

    async def secure(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to port 443."""
        await server.serve(reader, writer, self._respond, secure=True)

    def _down(self) -> bool:
        return any(self._state.fault(each) is not None for each in SILENT)

    def _blocked(self, path: str) -> bool:
        """Return whether a fault breaks every distribution's behaviour for certificate challenges."""
        return path.startswith(CHALLENGES) and self._state.fault("challenge-blocked") is not None

    def _named(self, handshake: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        """Choose the certificate by the name that the client sends, as CloudFront does."""
        if self._down():
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        if name is None or name.endswith(".cloudfront.net"):
            return None
        distribution = self._distributions.by_name.get(name.lower())
        names = self._distributions.certified.get(distribution.certificate) if distribution else None
        if not names:
            return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        handshake.context = self._context(names)
        return None

    def _context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        if names not in self._contexts:
            self._contexts[names] = self._authority.context(names)
        return self._contexts[names]

    # Requests

    async def _respond(self, asked: Asked) -> Response | None:
        if self._down():
            return None
        await self._distributions.get()
        distribution = self._distributions.by_name.get(asked.host)
        if distribution is None:
            return _stop(403, "Bad request. No distribution has this name among its aliases.")
        if f"{distribution.domain} (CloudFront)" in asked.header("via"):
            return _stop(403, "Request loop: it has been here before.")
        behaviour = distribution.behaviour("/" if self._blocked(asked.path) else asked.path)
        if asked.method not in behaviour.methods:
            return _stop(403, "This distribution is not configured to allow the HTTP request method of this request.")
        if not asked.secure and behaviour.viewer != "allow-all":
            return _upgrade(asked, behaviour)
        return await self._serve(distribution, behaviour, asked)

    async def _serve(self, distribution: Distribution, behaviour: Behaviour, asked: Asked) -> Response:
        path = asked.path
        if name := behaviour.functions.get("viewer-request"):
            decided = function.on_request(await self._distributions.code(name), distribution, asked)
            if isinstance(decided, Response):
                return decided
            path = decided
        if path == "/" and distribution.root:
            path = f"/{distribution.root}"
        response, hit, age = await self._fetch(distribution, behaviour, asked, path)
        page = distribution.errors.get(response.status)
        # Error pages belong to the distribution: every behaviour has them, the one for challenges too.
        if page:
            response = await self._error(distribution, asked, page.page, page.status, response)
        failed = response.status >= 400
        response = self._finish(distribution, behaviour, asked, response, hit=hit, age=age)
        name = behaviour.functions.get("viewer-response")
        # It is not called "when the origin returns HTTP status code 400 or higher" (all edge functions).
        if name and not failed and response.status < 400:
            response = function.on_response(await self._distributions.code(name), distribution, asked, path, response)
        return response

    async def _fetch(
        self, distribution: Distribution, behaviour: Behaviour, asked: Asked, path: str
    ) -> tuple[Response, bool, int]:
        """Return the origin's response or the one remembered: (response, remembered, age in seconds)."""
        key = (distribution.id, path + (f"?{asked.query}" if asked.query and behaviour.forwards_all else ""))
        cacheable = asked.method in ("GET", "HEAD")
        now = time.monotonic()
        if cacheable and (kept := self._cache.get(key)):
            return kept.response, True, int(now - kept.asked)
        # The edge requests the whole body even for HEAD, so that it may keep it.
        whole = replace(asked, method="GET") if cacheable else asked
        response = await self._origins.fetch(distribution, behaviour, whole, path)
        if cacheable:
            page = distribution.errors.get(response.status)
            ok = response.status < 400
            ttl = lifetime(behaviour.ttls, response.header("cache-control")) if ok else page.ttl if page else 0
            self._cache.put(key, response, now, ttl)
        return response, False, 0

    async def _error(
        self, distribution: Distribution, asked: Asked, page: str, status: int, response: Response
    ) -> Response:
        """Return the page that a distribution shows for an error; the error itself if that page cannot be had."""
        if not page:
            return replace(response, status=status)
        shown, _, _ = await self._fetch(distribution, distribution.behaviour(page), replace(asked, method="GET"), page)
        return replace(shown, status=status) if shown.status == 200 else response

    def _finish(
        self, distribution: Distribution, behaviour: Behaviour, asked: Asked, response: Response, *, hit: bool, age: int
    ) -> Response:
        """Add the edge's part: policy headers, compression, its own headers, and 304 for what the viewer has."""
        own = ("content-length", "date", "connection", "x-cache", "accept-ranges")
        headers = [pair for pair in response.headers if pair[0] not in own]
        if response.status == 200:
            headers.append(("accept-ranges", "bytes"))
        headers = self._distributions.headers_policy(behaviour.headers_policy).apply(headers, secure=asked.secure)
        headers += [
            ("x-cache", _cached(response.status, hit=hit)),
            ("via", f"1.1 {distribution.domain} (CloudFront)"),
            ("x-amz-cf-pop", "SBX1-P1"),
            ("x-amz-cf-id", uuid.uuid4().hex),
        ]
        if hit:
            headers.append(("age", str(age)))
        return deliver(behaviour, asked, Response(response.status, headers, response.body))


def _cached(status: int, *, hit: bool) -> str:
    return f"{'Error' if status >= 400 else 'Hit' if hit else 'Miss'} from cloudfront"


def _upgrade(asked: Asked, behaviour: Behaviour) -> Response:
    if behaviour.viewer == "https-only":
        return _stop(403, "This distribution is not configured to allow HTTP.")
    place = f"https://{asked.host}{asked.path}" + (f"?{asked.query}" if asked.query else "")
    headers = [("location", place), ("server", "CloudFront"), ("x-cache", "Redirect from cloudfront")]
    return Response(301, headers, b"")


def _stop(status: int, sentence: str) -> Response:
    body = (
        f"<html><head><title>ERROR: The request could not be satisfied</title></head><body><h1>{status} ERROR</h1>"
        f"<h2>The request could not be satisfied.</h2><p>{html.escape(sentence)}</p>"
        "<p>Generated by cloudfront (CloudFront)</p></body></html>"
    )
    headers = [("content-type", "text/html"), ("server", "CloudFront"), ("x-cache", "Error from cloudfront")]
    return Response(status, headers, body.encode())
