"""HTTP/1.1 to one address on this machine: a request out, a response in, each bounded in time and size."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable

log = logging.getLogger(__name__)

#: Bytes read from a socket at once.
CHUNK = 65536

Headers = list[tuple[str, str]]

#: Headers that belong to one connection and are never passed on (RFC 9110 §7.6.1).
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Unreachable(Exception):  # noqa: N818 - the name is what is wrong, as OSError's children do
    """No server answers there, or not in time, or not in HTTP."""


@dataclass(frozen=True)
class Response:
    """A whole response; header names are in lower case."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str, default: str = "") -> str:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name), default)


@contextlib.asynccontextmanager
async def connected(
    port: int, *, tls: ssl.SSLContext | None = None, name: str = "", seconds: float = 4.0
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield a connection to a port of this machine; `name` is the name for TLS. Raises Unreachable."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=tls, server_hostname=name if tls else None
            )
    except (OSError, TimeoutError) as error:
        raise Unreachable(f"no connection: {error or 'timed out'}") from error
    try:
        yield reader, writer
    finally:
        await close(writer)


def attended(connection: Connection) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
    """Return a listener's callback. With the coroutine itself, asyncio would complain of each that it ends."""
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(connection(reader, writer))
        tasks.add(task)
        task.add_done_callback(end)

    def end(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a connection ended in a bug", exc_info=error)

    return begin


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and ignore errors of the other side."""
    writer.close()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1):
            await writer.wait_closed()


async def fetch(
    port: int,
    target: str,
    headers: Iterable[tuple[str, str]],
    *,
    method: str = "GET",
    body: bytes = b"",
    tls: ssl.SSLContext | None = None,
    name: str = "",
    connect_s: float = 4.0,
    response_s: float = 30.0,
    enough: int | None = None,
) -> Response:
    """Send one request to a port of this machine and read the response.

    `enough` ends the reading after so many bytes of the body. The name in TLS is `name`. Raises Unreachable.
    """
    async with connected(port, tls=tls, name=name, seconds=connect_s) as (reader, writer):
        try:
            async with asyncio.timeout(response_s):
                return await _exchange(reader, writer, _request(method, target, headers, body), body, enough)
        except TimeoutError as error:
            raise Unreachable(f"no response within {response_s:g} s") from error
        except (OSError, h11.ProtocolError) as error:
            raise Unreachable(f"no response: {error}") from error


def _request(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> h11.Request:
    pairs = [*headers, ("Connection", "close")]
    if body or method in ("POST", "PUT", "PATCH"):
        pairs.append(("Content-Length", str(len(body))))
    return h11.Request(method=method, target=target, headers=pairs)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes, enough: int | None
) -> Response:
    talk = h11.Connection(h11.CLIENT)
    writer.write(talk.send(request) or b"")
    if body:
        writer.write(talk.send(h11.Data(data=body)) or b"")
    writer.write(talk.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    head: h11.Response | None = None
    parts: list[bytes] = []
    while True:
        event = await next_event(talk, reader)
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            parts.append(bytes(event.data))
        elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
            break
        if head is not None and enough is not None and sum(map(len, parts)) >= enough:
            break
    if head is None:
        raise Unreachable("the connection closed without a response")
    return Response(
        head.status_code, [(k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers], b"".join(parts)
    )


async def next_event(talk: h11.Connection, reader: asyncio.StreamReader) -> h11.Event | type[h11.PAUSED]:
    """Return the next event of the other side."""
    while (event := talk.next_event()) is h11.NEED_DATA:
        talk.receive_data(await reader.read(CHUNK))
    return event  # type: ignore[return-value]


def reason(status: int) -> bytes:
    """Return the phrase that people see next to a status."""
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
