"""Probe one member: one request over a new connection, with its certificate verified."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from ...coding import PLAIN, aparts
from ...limits import KEEPER_PROBE_S as LIMIT_S
from ...resolver import ROUTES, reached

if TYPE_CHECKING:
    import ssl

    import httpx

    from .bundle import Judged

_WELL = 200
_PORTS = {"http": 80, "https": 443}
#: The number of first bytes of an answer that are searched for the mark.
_SEARCHED = 5120
_HEADERS = {"User-Agent": "unmoor", **PLAIN}


class Prober:
    """Probe members, many at once. `trust` holds the accepted issuers; None takes those of this machine."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        import httpx

        # A kept connection could still reach a machine to which the name no longer leads. A client would keep
        # cookies, and those of one member would slow the probes of all others down.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._transport = httpx.AsyncHTTPTransport(verify=trust or httpx.create_ssl_context(), limits=limits)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def well(self, member: Judged) -> bool:
        """Return whether a member answers 200 with its mark in `LIMIT_S` seconds, at its address and by its name."""
        import httpx

        probe = member.probe
        try:
            url = f"{probe.scheme}://{_at(member.connect, probe.scheme)}{probe.path}"
            headers, more = {"Host": probe.host, **_HEADERS}, {"sni_hostname": probe.host}
            request = httpx.Request("GET", url, headers=headers, extensions=more)
            async with (
                asyncio.timeout(LIMIT_S),
                contextlib.aclosing(await self._transport.handle_async_request(request)) as answer,
            ):
                return answer.status_code == _WELL and probe.mark.encode() in await _beginning(answer)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
            return False


def _at(connect: str, scheme: str) -> str:
    """Return where to connect: to the address or name itself, unless the sandbox routes it elsewhere."""
    if not os.environ.get(ROUTES):
        return connect
    host, port = reached(connect, _PORTS[scheme])
    return f"{host}:{port}"


async def _beginning(answer: httpx.Response) -> bytes:
    """Return the part of a body that is searched."""
    body = b""
    async for part in aparts(answer):
        body += part
        if len(body) >= _SEARCHED:
            break
    return body[:_SEARCHED]
