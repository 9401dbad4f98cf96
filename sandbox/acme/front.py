"""The authority's address on the internet: passes everything on to Pebble, and refuses what a real authority refuses.

Pebble has neither rate limits nor CAA. Orders are refused here by both, in the forms of RFC 8555 §6.7 and of Let's
Encrypt.
"""

from __future__ import annotations

import base64
import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import dns.rdatatype

from ..net import server
from ..net.wire import HOP_BY_HOP, Response, Unreachable, fetch
from .view import ask

if TYPE_CHECKING:
    import asyncio
    import ssl

    from ..net.server import Asked
    from ..state import State

#: The CAA parameter that names the methods of proof an issuer may use (RFC 8657).
METHODS = "validationmethods"
#: The authority's address, and its name in CAA records.
HOST, ADDRESS, ISSUER = "acme.ca.example", "198.51.100.30", "ca.example"
DIRECTORY = f"https://{HOST}/dir"
#: Where Pebble takes orders.
ORDERS = "/order-plz"
#: Seconds after which a client over its limit may ask again (Let's Encrypt: a week, sliding).
AGAIN_S = 24 * 3600


class Front:
    """HTTPS at the authority's name, Pebble behind it."""

    def __init__(self, state: State, pebble: int, trusted: ssl.SSLContext) -> None:
        self._state = state
        self._pebble = pebble
        self._trusted = trusted

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        await server.serve(reader, writer, self._respond, secure=True)

    async def _respond(self, asked: Asked) -> Response | None:
        if self._state.fault("acme-down") is not None:
            return None
        if asked.method == "POST" and asked.path == ORDERS and (no := await self._refusal(asked)):
            return no
        headers = [(name, value) for name, value in asked.headers if name not in HOP_BY_HOP | {"content-length"}]
        target = asked.path + (f"?{asked.query}" if asked.query else "")
        try:
            answer = await fetch(
                self._pebble, target, headers, method=asked.method, body=asked.body, tls=self._trusted, name=HOST
            )
        except Unreachable:
            return None
        kept = [(name, value) for name, value in answer.headers if name not in HOP_BY_HOP]
        return Response(answer.status, kept, answer.body)

    async def _refusal(self, asked: Asked) -> Response | None:
        """Return why an order is refused; None if it is accepted."""
        if self._state.fault("certificate-expired") is not None:
            return _problem(503, "serverInternal", "The service is down for maintenance or had an internal error")
        names = _ordered(asked.body)
        if self._state.fault("acme-rate-limited") is not None:
            again = formatdate(time.time() + AGAIN_S, usegmt=True)
            reason = (
                f"too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, "
                f"retry after {again}: see https://letsencrypt.org/docs/rate-limits/"
                "#new-certificates-per-exact-set-of-identifiers"
            )
            return _problem(429, "rateLimited", reason, ("retry-after", str(AGAIN_S)))
        for name in names:
            if closed := await self._closed(name):
                return _problem(403, "caa", f"CAA record for {closed} prevents issuance of {name}")
        return None

    async def _closed(self, name: str) -> str:
        """Return the name whose CAA records keep this authority from a name; nothing if none do (RFC 8659 §3)."""
        at = name
        while "." in at:
            found = await ask(self._state, at, "CAA")
            records = [item for one in found.answer if one.rdtype == dns.rdatatype.CAA for item in one]
            if records:
                values = [item.value.decode() for item in records if item.tag == b"issue"]
                return at if values and not any(_allows(value) for value in values) else ""
            at = at.partition(".")[2]
        return ""


def _allows(value: str) -> bool:
    """Return whether the value of an `issue` property allows this authority HTTP-01 (RFC 8659 §4.2, RFC 8657 §4)."""
    issuer, *parameters = (part.strip() for part in value.split(";"))
    methods = [part.partition("=")[2].strip() for part in parameters if part.partition("=")[0].strip() == METHODS]
    return issuer == ISSUER and all("http-01" in allowed.split(",") for allowed in methods)


def _ordered(body: bytes) -> list[str]:
    """Return the names in a signed order (RFC 8555 §7.4); whether it is well signed is Pebble's to judge."""
    try:
        payload = json.loads(body)["payload"]
        order: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return [str(one["value"]) for one in order["identifiers"]]
    except (ValueError, KeyError, TypeError):
        return []


def _problem(status: int, kind: str, detail: str, *headers: tuple[str, str]) -> Response:
    body = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status}
    own = [("content-type", "application/problem+json"), ("link", f'<{DIRECTORY}>;rel="index"'), *headers]
    return Response(status, own, json.dumps(body).encode())
