"""Read the last logs of a lease's containers as the Console's pages do: through its proxy in front of providers.

The Console's API has no logs. Its pages get a token (`POST /v1/create-jwt-token`) and connect to a provider's gateway
(`GET /lease/{dseq}/{gseq}/{oseq}/logs`, a WebSocket) through `apps/provider-proxy`. The proxy knows the providers'
self-signed certificates, which cannot be validated from here.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from ....errors import MarketError
from ....limits import CONSOLE_CONNECT_S, PROVIDER_LOG_BYTES, PROVIDER_LOG_LINES, PROVIDER_LOG_S
from ....text.escape import outside

if TYPE_CHECKING:
    import ssl

    from .console_client import Console

#: The address of the proxy (console `README.md`, "Services").
URL = "wss://console-provider-proxy.akash.network/ws"
#: Seconds for which a token is valid.
_TOKEN_S = 60
#: Our deployments have one group, and close with the lease of its first order.
_GROUP, _ORDER = 1, 1
_NETWORK = "mainnet"


class Line(NamedTuple):
    """A line, and its source: the name of a pod of the service, or `event`."""

    source: str
    text: str


def last_lines(console: Console, gateway: str, provider: str, dseq: str, service: str, url: str = URL) -> list[Line]:
    """Return the last log lines of a service's containers, or the last Kubernetes events if there are none.

    `gateway` is the address of the provider's gateway. Raises MarketError with the reason of a failure.
    """
    scope = ["logs", "events"]
    wanted = {"access": "granular", "permissions": [{"provider": provider, "access": "scoped", "scope": scope}]}
    answer = console.call("token", body={"data": {"ttl": _TOKEN_S, "leases": wanted}})
    try:
        token = answer["data"]["token"]
    except (KeyError, TypeError):
        raise MarketError("akash: the Console's answer holds no token for the provider") from None
    place = f"{gateway}/lease/{dseq}/{_GROUP}/{_ORDER}"
    asked = urlencode({"follow": "false", "tail": PROVIDER_LOG_LINES, "service": service})
    lines = _read(url, f"{place}/logs?{asked}", provider, token)
    return lines or _read(
        url, f"{place}/kubeevents?{urlencode({'follow': 'false', 'service': service})}", provider, token
    )


def _read(url: str, target: str, provider: str, token: str) -> list[Line]:
    """Read one stream to its end, but at most `PROVIDER_LOG_S` seconds and `PROVIDER_LOG_BYTES` bytes."""
    from websockets.exceptions import WebSocketException

    auth = {"type": "jwt", "token": token}
    request = {"type": "websocket", "url": target, "network": _NETWORK, "providerAddress": provider, "auth": auth}
    found: list[Line] = []
    try:
        asyncio.run(_stream(url, json.dumps(request), found))
    except (OSError, WebSocketException) as error:
        if not found:
            raise MarketError(f"akash: the Console's proxy does not answer ({type(error).__name__})") from None
    return found


async def _stream(url: str, request: str, found: list[Line]) -> None:
    """Put the lines of a stream into `found` as they arrive.

    One thread reads and writes: the library's client of two threads uses one TLS object in both, and has waited
    without end for a proxy that was silent after the TLS handshake (websockets 17.4, `ClientConnection.recv_events`).
    """
    from websockets.asyncio.client import connect

    class Direct(connect):
        """A connection that follows no redirect: the token is for this proxy."""

        def process_redirect(self, exc: Exception) -> Exception:
            return exc

    connection = Direct(
        url,
        ssl=_validating() if url.startswith("wss:") else None,
        open_timeout=PROVIDER_LOG_S,
        close_timeout=CONSOLE_CONNECT_S,
        max_size=PROVIDER_LOG_BYTES,
    )
    async with asyncio.timeout(PROVIDER_LOG_S), connection as stream:
        await stream.send(request)
        size = 0
        while size < PROVIDER_LOG_BYTES:
            text = await stream.recv()
            size += len(text)
            message = _object(text)
            if message.get("error"):
                raise MarketError(
                    f"akash: the provider's gateway does not show its log ({outside(message['error'], 80)})"
                )
            if message.get("closed"):
                return
            if line := _line(_object(message.get("message", ""))):
                found.append(line)


def _validating() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _line(found: dict[str, Any]) -> Line | None:
    """Return the line of a log message (`ServiceLogMessage`) or an event (`LeaseEvent`), None for others."""
    if "reason" in found:
        return Line("event", f"{found['reason']}: {found.get('note', '')}")
    return Line(str(found.get("name", "")), str(found["message"])) if "message" in found else None


def _object(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
