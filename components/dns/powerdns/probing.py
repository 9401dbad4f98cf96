"""Probe one member: one request over a new connection, with its certificate verified."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

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


class Prober:
    """Probe members, many at once. `trust` holds the accepted issuers; None takes those of this machine."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        import httpx

        # A kept connection could still reach a machine to which the name no longer leads.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(verify=trust or httpx.create_ssl_context(), trust_env=False, limits=limits)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def well(self, member: Judged) -> bool:
        """Return whether a member answers 200 with its mark in `LIMIT_S` seconds, at its address and by its name."""
        import httpx

        probe = member.probe
        more = {"sni_hostname": probe.host}
        try:
            url = f"{probe.scheme}://{_at(member.connect, probe.scheme)}{probe.path}"
            async with (
                asyncio.timeout(LIMIT_S),
                self._client.stream("GET", url, headers={"Host": probe.host}, extensions=more) as answer,
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
    async for part in answer.aiter_bytes():
        body += part
        if len(body) >= _SEARCHED:
            break
    return body[:_SEARCHED]
